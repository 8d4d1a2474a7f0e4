"""`make bench-demo`: times the headless demo from the command to the published row, on a data folder of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time

from benchmarks.report import report


def main() -> None:
    """Runs the demo once and reports what it took."""
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as data:
        started = time.monotonic()
        command = [sys.executable, "-m", "leaderboard.cli", "demo", "--once", "--json", "--data", data]
        row = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        seconds = time.monotonic() - started
    report(
        "demo",
        {
            "seconds": round(seconds, 1),
            "stage_seconds": row["stage_seconds"],
            "peak_rss_mb": row["peak_rss_mb"],
            "prefill_efficiency": row["prefill_efficiency"],
            "protocols": [row["protocol"], *(each["protocol"] for each in row["agreement"])],
            "items": row["items"],
            "verdicts": row["verdicts"],
            "missing": row["missing"],
        },
    )


if __name__ == "__main__":
    main()
