"""`make bench-prepare`: streams every prompt of a full-size generated set, at once, twice and four times its users.

Each size is read as a run reads it, from opening the data set and planning to the token ids that a model would be
given, with the demo model's tokenizer and the official protocol's style on both splits. In the engine's place stands
the tokenizer alone, in a process of its own as engines are; the memory is that of both processes together.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.report import report
from benchmarks.setup import bench_setup
from evaluator.context_mode import FullHistory
from evaluator.demo_model import ensure_demo_model
from evaluator.engines.base import process_peak_rss_mb
from evaluator.engines.tokenizer_only import TokenizerProcess, TokenizerSpec
from evaluator.generate import generate
from evaluator.hicupid.contexts import FullContexts
from evaluator.hicupid.data import HicupidData
from evaluator.hicupid.demo_data import DemoSize, write_demo_set
from evaluator.protocol import hicupid_protocol
from evaluator.setup import users_of
from worker.planning import make_plan

_UNSEEN, _SEEN = 250, 1_250
"""HiCUPID's own numbers: 250 users with 40 questions each and 1,250 with 8 make 20,000 prompts."""
_SIZES = (1, 2, 4)
_PERSONA_TURNS = 10


def main() -> None:
    """Measures the three sizes and reports them."""
    model = ensure_demo_model(Path("data/models"))
    measured = []
    for size in _SIZES:
        with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
            data = Path(folder) / "set"
            write_demo_set(data, DemoSize(_UNSEEN * size, _SEEN * size, _PERSONA_TURNS), seed=42)
            measured.append(_in_a_process(data, model))
    report(
        "prepare",
        {
            "users": [(_UNSEEN + _SEEN) * size for size in _SIZES],
            **{name: [figures[name] for figures in measured] for name in measured[0]},
            "growth_seconds": [round(figures["seconds"] / measured[0]["seconds"], 2) for figures in measured],
            "growth_memory": [round(figures["peak_rss_mb"] / measured[0]["peak_rss_mb"], 2) for figures in measured],
        },
    )


def _in_a_process(data: Path, model: Path) -> dict[str, Any]:
    """Streams one data set in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.prepare", str(data), str(model)]
    started = time.monotonic()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told | {"seconds": round(time.monotonic() - started, 1)}


def stream(data_folder: Path, model: Path) -> dict[str, Any]:
    """Makes every prompt of a data set, one user after the other, and tells what it took."""
    started, first_after, prompts, tokens = time.monotonic(), 0.0, 0, 0
    official = hicupid_protocol("official-v1")
    protocol = official.model_copy(update={"splits": ("test_1", "test_2"), "context": FullHistory(mode="full")})
    setup, contexts = bench_setup(HicupidData.open(str(data_folder)), protocol), FullContexts()
    spec = TokenizerSpec(model_path=str(model.resolve()))
    with TokenizerProcess(spec, data_folder.parent / "tokenizer.log") as tokenizer:
        for user in users_of(make_plan("bench", setup).items):
            for row in generate(setup, [user], tokenizer, contexts, {}):
                prompts, tokens = prompts + 1, tokens + row.prompt_tokens
                first_after = first_after or time.monotonic() - started
        beside = tokenizer.peak_rss_mb()
    return {
        "prompts": prompts,
        "prompt_tokens": tokens,
        "seconds_to_first_request": round(first_after, 1),
        "peak_rss_mb": round(process_peak_rss_mb() + beside),
        "peak_rss_mb_tokenizer": round(beside),
    }


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(stream(Path(sys.argv[1]), Path(sys.argv[2]))))
    else:
        main()
