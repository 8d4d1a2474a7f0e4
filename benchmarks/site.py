"""`make bench-site`: how fast the site is with 1,000 and 10,000 models, beside a bare page of the same Gradio.

Loads of the bare page and of ours take turns in one run, each with nothing in the browser's cache. Then 50 visitors
browse the largest board while models are published on it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil

from benchmarks.report import report
from benchmarks.site_browser import Loaded, change_ms, chromium_browser, load, opened
from benchmarks.site_models import site_model
from benchmarks.site_publish import MODELS
from tests.e2e.site import free_port

SIZES = (1_000, 10_000)
TIMES = 7
FILTERS = (("sort", "persona"), ("size", "up to 1B"), ("q", "qwen"), ("sort", "total"), ("size", ""), ("q", ""))
"""What is changed one after the other, each from the state before."""
_VISITORS, _SECONDS, _PUBLISHED = 50, 40, 3
_FIRST_ROW, _FIRST_WORDS, _PLOT = "#board tbody tr", "#bare p", "main h1"
_NEW = 2_000_000
"""Numbers of models from here on are on no site yet."""


class Served(NamedTuple):
    """A process that serves pages."""

    url: str
    process: psutil.Process
    started_s: float
    """From the start of the process to its first answer."""

    @property
    def rss_mb(self) -> float:
        """Its resident memory."""
        return float(self.process.memory_info().rss / 1e6)


@contextlib.contextmanager
def served(module: str, *arguments: object) -> Iterator[Served]:
    """Serves pages from a process of its own that ends with this one."""
    port, start = free_port(), time.perf_counter()
    own = [sys.executable, "-m", "leaderboard.processes", str(os.getpid())]
    command = [sys.executable, "-m", module, *map(str, arguments), "--port", str(port)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("RAPPORT_")}
    process = subprocess.Popen([*own, *command], env=env)
    url = f"http://127.0.0.1:{port}"
    try:
        while not _answers(url):
            if process.poll() is not None:
                raise RuntimeError(f"{module} ended")
            time.sleep(0.05)
        yield Served(url, psutil.Process(process.pid), time.perf_counter() - start)
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    """Says whether a site answers its front page."""
    try:
        return httpx.get(url, timeout=120).status_code == 200
    except httpx.TransportError:
        return False


def measure(folder: Path, sizes: Sequence[int], times: int) -> dict[str, Any]:
    """Measures the site.

    Args:
        folder: For the stores; sites that it has already are measured as they are.
        sizes: Numbers of models, the last one the largest.
        times: How often each page is loaded; the median counts.
    """
    for size in sizes:
        if not (folder / str(size)).exists():
            _run("benchmarks.site_store", folder / str(size), "--models", size, "--known-order")
    model = site_model(0, sizes[-1]).name
    other = site_model(1, sizes[-1]).name
    with contextlib.ExitStack() as stack:
        bare = stack.enter_context(served("benchmarks.site_bare"))
        sites = {size: stack.enter_context(served("benchmarks.site_app", folder / str(size))) for size in sizes}
        largest = sites[sizes[-1]]
        pages = {"bare": (bare.url, _FIRST_WORDS)}
        pages |= {f"board_{_short(size)}": (site.url, _FIRST_ROW) for size, site in sites.items()}
        pages |= {"model": (f"{largest.url}/model?id={model}", _PLOT)}
        pages |= {"compare": (f"{largest.url}/compare?ids={model},{other}", _PLOT)}
        with chromium_browser() as browser:
            loads = _alternately(lambda url, selector: load(browser, url, selector), pages, times)
            changes = {}
            for size, site in sites.items():
                with opened(browser, site.url) as page:
                    changes[_short(size)] = {
                        f"{name}={value}": statistics.median(found)
                        for (name, value), found in _changes(page, times).items()
                    }
            told = _loaded(loads) | _changed(changes) | {"start_s": round(largest.started_s, 2)}
            told |= _browsed(browser, folder / str(sizes[-1]), largest, sizes[-1])
    return told


def _alternately(measured: Any, pages: Mapping[str, tuple[str, str]], times: int) -> dict[str, list[Loaded]]:
    """Loads pages in turn; a first round that nobody counts lets the sites make what they keep."""
    found: dict[str, list[Loaded]] = {name: [] for name in pages}
    for turn in range(times + 1):
        for name, page in pages.items():
            seen = measured(*page)
            if turn:
                found[name].append(seen)
    return found


def _changes(page: Any, times: int) -> dict[tuple[str, str], list[float]]:
    """Changes filters and order of an open board."""
    found: dict[tuple[str, str], list[float]] = {each: [] for each in FILTERS}
    for _ in range(times):
        for each in FILTERS:
            found[each].append(change_ms(page, *each))
    return found


def _loaded(loads: Mapping[str, Sequence[Loaded]]) -> dict[str, Any]:
    """What loads came to."""
    first = {name: statistics.median(each.first_s for each in some) for name, some in loads.items()}
    boards = [name for name in loads if name.startswith("board_")]
    told: dict[str, Any] = {f"{name}_first_rows_s": round(value, 3) for name, value in first.items()}
    told |= {name.replace("board_", "ratio_"): round(first[name] / first["bare"], 3) for name in boards}
    told |= {f"ratio_{name}_page": round(first[name] / first["bare"], 3) for name in ("model", "compare")}
    told["first_rows_kb"] = round(max(each.first_kb for name in boards for each in loads[name]), 1)
    told[boards[-1].replace("board_", "total_") + "_kb"] = round(max(each.total_kb for each in loads[boards[-1]]), 1)
    return told


def _changed(changes: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """What changes came to: of each size the slowest kind, and each by itself."""
    told: dict[str, Any] = {f"filter_{size}_ms": round(max(found.values()), 1) for size, found in changes.items()}
    told["changes_ms"] = {size: {each: round(ms, 1) for each, ms in found.items()} for size, found in changes.items()}
    return told


def _browsed(browser: Any, folder: Path, site: Served, size: int) -> dict[str, Any]:
    """Lets visitors browse while models are published; a page that is open waits for each."""
    names = [site_model(number, size).name for number in range(20)]
    command = ["-m", "benchmarks.site_visitors", site.url, "--models", *names]
    options = ["--visitors", str(_VISITORS), "--seconds", str(_SECONDS)]
    visitors = subprocess.Popen([sys.executable, *command, *options], stdout=subprocess.PIPE)
    seconds, first = [], _NEW + int(time.time()) % _NEW  # Not what an earlier run has left on the site.
    for number in range(first, first + _PUBLISHED):
        time.sleep(_SECONDS / (_PUBLISHED + 2))
        name = site_model(number, MODELS).name
        with opened(browser, f"{site.url}/?q={name}") as page:
            if page.locator("#board tbody th").count():
                raise RuntimeError(f"{name} is on the site already")
            told = _run("benchmarks.site_publish", folder, number)
            page.wait_for_selector(f"#board tbody th:has-text('{name}')", timeout=120_000)
            seconds.append(time.time() - float(told.split()[-1]))
    load_told = json.loads(visitors.communicate()[0])
    return {
        "load_p95_ms": load_told["p95_ms"],
        "load": load_told,
        "publish_to_page_s": round(max(seconds), 2),
        f"app_rss_{_short(size)}_mb": round(site.rss_mb),
    }


def _short(size: int) -> str:
    """Writes a number of models.

    Example:
        >>> _short(10_000), _short(300)
        ('10k', '300')
    """
    return f"{size // 1000}k" if size % 1000 == 0 else str(size)


def _run(module: str, *arguments: object) -> str:
    """Runs a module in a process of its own; returns what it prints."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    """Measures and reports."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--times", type=int, default=TIMES)
    parser.add_argument("--folder", type=Path, help="keep the sites there, and measure those that it has")
    options = parser.parse_args()
    own = contextlib.nullcontext(options.folder) if options.folder else tempfile.TemporaryDirectory()
    with own as folder:
        report("site", measure(Path(folder), options.sizes, options.times))


if __name__ == "__main__":
    main()
