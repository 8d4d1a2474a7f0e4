"""Visitors who browse at once: each asks for data of pages, one thing after the other, with a pause as people make it.

python -m benchmarks.site_visitors URL --visitors 50 --seconds 30
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

import httpx
import numpy as np

VISITORS, SECONDS = 50, 30.0
_PAUSE = (0.5, 2.5)
"""Seconds between two requests of a visitor."""
_PATIENCE = 60.0


class Asked(NamedTuple):
    """One request."""

    path: str
    ms: float
    status: int


def paths(models: Sequence[str], rng: random.Random) -> str:
    """Draws what a visitor asks for next: mostly rows, now and then the whole board or a model."""
    model = quote(rng.choice(models))
    words = rng.choice(("qwen", "lab-0", "persona 8b", "llama", "zzz"))
    choices = (
        "/",
        f"/model?id={model}",
        f"/rows?q={quote(words)}",
        f"/rows?sort=-{rng.choice(('total', 'persona', 'size', 'date'))}&page={rng.randint(1, 5)}",
        f"/rows?licence=apache-2.0&page={rng.randint(1, 3)}",
        "/live",
    )
    return rng.choices(choices, weights=(2, 1, 3, 3, 2, 6))[0]


async def _visit(client: httpx.AsyncClient, models: Sequence[str], until: float, seed: int) -> list[Asked]:
    """One visitor."""
    rng, found = random.Random(seed), list[Asked]()  # noqa: S311 - Nothing secret is drawn.
    await asyncio.sleep(rng.uniform(0, _PAUSE[1]))
    while time.monotonic() < until:
        path = paths(models, rng)
        start = time.perf_counter()
        answer = await client.get(path)
        found.append(Asked(path, 1000 * (time.perf_counter() - start), answer.status_code))
        await asyncio.sleep(rng.uniform(*_PAUSE))
    return found


async def browse(url: str, models: Sequence[str], visitors: int, seconds: float) -> list[Asked]:
    """Lets visitors browse at once; returns all that they asked."""
    limits = httpx.Limits(max_connections=visitors)
    async with httpx.AsyncClient(base_url=url, timeout=_PATIENCE, limits=limits) as client:
        until = time.monotonic() + seconds
        parts = await asyncio.gather(*(_visit(client, models, until, seed) for seed in range(visitors)))
    return [each for part in parts for each in part]


def main() -> None:
    """Browses and prints what it came to as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("url")
    parser.add_argument("--models", nargs="+", required=True)
    parser.add_argument("--visitors", type=int, default=VISITORS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args()
    asked = asyncio.run(browse(options.url, options.models, options.visitors, options.seconds))
    times = np.array([each.ms for each in asked])
    failed = sum(each.status >= 400 for each in asked)
    told = {
        "requests": len(asked),
        "failed": failed,
        "p50_ms": np.percentile(times, 50),
        "p95_ms": np.percentile(times, 95),
    }
    print(json.dumps({name: round(float(value), 1) for name, value in told.items()}))


if __name__ == "__main__":
    main()
