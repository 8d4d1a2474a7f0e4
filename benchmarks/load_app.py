"""The app as it is, noting how long parts of a submission took: `python -m benchmarks.load_app FILE`."""

from __future__ import annotations

import functools
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import app
from evaluator import repositories
from leaderboard.submissions import service
from leaderboard.submissions.service import SubmissionService

_PARTS: tuple[tuple[Any, str, str], ...] = (
    (SubmissionService, "submit", "submit"),
    (service, "checked", "checks"),
    (SubmissionService, "_enter", "ledger"),
    (repositories, "resolve", "hub"),
    (repositories, "read_file", "hub"),
)
"""Where a function stands, its name, and as what part of a submission its time counts."""


def timed(call: Callable[..., Any], part: str, note: Callable[[str], object]) -> Callable[..., Any]:
    """Returns a function that does the same and notes `part` with the milliseconds that it took, however it ended."""

    @functools.wraps(call)
    def timing(*args: Any, **options: Any) -> Any:
        started = time.perf_counter()
        try:
            return call(*args, **options)
        finally:
            note(f"{part} {1000 * (time.perf_counter() - started):.3f}\n")

    return timing


def read_times(file: Path) -> dict[str, list[float]]:
    """Returns the milliseconds of each call, by part of a submission."""
    found = defaultdict[str, list[float]](list)
    for line in file.read_text().splitlines():
        part, milliseconds = line.split()
        found[part].append(float(milliseconds))
    return dict(found)


def main(file: Path) -> None:
    """Serves the page until told to stop."""
    with file.open("w") as lines:  # Written out at the end, so that nobody waits for it.
        for owner, name, part in _PARTS:
            setattr(owner, name, timed(getattr(owner, name), part, lines.write))
        # A Space wants its stores on the Hub; here they lie in folders, or its 120 commits an hour would be measured.
        setattr(app, "missing_on_space", lambda _: ())  # noqa: B010 - mypy lets nobody assign it.
        app.main()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
