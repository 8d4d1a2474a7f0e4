"""Judge against judge: the Totals of the same answers under two judges."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from evaluator.metrics.agreement import kendall
from evaluator.metrics.clustered import Figure, Method, interval, missing, spread
from evaluator.plurals import several
from evaluator.protocol import is_reference
from leaderboard.board.build import BoardRow
from leaderboard.board.rankings import ranking_of
from leaderboard.pages.figures import bounds, estimate, figure
from leaderboard.pages.model.asked import model_address
from leaderboard.pages.plots.asked import Asked
from leaderboard.pages.plots.plotted import (
    Axis,
    Chart,
    Choice,
    Heading,
    Plotted,
    Row,
    Series,
    count_of,
    ends_of,
    label_of,
)
from leaderboard.results import INCOMPLETE, JudgeStatus

Pair = tuple[BoardRow, BoardRow]
TITLE = "Judge against judge"
_MOST_ALONE, _GROUPS = 300, 60
"""Models up to which each is left out by itself for an interval, and the groups that more of them make."""
_ORDER: Mapping[JudgeStatus, int] = {"official": 0, "candidate": 1, "retired": 2, "demo": 3}
_FIELDS = (
    *("run", "model", "judge_x", "total_x", "total_x_low", "total_x_high"),
    *("judge_y", "total_y", "total_y_low", "total_y_high", "difference"),
)


class _Found(NamedTuple):
    """The runs that two judges have both judged."""

    pairs: tuple[Pair, ...]
    left_out: tuple[tuple[int, str], ...]


def judges_plot(rows: Sequence[BoardRow], asked: Asked) -> Plotted:
    """Draws the Totals of runs under one judge against those under another.

    Args:
        rows: All rows of the board.
        asked: Names protocol and judges; without them the first that have runs in common.
    """
    runs = _runs(rows)
    common = {name: _common(own.values()) for name, own in runs.items()}
    offered = [name for name, pairs in common.items() if pairs]
    if not offered:
        plain = Plotted(
            asked._replace(protocol="", judges=(), page=1), TITLE, _says("one judge", "another"), (), "", (), _FIELDS
        )
        return plain._replace(empty="No model has been judged by two judges yet.")
    notes = []
    protocol = asked.protocol if asked.protocol in offered else offered[0]
    if asked.protocol not in ("", protocol):
        notes.append(f"No model has been judged by two judges under {asked.protocol}.")
    first = _first(common[protocol], rows)
    wanted = _wanted(asked.judges, common[protocol], first)
    if asked.judges and wanted != asked.judges:
        notes.append(f"No model has been judged by both of {' and '.join(asked.judges)} under {protocol}.")
    found = _found(runs[protocol], wanted)
    state = asked._replace(
        protocol="" if protocol == offered[0] else protocol, judges=() if wanted == first else wanted
    )
    return _plotted(state, protocol, wanted, found)._replace(
        notes=tuple(notes), choices=tuple(_choices(offered, protocol, common[protocol], wanted))
    )


def agreement(pairs: Sequence[Pair]) -> tuple[str, str]:
    """Says in how far two judges put the same models in the same order, and by how much one gives more.

    The order is told by Kendall's tau-b of the Totals (`evaluator.metrics.agreement.kendall`); both intervals are over
    models, by the jackknife of `evaluator.metrics.clustered`. More than some hundred models are left out in groups.
    """
    x, y = (np.array([pair[side].total.value for pair in pairs], dtype=np.float64) for side in (0, 1))
    models = {name: place for place, name in enumerate(sorted({pair[0].model for pair in pairs}))}
    groups = len(models) if len(models) <= _MOST_ALONE else _GROUPS
    clusters = [models[pair[0].model] % groups for pair in pairs]
    tau = _told(lambda left: kendall(x[left], y[left]), clusters, 2, "")
    apart = _told(lambda left: float((y[left] - x[left]).mean()) if len(left) else None, clusters, 1, "+")
    return tau, apart


def _told(value: Figure, clusters: Sequence[int], digits: int, sign: str) -> str:
    """Writes a figure with its interval, or why there is none."""
    found = spread(value, clusters)
    why, within = missing(found, Method.STUDENT), interval(found, Method.STUDENT)
    if not np.isfinite(found.value):
        return "– (fewer than two different Totals)"
    number = _signed(float(found.value), digits, sign)
    if within is None:
        reason = "fewer than 10 models" if why and "users" in why.value else "nothing varies between models"
        return f"{number} (no interval: {reason})"
    low, high = (max(-1.0, within.low), min(1.0, within.high)) if digits > 1 else (within.low, within.high)
    return f"{number} ({_signed(low, digits, sign)} to {_signed(high, digits, sign)})"


def _signed(value: float, digits: int, sign: str) -> str:
    """Writes a number; what is rounded to nothing has no minus.

    Example:
        >>> _signed(-0.04, 1, "+"), _signed(0.912, 2, "")
        ('+0.0', '0.91')
    """
    return f"{round(value, digits) + 0.0:{sign}.{digits}f}"


def _runs(rows: Sequence[BoardRow]) -> dict[str, dict[str, dict[str, BoardRow]]]:
    """Returns rows of models by protocol, run and judge."""
    found: dict[str, dict[str, dict[str, BoardRow]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        if not is_reference(row.model) and row.total.value is not None:
            found[row.protocol][row.run_id][row.judge] = row
    return found


def _common(runs: Iterable[Mapping[str, BoardRow]]) -> Counter[tuple[str, str]]:
    """Counts the runs that two judges have in common, by their names in order."""
    found: Counter[tuple[str, str]] = Counter()
    for by_judge in runs:
        if len(by_judge) > 1:
            found.update(combinations(sorted(by_judge), 2))
    return found


def _first(common: Counter[tuple[str, str]], rows: Sequence[BoardRow]) -> tuple[str, str]:
    """Returns the two judges that are drawn unasked: those that decide ranks first, then those with most in common."""
    standing: dict[str, int] = {}
    for row in rows:
        standing[row.judge] = min(standing.get(row.judge, 9), _ORDER[row.judge_status])
    pair = min(common, key=lambda pair: (min(standing[name] for name in pair), -common[pair], pair))
    one, other = sorted(pair, key=lambda name: (standing[name], name))
    return one, other


def _wanted(asked: tuple[str, ...], common: Counter[tuple[str, str]], first: tuple[str, str]) -> tuple[str, str]:
    """Returns the two judges that are asked for; the first ones if they have nothing in common."""
    if len(asked) == 2 and tuple(sorted(asked)) in common:
        return asked[0], asked[1]
    return first


def _found(runs: Mapping[str, Mapping[str, BoardRow]], judges: tuple[str, str]) -> _Found:
    """Returns the runs of both judges, of one version of each: that which most runs have."""
    every = [(own[judges[0]], own[judges[1]]) for own in runs.values() if judges[0] in own and judges[1] in own]
    whole = [pair for pair in every if not any(INCOMPLETE in row.unranked_because for row in pair)]
    versions = Counter((ranking_of(one), ranking_of(other)) for one, other in whole)
    most = max(versions, key=lambda version: (versions[version], version), default=None)
    kept = [pair for pair in whole if (ranking_of(pair[0]), ranking_of(pair[1])) == most]
    alone = sum((judges[0] in own) != (judges[1] in own) for own in runs.values())
    kept.sort(key=lambda pair: (-(pair[0].total.value or 0.0), pair[0].run_id))
    left_out = (
        (alone, "judged by one of the two alone"),
        (len(every) - len(whole), "incomplete"),
        (len(whole) - len(kept), "under another version of a judge, its prompts or the data"),
    )
    return _Found(tuple(kept), left_out)


def _plotted(asked: Asked, protocol: str, judges: tuple[str, str], found: _Found) -> Plotted:
    """Lays two judges out."""
    headings = (
        Heading("Total", f"{judges[0]}, points of 87.5, 95 %"),
        Heading("Total", f"{judges[1]}, points of 87.5, 95 %"),
        Heading("Difference", "second less first, points"),
    )
    counted = count_of(len(found.pairs), "run", found.left_out)
    plain = Plotted(asked, TITLE, _says(*judges), (), counted, headings, _FIELDS)
    if not found.pairs:
        return plain._replace(empty="No model has been judged in full by both judges.")
    tau, apart = agreement(found.pairs)
    models = several(len({pair[0].model for pair in found.pairs}), "model")
    return plain._replace(
        found=(
            f"{several(len(found.pairs), 'run')} of {models} under {protocol}.",
            f"Do they put models in the same order? Kendall's tau-b {tau}; 1 is the same order, 0 none.",
            f"Does one give more? {judges[1]} less {judges[0]}: {apart} points on average.",
            "Intervals at 95 %, over models. The difference of a single model has none: see its two Totals.",
        ),
        rows=tuple(_row(*pair) for pair in found.pairs),
        chart=_chart(found.pairs, judges),
    )


def _says(one: str, other: str) -> str:
    """Says what is drawn."""
    return (
        f"Each mark is one run, and both judges read the same answers: to the right its Total under {one}, upwards "
        f"under {other}. On the dashed diagonal both give the same; above it {other} gives more."
    )


def _choices(
    offered: Sequence[str], protocol: str, common: Counter[tuple[str, str]], judges: tuple[str, str]
) -> Iterator[Choice]:
    """Yields what can be chosen, where there is a choice."""
    if len(offered) > 1:
        places = enumerate(offered)
        yield Choice(
            "protocol", "Protocol", tuple((name if place else "", name, name == protocol) for place, name in places)
        )
    both = [two for one, other in common for two in ((one, other), (other, one))]
    options = tuple(
        (",".join(two), f"{two[0]} across, {two[1]} up ({common[_sorted(two)]:,})", two == judges)
        for two in sorted(both, key=lambda two: (-common[_sorted(two)], two))
    )
    yield Choice("judges", "Judges", options)


def _sorted(two: tuple[str, str]) -> tuple[str, str]:
    """Returns two names in order."""
    return min(two), max(two)


def _row(one: BoardRow, other: BoardRow) -> Row:
    """Lays one run out."""
    x, y = one.total, other.total
    apart = None if x.value is None or y.value is None else round(y.value - x.value, 6)
    return Row(
        one.model if one.adapter is None else f"{one.model} with {one.adapter}",
        model_address(one.scorecard_id),
        (estimate(x.value, x.interval), estimate(y.value, y.interval), "–" if apart is None else f"{apart:+.1f}"),
        (
            *(one.run_id, one.model, one.judge, x.value, *(ends_of(x.interval) or (None, None))),
            *(other.judge, y.value, *(ends_of(y.interval) or (None, None)), apart),
        ),
    )


def _chart(pairs: Sequence[Pair], judges: tuple[str, str]) -> Chart:
    """Draws runs and the diagonal."""
    values = [row.total.value or 0.0 for pair in pairs for row in pair]
    values += [end for pair in pairs for row in pair for end in ends_of(row.total.interval) or ()]
    low, high = max(0.0, min(values) - 2), min(87.5, max(values) + 2)
    few = len(pairs) <= _MOST_ALONE
    texts = [
        f"{label_of(one.model)}\n{label_of(judges[0])}: {figure(one.total.value)}, {bounds(one.total.interval)}\n"
        f"{label_of(judges[1])}: {figure(other.total.value)}, {bounds(other.total.interval)}"
        for one, other in pairs
    ]
    marks = Series(
        *("Run", "accent", "circle-open"),
        [one.total.value for one, _ in pairs],
        [other.total.value for _, other in pairs],
        texts,
        x_ends=[ends_of(one.total.interval) for one, _ in pairs] if few else (),
        y_ends=[ends_of(other.total.interval) for _, other in pairs] if few else (),
    )
    same = Series("The same under both", "soft", "", [low, high], [low, high], line="dash")
    x, y = (Axis(f"Total under {label_of(judge)}, points", low, high) for judge in judges)
    return Chart(x, y, (same, marks))
