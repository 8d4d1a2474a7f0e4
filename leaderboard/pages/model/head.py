"""What stands at the head of a model's page: what the model is, how it ranks, and under which conditions it ran."""

from __future__ import annotations

from evaluator.plurals import several
from evaluator.protocol import is_reference
from leaderboard.board.build import BoardRow
from leaderboard.pages.facts import context_in_words, size_in_words
from leaderboard.pages.figures import estimate, interval, judged, share
from leaderboard.results import model_family

_UNKNOWN = "not told"
_TRAINED = {
    "train": "its training split",
    "test": "its test splits",
    "neither": "neither training nor test splits",
    "unknown": "the submitter does not know",
}


def facts_of(row: BoardRow) -> list[tuple[str, str]]:
    """Lists what is known of a model; what is not known is said."""
    if is_reference(row.model):
        return [("Kind", "a reference, which no model gave: it tells what the scale means")]
    known, said = row.facts, row.declaration
    weights = known.weight_bytes if known else None
    return [
        ("Size", f"{size_in_words(known.parameters)} parameters" if known and known.parameters else _UNKNOWN),
        ("Weights", f"{weights / 1e9:.2f} GB" if weights is not None else _UNKNOWN),
        ("Quantisation", (known and known.quantisation) or ("none" if known else _UNKNOWN)),
        ("Licence", (known and known.licence) or _UNKNOWN),
        ("Context", context_in_words(known.context_length) if known and known.context_length else _UNKNOWN),
        ("Architecture", (known and known.architecture) or _UNKNOWN),
        ("Family", model_family(row) or _UNKNOWN),
        ("Base model, as declared", said.base_model or "none declared"),
        ("Trained on HiCUPID, as declared", _TRAINED.get(said.training_data, said.training_data)),
        ("Thinks before it answers", "yes" if said.thinking else "no"),
    ]


def rank_sentence(row: BoardRow) -> str:
    """Says in a sentence what a rank means, with the ranks that the data leave open; or why there is none."""
    if row.rank is not None and row.rank_interval is not None:
        return f"Rank {_ranked(row.rank, row.rank_interval)}"
    if is_reference(row.model):
        return "A reference has no rank."
    if not row.unranked_because:
        return "Its rank is being worked out."
    reasons = f"It does not rank: {', '.join(row.unranked_because)}."
    if row.rank_under_judge is None or row.rank_under_judge_interval is None:
        return reasons
    return f"{reasons} Under this judge alone: rank {_ranked(row.rank_under_judge, row.rank_under_judge_interval)}"


def total_sentence(row: BoardRow) -> str:
    """Says a Total with its interval and its counts."""
    total = row.total
    doubt = interval(total.interval, row.users)
    if total.value is None:
        return f"Total –: missing, since not every type of question has a judged item; {judged(total)}."
    within = f"95 % interval {doubt}" if total.interval else doubt
    coverage = f"{judged(total)} items ({share(total.judged, total.items)}) of {several(row.users, 'user')}"
    return f"Total {total.value:.1f} of 87.5 points, {within}; {coverage}."


def total_of(row: BoardRow) -> str:
    """Writes a Total in a table."""
    return estimate(row.total.value, row.total.interval)


def _ranked(rank: int, ends: tuple[int, int]) -> str:
    """Writes a rank, what it means, and its ends.

    Example:
        >>> _ranked(3, (2, 4)), _ranked(1, (1, 1)), _ranked(2, (2, 2))[:16]
        ('3, between 2 and 4: 2 models are significantly better.', '1: no model is significantly better.', \
'2: 1 model is si')
    """
    low, high = ends
    between = f", between {low} and {high}" if low != high else ""
    better = {1: "no model is", 2: "1 model is"}.get(rank, f"{several(rank - 1, 'model')} are")
    return f"{rank}{between}: {better} significantly better."
