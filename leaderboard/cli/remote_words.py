"""Answers of a site, written for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from evaluator.human.figures import NOISE_CEILING, SHOWN_CEILING
from evaluator.human.records import RaterKind
from evaluator.human.tasks import Task
from leaderboard.api.records import AgreementRow, Comparison, Happened, Logs, Row, Run, Submission
from leaderboard.board.human import MAIN
from leaderboard.board.human_words import judges_own, number, parts
from leaderboard.cli.remote_errors import shown
from leaderboard.pages.times import progress_of
from leaderboard.records import State
from leaderboard.submissions.views import Progress, RunView


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Writes a table in columns as wide as what stands in them, the last one ragged.

    Example:
        >>> print(table(("rank", "model"), [("1", "org/a"), ("2", "org/long-name")]))
        rank  model
        1     org/a
        2     org/long-name
    """
    cells = [tuple(map(shown, row)) for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)


def board_lines(rows: Sequence[Row]) -> str:
    """Writes the board."""
    head = ("rank", "Total", "95 %", "users", "model", "protocol", "judge", "run", "unranked because")
    return table(head, [_board_line(row) for row in rows])


def _board_line(row: Row) -> tuple[str, ...]:
    low, high = row["total_low"], row["total_high"]
    model = row["model"] if row["adapter"] is None else f"{row['model']} + {row['adapter']}"
    return (
        "–" if row["rank"] is None else str(row["rank"]),
        "–" if row["total"] is None else f"{row['total']:.1f}",
        "–" if low is None or high is None else f"{low:.1f}–{high:.1f}",
        f"{row['users']:,}",
        model,
        row["protocol"],
        row["judge"],
        row["run_id"],
        ", ".join(row["unranked_because"]),
    )


def agreement_lines(rows: Sequence[AgreementRow]) -> str:
    """Writes how far models agree with people: a line for each main figure, with what stands beside it."""
    head = ("model", "protocol", "labels", "figure", "value", "95 %", "beside it", "answered", "not compared because")
    return table(head, [line for row in rows for line in _agreement_lines(row)])


def _agreement_lines(row: AgreementRow) -> Iterator[tuple[str, ...]]:
    figures = {figure["name"]: figure for figure in row["figures"]}
    model = row["model"] if row["adapter"] is None else f"{row['model']} + {row['adapter']}"
    for name in (name for task, names in MAIN.items() if task == row["task"] for name in names if name in figures):
        figure = figures[name]
        low, high = figure["low"], figure["high"]
        yield (
            model,
            row["protocol"],
            row["label_kind"],
            name,
            number(figure["value"]),
            f"{low:.3f}–{high:.3f}" if low is not None and high is not None else f"none: {figure['why_no_interval']}",
            ", ".join(_beside(row, name)),
            f"{row['answered']:,} of {row['items']:,}",
            ", ".join(row["unranked_because"]),
        )


def _beside(row: AgreementRow, name: str) -> Iterator[str]:
    """Yields what stands beside a figure: one more human, the noise ceiling, the trivial baselines, the judge's own."""
    kind, figures = RaterKind(row["label_kind"]), {figure["name"]: figure for figure in row["figures"]}
    for part, told in parts(kind).items():
        whole = f"{name}.{part}"
        # Against majorities of three the ceiling is 1 whatever they say; see the board's page.
        trivial = part == NOISE_CEILING and row["task"] != Task.RATING and whole != SHOWN_CEILING
        if whole in figures and not trivial:
            yield f"{told} {number(figures[whole]['value'])}"
    own = {figure["name"]: figure["value"] for figure in row["judge_figures"]}
    task = next(task for task in MAIN if task == row["task"])
    for told, figure in judges_own(task, kind, name):
        yield f"{told} {number(own.get(figure))}"


def comparison_lines(found: Comparison) -> str:
    """Writes a comparison: both results, and the difference in words."""
    sides = [
        (side["model"], side["run_id"], "–" if side["total"] is None else f"{side['total']:.1f}")
        for side in (found["first"], found["second"])
    ]
    return f"{table(('model', 'run', 'Total'), sides)}\n{shown(found['sentence'])}"


def status_lines(found: Submission) -> Iterator[str]:
    """Yields where a submission is, how far, and what to do if it failed."""
    yield heading(found)
    for run in found["runs"]:
        for line in _run_lines(run):
            yield shown(line)


def heading(found: Submission) -> str:
    """Writes a submission's id and state."""
    return f"{shown(found['submission_id'])} {shown(found['state'])}"


def _run_lines(run: Run) -> Iterator[str]:
    yield f"{run['protocol']} {run['state']}: {_progress(run)}".removesuffix(": ")
    for sentence in run["outlook"]["sentences"] if run["outlook"] else ():
        yield f"  {sentence}"
    failure = run["failure"]
    if failure:
        yield f"  {failure['cause']}: {failure['message']} {failure['remedy']}"
    for line in failure["log"] if failure else run["log"]:
        yield f"  | {line}"


def moving(found: Submission) -> str:
    """Writes how far a submission is in one line, for whoever waits for it."""
    parts = (f"{run['protocol']} {run['state']}: {_progress(run)}".removesuffix(": ") for run in found["runs"])
    return shown("; ".join(parts))


def _progress(run: Run) -> str:
    return progress_of(RunView(run["run_id"], cast(State, run["state"]), Progress(**run["progress"]), ()))


def log_lines(found: Logs) -> Iterator[str]:
    """Yields the last lines of each run below its name."""
    for run in found["runs"]:
        yield shown(f"{run['protocol']} {run['state']}" + ("" if run["lines"] else ": nothing is kept of its log"))
        for line in run["lines"]:
            yield shown(f"  | {line}")


def history_line(event: Happened) -> str:
    """Writes a line of the history."""
    at = event["at"][:19].replace("T", " ")
    protocol = f"{event['protocol']} " if event["protocol"] else ""
    about = f" (about {event['about']})" if event["about"] else ""
    line = f"{event['sequence']:3} {at} {protocol}{event['what']}{about} by {event['actor']}: {event['text']}"
    return shown(line.removesuffix(": "))
