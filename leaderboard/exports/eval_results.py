"""A scorecard as `.eval_results/*.yaml`, which a model's owner may put into its repository on the Hub.

The file is offered for download and never written to anybody's repository. Its form is that of `EvalResultEntry` of
huggingface_hub, described at https://huggingface.co/docs/hub/eval-results.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml
from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

from evaluator.errors import Cause, RapportError
from evaluator.results import Rate, Total
from leaderboard.exports.entry import Edition, Entry, hub_data_set, is_on_the_hub
from leaderboard.exports.words import conditions, interval_words, standing, worst_case_words
from leaderboard.results import Provenance


def why_not_offered(of: Provenance) -> str:
    """Says why there is no such file of a result; empty where there may be one.

    Args:
        of: The result's row or scorecard.
    """
    if not is_on_the_hub(of.model):
        return f"{of.model} has no repository on the Hub that such a file could stand in."
    if hub_data_set(of) is None:
        return f"The questions come from {of.data_source}, which is no data set on the Hub that such a file could name."
    return ""


def encode_eval_results(entry: Entry, edition: Edition) -> bytes:
    """Returns the file: an entry for the Total and for each type of question, as far as there is a value.

    Raises:
        RapportError: `not_found` if model or data set are not on the Hub, or nothing has a value.
    """
    reason = why_not_offered(entry.card)
    entries = [] if reason else list(_entries(entry, edition))
    if not entries:
        raise RapportError(
            Cause.NOT_FOUND,
            f"There is no .eval_results file of this scorecard: {reason or 'no figure of it has a value.'}",
            "Take the scorecard as JSON instead.",
        )
    return yaml.safe_dump(
        eval_result_entries_to_yaml(entries), sort_keys=False, allow_unicode=True, width=1000
    ).encode()


def _entries(entry: Entry, edition: Edition) -> Iterator[EvalResultEntry]:
    """Yields an entry for each figure that has a value; what is missing is left out, never 0."""
    card = entry.card
    result, page = card.result, edition.page_of(card.submission_id)
    figures: dict[str, Total | Rate] = {
        "total": result.total,
        "persona": result.persona.score,
        "profile": result.profile.score,
        "schedule": result.schedule,
    }
    for name, figure in figures.items():
        if figure.value is not None:
            yield EvalResultEntry(
                dataset_id=str(hub_data_set(card)),
                dataset_revision=card.data_sha,
                task_id=f"{card.protocol}_{card.judge}_{name}",
                value=figure.value,
                date=card.created_at.isoformat(),
                source_url=page,
                source_name="Rapport" if page else None,
                notes=_notes(entry, figure),
            )


def _notes(entry: Entry, figure: Total | Rate) -> str:
    """Says what a reader needs to weigh a figure."""
    return "; ".join(
        [
            "points, 0 to 87.5" if isinstance(figure, Total) else "percent",
            interval_words(figure.interval),
            f"{figure.judged} of {figure.items} items judged",
            *([worst_case_words(figure)] if isinstance(figure, Total) else []),
            *conditions(entry),
            standing(entry),
        ]
    )
