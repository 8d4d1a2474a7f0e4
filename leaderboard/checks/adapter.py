"""The check of a LoRA adapter, together with the model that it is to be loaded on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evaluator.engines.adapter_settings import WEIGHTS_FILE
from evaluator.engines.adapter_shapes import PACKED, Shape, check_low_rank, check_shapes
from evaluator.errors import Cause, RapportError
from evaluator.model_checks import read_adapter_settings
from evaluator.models import model_name
from evaluator.protocol import is_reference
from evaluator.repositories import open_repository
from evaluator.safetensors_headers import Tensor, read_tensors
from leaderboard.checks.findings import Findings, passed, skipped, warned
from leaderboard.checks.records import Check, CheckName
from leaderboard.checks.repository import refuse_private

_MATRIX = 2


def check_adapter(found: Findings) -> Check:
    """Looks an adapter over, and whether it fits the model."""
    wanted, models = found.request, found.surroundings.models
    if not wanted.adapter:
        if wanted.adapter_revision:
            raise RapportError(
                Cause.MALFORMED_ID,
                "A revision of an adapter is given, but no adapter.",
                "Name the adapter as well.",
            )
        return skipped(CheckName.ADAPTER, "None was named.")
    name = model_name(wanted.adapter, models)
    if is_reference(name):
        raise RapportError(Cause.MALFORMED_ID, f"{name} is no adapter.", "Name one, or leave the field empty.")
    adapter = open_repository(name, wanted.adapter_revision, models)
    refuse_private(adapter)
    settings = read_adapter_settings(adapter)
    brought = read_tensors(adapter, [WEIGHTS_FILE])
    check_low_rank(adapter.name, brought)
    check_shapes(adapter.name, _matrices(brought), _matrices(found.tensors))
    found.adapter = adapter
    facts = {"adapter": adapter.name, "adapter_revision": adapter.sha, "licence": adapter.licence}
    if doubts := _doubts(found.opened.name, settings, adapter.licence):
        message, remedy = doubts
        return warned(CheckName.ADAPTER, message, remedy, **facts)
    return passed(CheckName.ADAPTER, f"{adapter.name} is a LoRA that was made for this model.", **facts)


def _matrices(tensors: Mapping[str, Tensor]) -> dict[str, Shape]:
    """Returns the shapes of all matrices that hold plain numbers."""
    return {
        name: (tensor.shape[0], tensor.shape[1])
        for name, tensor in tensors.items()
        if len(tensor.shape) == _MATRIX and tensor.dtype != PACKED
    }


def _doubts(model: str, settings: Mapping[str, Any], licence: str | None) -> tuple[str, str] | None:
    """Says what is odd about an adapter that can be loaded, and what to do; None if nothing is."""
    base = settings.get("base_model_name_or_path")
    if not isinstance(base, str) or not base:
        return "The adapter does not say which model it was trained on.", "See that it was trained on this one."
    if base.lower() != model.lower():
        return (
            f"The adapter was trained on {base[:200]!r}, and is to be loaded on {model}.",
            "Name the model on which it was trained, unless this is the same one under another name.",
        )
    if licence is None:
        return "The card of the adapter names no licence.", "Write `license:` into the metadata of its README.md."
    return None
