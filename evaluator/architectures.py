"""Which kinds of models the pinned vLLM runs, known without vLLM being installed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from evaluator.errors import Cause, RapportError

_MOST_NAMES = 20
_LONGEST_NAME = 100


class Known(NamedTuple):
    """What a version of vLLM runs."""

    version: str
    architectures: frozenset[str]


@cache
def known() -> Known:
    """Returns what the pinned vLLM runs; `scripts/architectures.py` writes the list.

    Example:
        >>> "LlamaForCausalLM" in known().architectures
        True
    """
    first, *names = (files("evaluator") / "architectures.txt").read_text(encoding="utf-8").split("\n")
    return Known(first.removeprefix("# vLLM "), frozenset(filter(None, names)))


def architecture_of(model: str, config: Mapping[str, Any]) -> str:
    """Returns the architecture of a model: the first that its settings name and the pinned vLLM knows.

    Args:
        model: Its name, for errors.
        config: The content of its `config.json`.

    Raises:
        RapportError: `load_error` if it names none, or none that is known; says which known ones have similar names.

    Example:
        >>> architecture_of("org/model", {"architectures": ["LlamaForCausalLM"]})
        'LlamaForCausalLM'
    """
    named = config.get("architectures")
    first = named[:_MOST_NAMES] if isinstance(named, list) else []
    names = [name[:_LONGEST_NAME] for name in first if isinstance(name, str)]
    if not names:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"config.json of {model} names no architecture.",
            "Save the whole model with save_pretrained(), which writes `architectures`.",
        )
    found = next((name for name in names if name in known().architectures), None)
    if found is None:
        near = difflib.get_close_matches(names[0], sorted(known().architectures), n=3)
        raise RapportError(
            Cause.LOAD_ERROR,
            f"The architecture {names[0]!r} of {model} is not among those that vLLM {known().version} runs to write "
            f"text{'; similar ones are ' if near else ''}{', '.join(near)}.",
            "Wait until the leaderboard moves to a vLLM that knows it, or submit a model of a known one.",
        )
    return found
