"""`make bench-prefill`: what it saves to prefill each history once, against the published loop and against file order.

Three users with histories of some 4,000 tokens and 40 questions each, SmolLM2-135M in float32, 48 forced tokens. The
published loop, half an hour on two cores, is timed on the first questions of every user; `--whole` lets it ask all.

Prefill efficiency on histories of 17,000 tokens, and what judge prompts share, are counts, not times: they come from a
one-layer Llama with the same tokenizer.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.prefill_arms import Settings
from benchmarks.report import report
from evaluator.demo_model import ensure_demo_model
from evaluator.hicupid.demo_data import DemoSize, write_demo_set

_USERS = 3
_SHORT_TURNS, _LONG_TURNS = 1, 10
"""Turns of a persona dialogue: one makes histories of some 4,000 tokens, ten some 17,000 and their markup."""
_LOOP_SAMPLE = 3
"""Questions of each user that the published loop is timed on: nine in all."""
_SMALL_CACHE, _SMALL_CONTEXT = 8_192, 6_144
"""Tokens: one history fits with its questions, two do not."""


def main() -> None:
    """Runs all arms one after the other and reports them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--whole", action="store_true", help="let the published loop ask all questions too")
    whole = options.parse_args().whole
    model = str(ensure_demo_model(Path("data/models")))
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as scratch:
        folder = Path(scratch)
        short, long = str(folder / "short"), str(folder / "long")
        write_demo_set(Path(short), DemoSize(_USERS, _USERS, _SHORT_TURNS), seed=42)
        write_demo_set(Path(long), DemoSize(_USERS, _USERS, _LONG_TURNS), seed=42)
        timed = Settings(model, short, context=_SMALL_CONTEXT)
        small = timed._replace(cache_tokens=_SMALL_CACHE)
        arms = {
            "published_loop": _arm("published_loop", timed._replace(questions=None if whole else _LOOP_SAMPLE)),
            "file_order": _arm("file_order", timed),
            "ours": _arm("ours", timed),
            "ours_small_cache": _arm("ours", small),
            "file_order_small_cache": _arm("file_order", small),
        }
        counting = Settings(str(_long_context_model(Path(model), folder / "long-context")), long, tokens=8)
        arms |= {
            "counts_8": _arm("ours", counting._replace(split="test_1")),
            "counts_40": _arm("ours", counting),
            "judging": _arm("judging", counting),
        }
    report("prefill", {**_compared(arms), "arms": arms})


def _compared(arms: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Returns the figures that the arms are run for."""
    rate = {name: arm["questions_per_second"] for name, arm in arms.items()}
    return {
        "published_loop_qps": round(rate["published_loop"], 4),
        "file_order_qps": round(rate["file_order"], 4),
        "ours_qps": round(rate["ours"], 4),
        "speedup_vs_published_loop": round(rate["ours"] / rate["published_loop"], 2),
        "speedup_vs_file_order_fits": round(rate["ours"] / rate["file_order"], 3),
        "speedup_vs_file_order_small_cache": round(rate["ours_small_cache"] / rate["file_order_small_cache"], 2),
        "prefill_efficiency_8": round(arms["counts_8"]["efficiency"], 4),
        "prefill_efficiency_40": round(arms["counts_40"]["efficiency"], 4),
        "block_size": arms["counts_40"]["block_size"],
        "judge_sharing": round(arms["judging"]["shared_of_shareable"], 4),
    }


def _arm(name: str, settings: Settings) -> dict[str, Any]:
    """Runs one arm in a fresh process."""
    print(f"{name} {settings}", file=sys.stderr)
    command = [sys.executable, "-m", "benchmarks.prefill_arms", name, json.dumps(settings._asdict())]
    told: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    print(told, file=sys.stderr)
    return told


def _long_context_model(tokenizer_of: Path, target: Path) -> Path:
    """Writes a one-layer Llama with random weights, a context of 32,768 tokens and the demo model's tokenizer."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(tokenizer_of)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=32_768,
    )
    torch.manual_seed(0)
    LlamaForCausalLM(config).save_pretrained(target)
    tokenizer.save_pretrained(target)
    return target


if __name__ == "__main__":
    main()
