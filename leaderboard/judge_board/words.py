"""The board of judges as text for a terminal: every figure with its interval, and what it is made of."""

from __future__ import annotations

from collections.abc import Iterator

from evaluator.human.figures import NOISE_CEILING, ONE_MORE_HUMAN
from evaluator.human.records import RaterKind
from evaluator.human.results import NamedFigure
from evaluator.judges.quality.headline import Headline, headline_of_set, headlines_of
from evaluator.judges.quality.records import JudgeQuality, QualityFigure, Slice, SliceAgreement
from evaluator.plurals import several
from leaderboard.board.human_words import parts
from leaderboard.judge_board.computing import Board
from leaderboard.judge_board.people import Heard

_NOT_BESIDE = "nothing beside it: no two annotators labelled the same answer"


def board_lines(board: Board) -> Iterator[str]:
    """Yields the lines of a board.

    Example:
        >>> next(board_lines(Board((), (), ())))
        'There is no verdict on a published run.'
    """
    if not board.qualities:
        yield "There is no verdict on a published run."
    for computed in board.qualities:
        quality = computed.quality
        yield f"{quality.judge} at {quality.revision[:12]}, configuration {quality.config[:12]}, {quality.prompt_pack}"
        models, users = several(quality.models, "model"), several(quality.users, "user")
        yield f"  {several(quality.answers, 'answer')} of {models}, {users}, {several(computed.runs, 'run')}"
        yield from (f"  {line}" for line in _figures(quality))
        yield from (f"  {line}" for line in _others(quality))
        yield ""
    yield from map(_source, board.people)
    if board.left_out:
        yield f"{several(len(board.left_out), 'thing')} could not be read, and stands in no figure."


def _figures(quality: JudgeQuality) -> Iterator[str]:
    """Yields its own figures."""
    named = {
        "unparsed": quality.reading.unparsed,
        "same in both orders": quality.positions.consistency,
        "slot A": quality.positions.slot_a,
        "longer answers (odds ratio)": quality.length.odds_ratio,
        "own family": quality.family_preference.difference,
        "tokens read": quality.costs.prompt_tokens,
        "tokens written": quality.costs.output_tokens,
        "seconds": quality.costs.seconds,
    }
    for name, figure in named.items():
        yield f"{name:<30}{_said(figure)}"


def _others(quality: JudgeQuality) -> Iterator[str]:
    """Yields its agreement with other judges and people."""
    for agreement in quality.agreement:
        yield f"{'with ' + agreement.other:<30}{_agreed(agreement.slices)}"
    for people in quality.people:
        name = f"with {people.source} ({people.kind})"
        yield f"{name:<30}{_agreed(people.majority.slices)}, {people.tied:,} tied, {people.unjudged:,} not judged"
        yield from (_headline(headline, people.kind) for headline in headlines_of(people))
    for each in quality.human_sets:
        yield f"{'on ' + each.source:<30}{each.task}, {each.answered:,} of {each.items:,} items ({each.kind})"
        if (told := headline_of_set(each)) is not None:
            yield _headline(told, each.kind)


def _headline(told: Headline[QualityFigure] | Headline[NamedFigure], kind: RaterKind) -> str:
    """Writes the figure that stands for agreement, and what it is to be read beside."""
    names = parts(kind)
    beside = ((names[ONE_MORE_HUMAN], told.one_more_human), (names[NOISE_CEILING], told.noise_ceiling))
    others = [f"{name} {_said(figure)}" for name, figure in beside if figure is not None]
    return f"  {told.about}: " + "; ".join([f"{told.name} {_said(told.judge)}", *(others or [_NOT_BESIDE])])


def _agreed(slices: tuple[SliceAgreement, ...]) -> str:
    """Writes the agreement on all answers."""
    every = next((each for each in slices if each.slice is Slice.ALL), None)
    return "-" if every is None else f"same {_said(every.same)}; kappa {_said(every.kappa)}"


def _said(figure: QualityFigure | NamedFigure) -> str:
    """Writes a figure with its interval or the reason why it has none, and what it is made of."""
    if isinstance(figure, QualityFigure):
        counted = f"{figure.counted:,} of {figure.possible:,}"
    else:
        counted = several(figure.labels, "label")
    if figure.value is None:
        return f"- ({figure.reason}; {counted})"
    interval = figure.interval
    spread = f"{interval.low:.3f} to {interval.high:.3f}" if interval else f"no interval: {figure.reason}"
    return f"{figure.value:.3f} ({spread}; {counted})"


def _source(heard: Heard) -> str:
    """Says whose labels counted, and how many did not."""
    return (
        f"{heard.said.source}: {len(heard.said.labels):,} labels count, {heard.left_out:,} are on no answer of a "
        f"published run, {heard.conflicting:,} contradict each other"
    )
