"""Keeps loaded engines for as long as a job runs; two roles with equal specs share one."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Self

from evaluator.engines.base import Engine, EngineSpec
from evaluator.engines.process import EngineProcess


class EnginePool:
    """Loaded engines by spec.

    Example:
        >>> with EnginePool(Path("logs")) as pool:  # doctest: +SKIP
        ...     engine = pool.get(spec, "s-20260101-0a1b2c3d.demo-v1")
    """

    def __init__(self, logs: Path) -> None:
        """Engines write their logs into the folder `logs`."""
        self._logs = logs
        self._engines: dict[EngineSpec, Engine] = {}
        self._exits = contextlib.ExitStack()

    def get(self, spec: EngineSpec, log_name: str) -> Engine:
        """Returns the engine of a spec, loading it first if needed.

        Raises:
            RapportError: What loading ended with.
        """
        if spec not in self._engines:
            log = self._logs / f"{log_name}.log"
            self._engines[spec] = self._exits.enter_context(EngineProcess(spec, log))
        return self._engines[spec]

    def peak_rss_mb(self) -> float:
        """Returns the highest resident memory of any one engine process so far, in MB."""
        return max((engine.peak_rss_mb() for engine in self._engines.values()), default=0.0)

    def __enter__(self) -> Self:
        """Returns the pool itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Closes all engines."""
        self._exits.close()
