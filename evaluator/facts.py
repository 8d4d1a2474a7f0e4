"""What is known of a model before any of its weights are read; kept with a submission and shown on the board."""

from __future__ import annotations

from pydantic import Field

from evaluator.records import Record


class ModelFacts(Record):
    """Facts of a model at one commit; None where its repository does not tell.

    Example:
        >>> facts = ModelFacts(architecture="LlamaForCausalLM", parameters=134_515_008, weight_bytes=269_060_552)
        >>> facts.licence is None
        True
    """

    architecture: str | None = None
    """Class of the model, as its `config.json` names it."""
    parameters: int | None = Field(default=None, ge=0)
    """Counted in the headers of its safetensors files."""
    weight_bytes: int | None = Field(default=None, ge=0)
    """Of all its safetensors files together."""
    kv_bytes_per_token: int | None = Field(default=None, gt=0)
    """Of the key-value cache at 16 bits."""
    context_length: int | None = Field(default=None, gt=0)
    """Tokens of prompt and answer together, as declared."""
    licence: str | None = Field(default=None, max_length=100)
    """As its card names it."""
    quantisation: str | None = Field(default=None, max_length=100)
    """How its weights were made smaller, as its `config.json` names it; None for one that was not quantised."""
