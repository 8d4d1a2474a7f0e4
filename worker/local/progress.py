"""Says on a terminal, or in plain lines elsewhere, how far an evaluation has come."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.logging import RichHandler
from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bar

from evaluator.judge import is_counted
from evaluator.records import Generation, Verdict
from evaluator.setup import AnyItem

_PLAIN_LINES = 20
"""At most so many lines where there is no terminal."""


class Progress:
    """Counts answers and verdicts.

    Example:
        >>> progress = Progress(Console(stderr=True))
        >>> with progress.over([], [], []):
        ...     progress.answered([])
        >>> progress.told()
        '0/0 answered'
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        """Writes to `console`; a clock counts seconds."""
        self._console, self._clock = console, clock
        self._bar = Bar(BarColumn(), TextColumn("{task.description}"), console=console, transient=True)
        self._task: TaskID | None = None
        self._orders: dict[str, int] = {}
        self._asked = 0
        self._answered = self._judged = self._verdicts = 0
        self._begun_at, self._begun, self._lines = 0.0, 0, 0
        self._written = 0
        """Output tokens since it began."""
        self._read: int | None = 0
        """Prompt tokens computed since it began; None once an engine did not tell."""

    @contextmanager
    def over(
        self,
        items: Sequence[AnyItem],
        generations: Iterable[Generation],
        verdicts: Iterable[Verdict],
        *,
        judging: bool = True,
    ) -> Iterator[None]:
        """Shows how far some items have come, from entering to leaving the context.

        Args:
            items: All that is asked.
            generations: Answers that are there already.
            verdicts: Verdicts that are there already.
            judging: Whether verdicts are asked for.
        """
        self._orders = {item.question_id: len(item.orders) if judging else 0 for item in items}
        self._asked = sum(item.is_asked for item in items)
        self._answered, self._judged, self._verdicts = 0, 0, sum(self._orders.values())
        self._count(generations)
        self._judged = sum(map(is_counted, verdicts))
        self._begun_at, self._begun, self._lines = self._clock(), self._done, 0
        self._written, self._read = 0, 0
        if not self._console.is_terminal:
            self._console.print(self.told(), highlight=False, soft_wrap=True)
            yield
            return
        with self._bar:
            self._task = self._bar.add_task(self.told(), total=self._all, completed=self._done)
            yield

    def answered(self, rows: Sequence[Generation]) -> None:
        """Counts answers that are on disk."""
        self._count(rows)
        for row in rows:
            self._spend(row, row.output_tokens + row.thought_tokens)
        self._show()

    def judged(self, rows: Sequence[Verdict]) -> None:
        """Counts verdicts that are on disk."""
        self._judged += sum(map(is_counted, rows))
        for row in rows:
            self._spend(row, row.output_tokens)
        self._show()

    def told(self) -> str:
        """Says how far it has come, and once it moves, how fast and how long it may still take."""
        said = f"{self._answered}/{self._asked} answered"
        if any(self._orders.values()):
            said += f", {self._judged}/{self._verdicts} judged"
        passed, moved = self._clock() - self._begun_at, self._done - self._begun
        if passed <= 0 or moved <= 0:
            return said
        left = passed * (self._all - self._done) / moved
        unit = "output tokens" if self._read is None else "tokens"
        pace = f"{(self._written + (self._read or 0)) / passed:.0f} {unit}/s"
        return f"{said}, {pace}, {_duration(left)} left"

    @property
    def _done(self) -> int:
        """Answers and verdicts that are there."""
        return self._answered + self._judged

    @property
    def _all(self) -> int:
        """Answers and verdicts that there will be."""
        return self._asked + self._verdicts

    def _count(self, rows: Iterable[Generation]) -> None:
        """Counts answers, and out those verdicts that nobody will ask for."""
        for row in rows:
            self._answered += row.key.sample_index == 0  # A second try at an item is no further item.
            if row.answer is None or row.defect is not None:
                self._verdicts -= self._orders.get(row.key.question_id, 0)

    def _spend(self, row: Generation | Verdict, written: int) -> None:
        """Counts the tokens that a row took; those of its prompt unless some row's are not known."""
        self._written += written
        if row.cached_tokens is None or self._read is None:
            self._read = None
        else:
            self._read += row.prompt_tokens - row.cached_tokens

    def _show(self) -> None:
        """Moves the bar, or writes a line now and then."""
        if self._task is not None:
            self._bar.update(self._task, description=self.told(), completed=self._done, total=self._all)
        elif self._all and self._done * _PLAIN_LINES // self._all > self._lines:
            self._lines = self._done * _PLAIN_LINES // self._all
            self._console.print(self.told(), highlight=False, soft_wrap=True)


def log_to(console: Console) -> None:
    """Writes logs where they do not tear the bar."""
    handler = RichHandler(console=console, show_path=False) if console.is_terminal else logging.StreamHandler()
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[handler], force=True)
    for noisy in ("absl", "httpx", "httpcore", "openai"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")  # One bar at a time.


def _duration(seconds: float) -> str:
    """Writes a duration in words.

    Example:
        >>> [_duration(seconds) for seconds in (8.4, 100, 4000)]
        ['8 s', '1:40 min', '1:06 h']
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"
