"""Chooses and loads an engine inside the current process."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal, TypeAlias

from evaluator.engines.base import EndpointSpec, Engine, EngineSpec

Own: TypeAlias = Literal["vllm", "transformers", "deterministic"]
"""Engines of our own machine."""


def best_engine(wanted: Literal["auto"] | Own = "auto") -> Own:
    """Returns the engine that is wanted; for `auto`, vLLM where it is installed, else transformers. Imports neither.

    Example:
        >>> best_engine("transformers")
        'transformers'
    """
    if wanted != "auto":
        return wanted
    return "vllm" if find_spec("vllm") else "transformers"


def load_engine(spec: EngineSpec | EndpointSpec) -> Engine:
    """Loads the engine that a spec names; the heavy libraries are imported only here."""
    if isinstance(spec, EndpointSpec):
        from evaluator.engines.openai import OpenAIEngine

        return OpenAIEngine(spec)
    if spec.engine == "vllm":
        from evaluator.engines.vllm import VllmEngine

        return VllmEngine(spec)
    if spec.engine == "deterministic":
        from evaluator.engines.deterministic import DeterministicEngine

        return DeterministicEngine(spec)
    from evaluator.engines.transformers import TransformersEngine

    return TransformersEngine(spec)
