"""A site of generated models of known truth: the stores of one, as the publisher would have left them.

    python -m benchmarks.site_store FOLDER --models 300

Equal arguments give equal files. Scorecards, users' sums and rows are drawn from each model's truth (`site_outcomes`)
and written with the encoders of the public data sets; the board is ranked by the release itself. That takes minutes
where there are 10,000 models, so with `known_order` places come straight from the order of the Totals: whoever is
better by `MARGIN` points is better for sure. Of the archive only histories are written, so a ledger can be restored
from it and nothing can be derived anew.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.site_cards import (
    PROTOCOL,
    REFERENCES,
    Run,
    card_of,
    demo_models,
    human_cards,
    human_protocols,
    protocols_of,
    runs_of,
)
from benchmarks.site_histories import histories_of, unfinished
from benchmarks.site_models import NEWEST, SiteModel, earlier, reference, site_model
from benchmarks.site_outcomes import Asked, Outcomes, asked_of, asked_of_demo, draw, tally
from benchmarks.site_rows import PLAIN, Said, answers_file, sums_table, verdicts_file, write_table
from evaluator.metrics.intervals import Board, linearise
from evaluator.metrics.ranks import Rank
from leaderboard.board import places
from leaderboard.board.figures import result_of
from leaderboard.open_data import layout
from leaderboard.open_data.figures import open_card
from leaderboard.open_data.files import CARDS, HUMAN_CARDS, HUMAN_FIGURES, encode_request
from leaderboard.open_data.human_figures import open_human_figures, open_human_scorecard
from leaderboard.open_data.views import open_request
from leaderboard.release.release import Release
from leaderboard.results import HumanScorecard, Scorecard
from leaderboard.settings import Settings
from leaderboard.store.base import Operation, Store, Write
from leaderboard.store.layout import part_of
from leaderboard.store.open import Names, Stores, open_stores
from leaderboard.submissions import journal

MODELS, USERS, DETAILED = 300, 250, 20
MARGIN = 1.5
"""Points of Total by which a model must be better to be better for sure, where places come from the order alone."""
_NAMES = Names("org/rapport-archive", "org/rapport-results", "org/rapport-requests")
_AT_ONCE = 500
_WEEK = datetime.timedelta(days=7)


class Site(NamedTuple):
    """What was written, for tests that look for it."""

    models: tuple[SiteModel, ...]
    cards: tuple[Scorecard, ...]
    human: tuple[HumanScorecard, ...]
    unfinished: tuple[str, ...]
    """Submissions that never came to a result: one waits, one is under way, one is judged, two have failed, one was
    stopped, and one is being checked."""
    changed: tuple[SiteModel, ...]


def write_site(
    folder: Path,
    models: int = MODELS,
    *,
    users: int = USERS,
    detailed: int = DETAILED,
    known_order: bool = False,
    newest: datetime.datetime = NEWEST,
    changed: Sequence[SiteModel] = (),
    said: Said = PLAIN,
) -> Site:
    """Writes the stores of a site into a folder, where `Settings(data=folder)` finds them.

    Args:
        folder: Empty, or not there yet.
        models: How many models there are beside references and demo rows.
        users: How many each is asked about, 40 questions each; HiCUPID has 250.
        detailed: Of how many of the newest models there are rows: every question, answer and verdict.
        known_order: Whether places come from the order of Totals; see above.
        newest: When the newest was handed in.
        changed: Models in place of those of the same numbers: for names that no model should have.
        said: What models and judges say in rows.

    Example:
        >>> write_site(Path("data/site"), 300).cards[0].protocol  # doctest: +SKIP
        'official-v1'
    """
    stores = open_stores(Settings(data=folder))
    instead = {model.number: model for model in changed}
    made = tuple(instead.get(number) or site_model(number, models, newest) for number in range(models))
    references = [reference(name, 2**28 + place, quality, newest) for place, (name, quality) in enumerate(REFERENCES)]
    before = [earlier(model) for model in made if model.number % 15 == 7]
    everyone = [*made, *before, *references, *demo_models(made, newest)]
    asked = {split: asked_of(split, users) for split in ("test_1", "test_2")} | {"demo": asked_of_demo()}
    by_part: dict[str, list[SiteModel]] = defaultdict(list)
    for model in everyone:
        by_part[part_of(model.name)].append(model)
    shown = _AsWritten(stores.results, asked, detailed, said, {})
    recent = {model.submission_id for model in made if newest - model.handed_in < _WEEK}
    for some in by_part.values():
        if old := [model for model in some if model.submission_id not in recent]:
            shown.write(old)
    human = [card for model in made if _is_compared(model) for card in human_cards(model)]
    _write_human(stores.results, human)
    waiting = _write_histories(stores, everyone, newest)
    with _ranked_by_order() if known_order else contextlib.nullcontext():
        _release(stores, newest - _WEEK)
        for some in by_part.values():
            if any(model.submission_id in recent for model in some):
                shown.write(some)
        _release(stores, newest)
    cards = sorted(shown.cards.values(), key=lambda card: card.id)
    return Site(made, tuple(cards), tuple(human), waiting, tuple(changed))


class _AsWritten(NamedTuple):
    """Writes what models came to, and remembers it."""

    results: Store
    asked: dict[str, Asked]
    detailed: int
    said: Said
    cards: dict[str, Scorecard]

    def write(self, models: Sequence[SiteModel]) -> None:
        """Writes all of the models of one part, which share files."""
        cards, sums, rows = list[Scorecard](), list[Any](), list[Operation]()
        for model in models:
            for run in runs_of(model):
                asked = self.asked[run.asked]
                found = draw(asked, run.quality, run.seed, run.judging, run.complete)
                added = tally(asked, found, (run.id, model.name, run.protocol))
                card = card_of(model, run, result_of(added))
                cards.append(card)
                sums.append(sums_table(card, added))
                if model.number < self.detailed or run.protocol == PROTOCOL["demo"]:
                    rows += _rows(card, run, asked, found, self.said)
        path, users_path = layout.scorecards_path(models[0].name), layout.user_scores_path(models[0].name)
        whole = [Write(path, CARDS.encode(map(open_card, cards))), Write(users_path, write_table(sums))]
        self.results.commit([*whole, *rows], f"{len(cards)} scorecards")
        self.cards.update({card.id: card for card in cards})


def _release(stores: Stores, at: datetime.datetime) -> None:
    """Describes and ranks what is public by now, as a release does at some moment."""
    release = Release(stores, _NAMES, frozenset(), clock=lambda: at)
    release.describe()
    # Figures of judges come from simulations of the tests, whose types nobody checks.
    import_module("tests.judge_boards").publish_all(stores.results)
    release.rank()


def _rows(card: Scorecard, run: Run, asked: Asked, found: Outcomes, said: Said) -> Iterator[Write]:
    """Yields the files of a run's rows; its answers once, with the first judge."""
    if run.judging == 0:
        yield Write(layout.generations_path(card.model, card.run_id), answers_file(card, asked, found, said))
    yield Write(layout.verdicts_path(card.judge, card.model, card.run_id), verdicts_file(card, asked, found, said))


def _write_human(results: Store, cards: Iterable[HumanScorecard]) -> None:
    """Writes scorecards of human-grounded tasks."""
    parts: dict[str, list[HumanScorecard]] = defaultdict(list)
    for card in cards:
        parts[card.model].append(card)
    files: dict[str, list[HumanScorecard]] = defaultdict(list)
    for model, some in parts.items():
        files[part_of(model)] += some
    writes = []
    for some in files.values():
        figures = [row for card in some for row in open_human_figures(card)]
        writes.append(
            Write(layout.human_scorecards_path(some[0].model), HUMAN_CARDS.encode(map(open_human_scorecard, some)))
        )
        writes.append(Write(layout.human_figures_path(some[0].model), HUMAN_FIGURES.encode(figures)))
    results.commit(writes, "agreement with people")


def _write_histories(stores: Stores, models: Iterable[SiteModel], newest: datetime.datetime) -> tuple[str, ...]:
    """Writes what happened to every submission, into the archive and in public; returns those without a result."""
    waiting = list(unfinished(newest, PROTOCOL["official"]))
    histories = [*histories_of(models, _all_protocols), *waiting]
    for start in range(0, len(histories), _AT_ONCE):
        some = histories[start : start + _AT_ONCE]
        stores.archive.commit([write for each in some for write in journal.files_of(each)], f"{len(some)} submissions")
        requests = [open_request(each) for each in some]
        public = [Write(layout.request_path(each.id), encode_request(each)) for each in requests if each]
        stores.requests.commit(public, f"{len(some)} submissions")
    return tuple(each.submission.id for each in waiting)


def _all_protocols(model: SiteModel) -> tuple[str, ...]:
    """Returns all that a model was run under."""
    return (*protocols_of(model), *(human_protocols() if _is_compared(model) else ()))


def _is_compared(model: SiteModel) -> bool:
    """Says whether a model was run on human-grounded tasks: every third one."""
    return model.number % 3 == 0 and model.number < 2**27 and not model.number >> 31


@contextlib.contextmanager
def _ranked_by_order() -> Iterator[None]:
    """Has places follow from the order of Totals, while it lasts."""
    real = vars(places)["rank_board"]
    setattr(places, "rank_board", _by_order)  # noqa: B010 - mypy lets nobody assign it.
    try:
        yield
    finally:
        setattr(places, "rank_board", real)  # noqa: B010


def _by_order(board: Board) -> list[Rank | None]:
    """Ranks models by their Totals: whoever is better by `MARGIN` is better for sure."""
    totals = linearise(board.totals, board.items, board.weights).value
    ordered = np.sort(totals)
    better = len(totals) - np.searchsorted(ordered, totals + MARGIN, side="right")
    worse = np.searchsorted(ordered, totals - MARGIN, side="left")
    return [Rank(low=1 + int(above), high=len(totals) - int(below)) for above, below in zip(better, worse, strict=True)]


def main() -> None:
    """Writes the stores of a site."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", type=int, default=MODELS)
    parser.add_argument("--users", type=int, default=USERS)
    parser.add_argument("--detailed", type=int, default=DETAILED)
    parser.add_argument("--known-order", action="store_true")
    options = parser.parse_args()
    site = write_site(
        options.folder,
        options.models,
        users=options.users,
        detailed=options.detailed,
        known_order=options.known_order,
    )
    print(f"{len(site.cards)} scorecards, {len(site.human)} of human-grounded tasks")


if __name__ == "__main__":
    main()
