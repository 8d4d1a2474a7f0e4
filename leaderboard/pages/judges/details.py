"""All that is known of one version of a judge, as tables and lists: every figure with its interval and its count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from evaluator.human.results import NamedFigure
from evaluator.judges.quality.records import (
    Agreement,
    Compared,
    HumanSetAgreement,
    JudgeQuality,
    LengthPreference,
    PeopleAgreement,
    PeoplePart,
    Slice,
)
from evaluator.metrics.alternative_annotator import AlternativeAnnotatorTest
from evaluator.plurals import several
from leaderboard.board.human_words import called, parts, says
from leaderboard.open_data.human_figures import listed_under
from leaderboard.open_data.judges import OpenJudge
from leaderboard.pages.figures import counts
from leaderboard.pages.judges.rows import ShownJudge
from leaderboard.pages.judges.words import (
    ASKED,
    OVERLAP,
    SLICES,
    WHOSE,
    Shown,
    amount,
    kappa,
    percent,
    ratio,
    shown,
    shown_named,
    signed,
)

_COMPARED: tuple[tuple[str, str, Callable[[PeoplePart], Compared]], ...] = (
    ("Kappa with the majority of the others", "labels", lambda part: part.kappa),
    ("Kappa with single annotators", "pairs of labels", lambda part: part.single_kappa),
    ("The same of two classes, what wins or is satisfied and all else", "pairs of labels", lambda part: part.win_kappa),
    ("F1 of what wins or is satisfied", "labels", lambda part: part.f1),
    ("Mean absolute error of the score; less is better", "labels", lambda part: part.mean_absolute_error),
)
_ORDERS = {
    "both": "both slot orders",
    "answer_first": "the answer first",
    "gold_first": "gold first",
    "drawn": "one slot order, drawn for each pair",
    "single": "nothing beside it",
}


class FigureTable(NamedTuple):
    """Figures in rows and columns."""

    caption: str
    heading: str
    """What its rows are."""
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Shown | None, ...]], ...]
    """Heading of each row, and a figure for each column; None where there can be none."""
    note: str = ""


def agreement_tables(quality: JudgeQuality) -> list[FigureTable]:
    """Lists how far a judge agrees with each other judge, slice by slice."""
    return [_slices(f"With the judge {each.other}", each) for each in quality.agreement]


def people_tables(quality: JudgeQuality) -> list[FigureTable]:
    """Lists how far a judge agrees with each source of people's labels, and what annotators reach."""
    found: list[FigureTable] = []
    for people in quality.people:
        found += [_part(people, part) for part in people.parts]
        found.append(_majority(people))
    return found + [_human_set(each) for each in quality.human_sets]


def length_table(length: LengthPreference) -> FigureTable:
    """Lists how far a judge leans to longer answers beside other raters, on what both judged."""
    rows = tuple(
        (
            each.rater,
            (
                shown(each.own, ratio, "votes"),
                shown(each.other, ratio, "votes"),
                shown(each.ratio, ratio, "votes"),
            ),
        )
        for each in length.beside
    )
    columns = ("This judge's odds ratio", "The other's", "The first over the second")
    note = "On the answers that both judged. Above 1 in the last column, this judge leans more to the longer answer."
    return FigureTable("Leaning to longer answers, beside other raters", "Rater", columns, rows, note)


def figure_facts(view: ShownJudge) -> list[tuple[str, str]]:
    """Lists the figures of a judge that are not about another rater."""
    quality = view.row.quality
    if quality is None:
        return []
    of_pairs = _of_pairs(quality) if view.row.judge.kind == "pairwise" else ()
    return [*_of_answers(quality), *of_pairs, *_of_costs(quality)]


def configuration_facts(judge: OpenJudge) -> list[tuple[str, str]]:
    """Lists what a judge is by now: all that decides its verdicts, and what is said of its training."""
    engines = {"own": "loaded by the worker", "server": "an OpenAI-compatible server", None: "not told"}
    patterns = {
        "pairs": judge.pairwise_pattern,
        "schedule questions": judge.schedule_pattern,
        "words": judge.word_pattern,
    }
    forced = "; ".join(f"{name}: {pattern}" for name, pattern in patterns.items() if pattern is not None)
    tokens = "all tokens" if judge.top_k < 0 else f"the likeliest {several(judge.top_k, 'token')}"
    drawn = f"temperature {judge.temperature:g}, from {tokens}, top-p {judge.top_p:g}"
    return [
        ("What it is asked", ASKED.get(judge.kind, judge.kind)),
        ("Model", f"{judge.model} at {judge.revision or 'the commit that each run pins and every verdict names'}"),
        ("Licence of the model", judge.licence),
        ("Engine", engines[judge.engine]),
        ("Asked with", _ORDERS[judge.orders] if judge.orders else "not told"),
        ("Decoding", f"{drawn}, at most {judge.max_tokens:,} tokens, seed {judge.seed}"),
        ("Second try of a verdict that cannot be read", f"drawn at temperature {judge.retry_temperature:g}"),
        ("Form that its words are forced into", forced or "none: it writes freely"),
        ("Prompt pack", judge.prompt_pack),
        ("Read by", judge.parser or "not told"),
        ("Family", judge.family or "not told"),
        ("Trained on question types", _listed(judge.trained_types)),
        ("Trained on answers by", _listed(judge.trained_models)),
        ("Of its training", judge.training_note or "nothing more is known"),
        ("Configuration", judge.judge_config),
    ]


def version_facts(view: ShownJudge) -> list[tuple[str, str]]:
    """Lists what tells a version from others."""
    version, quality = view.row.version, view.row.quality
    if version is None:
        return []
    facts = [("Commit of its model", version[0]), ("Configuration", version[1]), ("Prompts", version[2])]
    if quality is not None:
        made = f"{several(quality.answers, 'answer')} of {several(quality.models, 'model')}"
        facts.append(("Figures rest on", f"{made}, {several(quality.users, 'user')}"))
    if view.row.computed_at is not None:
        facts.append(("Worked out", f"{view.row.computed_at:%Y-%m-%d %H:%M} UTC"))
    return facts


def _of_answers(quality: JudgeQuality) -> Iterator[tuple[str, str]]:
    """Yields how much of what it said could be read."""
    reading = quality.reading
    yield "Verdicts", f"owed {reading.owed:,}, asked for {reading.asked:,}, read {reading.read:,}"
    yield "Verdicts that could not be read", shown(reading.unparsed, percent, "verdicts").in_full
    yield "Verdicts missing for any cause", shown(reading.missing, percent, "verdicts").in_full
    yield "Missing because", counts(reading.missing_because) or "none is missing"


def _of_pairs(quality: JudgeQuality) -> Iterator[tuple[str, str]]:
    """Yields where a judge leans that compares two answers."""
    length, family = quality.length, quality.family_preference
    yield "Same outcome in both slot orders", shown(quality.positions.consistency, percent, "pairs").in_full
    yield "Slot A, where it preferred either", shown(quality.positions.slot_a, percent, "words").in_full
    yield "Odds ratio of longer answers", shown(length.odds_ratio, ratio, "votes").in_full
    yield (
        "Its votes",
        f"longer answers won {length.longer_wins:,} and lost {length.longer_loses:,}, shorter ones won "
        f"{length.shorter_wins:,} and lost {length.shorter_loses:,}, in {several(length.groups, 'group')}",
    )
    yield (
        "Votes left out",
        f"{length.ties:,} ties, {length.same_length:,} of equal length, {length.unknown_length:,} of unknown length, "
        f"{length.uninformative:,} in groups where all are on one side",
    )
    yield "Kinder to its own family", shown(family.difference, signed, "answers").in_full
    held = ", ".join(family.against) or "no judge of another family"
    yield "Family, and judges that it is held against", f"{family.family or 'not told'}; {held}"
    yield (
        "Mean scores",
        f"its own {kappa(family.own_family)} of the family and {kappa(family.own_rest)} of others, the other judges' "
        f"{kappa(family.others_family)} and {kappa(family.others_rest)}",
    )
    yield (
        "Models, and answers left out",
        f"{several(family.models_family, 'model')} of the family, {family.models_rest:,} others; "
        f"{family.unknown_family:,} answers of unknown family, {family.not_shared:,} that no other judge judged",
    )


def _of_costs(quality: JudgeQuality) -> Iterator[tuple[str, str]]:
    """Yields what a verdict takes."""
    costs = quality.costs
    yield "Verdicts and attempts", f"{costs.verdicts:,} verdicts in {costs.rows:,} attempts"
    yield "Tokens read for a verdict", shown(costs.prompt_tokens, amount, "verdicts").in_full
    yield "Of these, not from a cache", shown(costs.computed_tokens, amount, "verdicts").in_full
    yield "Tokens written for a verdict", shown(costs.output_tokens, amount, "verdicts").in_full
    seconds = shown(costs.seconds, amount, "verdicts")
    yield "Seconds for a verdict", seconds.in_full + (f"; {OVERLAP}" if seconds.value is not None else "")


def _slices(caption: str, agreement: Agreement, note: str = "") -> FigureTable:
    """Lists how far two raters agree, slice by slice; slices of which nothing is known are named below."""
    rows: list[tuple[str, tuple[Shown | None, ...]]] = []
    unknown: dict[str, list[str]] = {}
    for each in agreement.slices:
        figures = (
            shown(each.same, percent, "answers"),
            shown(each.kappa, kappa, "answers"),
            shown(each.kappa_quadratic, kappa, "answers"),
            shown(each.bias, signed, "answers"),
        )
        if all(figure.value is None for figure in figures) and each.slice is not Slice.ALL:
            first = figures[0]
            unknown.setdefault(f"{first.doubt}, {first.of}", []).append(SLICES[each.slice])
        else:
            rows.append((SLICES[each.slice], figures))
    columns = ("Same outcome", "Kappa", "Kappa, quadratic weights", "Kinder than the other")
    missing = [f"Nothing on {', '.join(names)} ({why})." for why, names in unknown.items()]
    conflicting = f"{several(agreement.conflicting, 'answer')} left out with two different outcomes of one rater."
    return FigureTable(caption, "Answers", columns, tuple(rows), " ".join(filter(None, [*missing, conflicting, note])))


def _majority(people: PeopleAgreement) -> FigureTable:
    """Lists how far a judge agrees with what most annotators say."""
    note = f"{people.tied:,} left out since their labels are tied, {people.unjudged:,} not judged in full."
    caption = f"With what most annotators of {people.source} say; labels by {WHOSE[people.kind]}"
    return _slices(caption, people.majority, note)


def _part(people: PeopleAgreement, part: PeoplePart) -> FigureTable:
    """Lists a judge among annotators."""
    names = parts(people.kind)
    rows: list[tuple[str, tuple[Shown | None, ...]]] = []
    for name, unit, of in _COMPARED:
        told = of(part)
        among = (told.judge, told.one_more_human, told.noise_ceiling)
        rows.append((name, tuple(shown(figure, kappa, unit) for figure in among)))
    rows.append(("Kinder than the mean of the others", (shown(part.bias, signed, "labels"), None, None)))
    advantage = shown(part.advantage_probability, percent, "labels")
    rows.append(("Agrees with the others at least as well as an annotator", (advantage, None, None)))
    labelled = f"{several(part.labels, 'label')} of {several(part.items, 'answer')}"
    return FigureTable(
        f"Among the annotators of {people.source}, {part.questions}; labels by {WHOSE[people.kind]}",
        "Figure",
        ("This judge", names["one_more_human"].capitalize(), names["noise_ceiling"].capitalize()),
        tuple(rows),
        f"{labelled}, {several(part.annotators, 'annotator')}. {_tested(part.test)}",
    )


def _tested(test: AlternativeAnnotatorTest) -> str:
    """Says what the alternative annotator test came to."""
    if test.winning_rate is None or test.passes is None:
        return f"The alternative annotator test was not made: {test.reason or 'nobody says why'}."
    says_so = "passes" if test.passes else "does not pass"
    beaten = f"it wins against {percent(test.winning_rate)} of {several(test.tested, 'annotator')}"
    return f"It {says_so} the alternative annotator test: {beaten}, once {test.epsilon:g} is granted to it."


def _human_set(found: HumanSetAgreement) -> FigureTable:
    """Lists how far a judge agrees with a data set of people's labels."""
    stage = listed_under(found.task)

    def row(figure: NamedFigure) -> tuple[str, tuple[Shown | None, ...]]:
        told = says(stage, figure.name, found.kind)
        name = called(figure.name, found.kind).replace("_", " ")
        return (f"{name}: {told}" if told else name), (shown_named(figure),)

    return FigureTable(
        f"{found.task} on {found.source}; labels by {WHOSE[found.kind]}",
        "Figure",
        ("This judge",),
        tuple(map(row, found.figures)),
        f"{found.answered:,} of {several(found.items, 'item')} answered, {several(found.annotators, 'annotator')}.",
    )


def _listed(names: tuple[str, ...] | None) -> str:
    """Lists names; that nobody tells them is said."""
    return "not told" if names is None else ", ".join(names) or "none"
