"""What the settings of a LoRA adapter say of it, and why some are refused: before queueing, and again when loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError

from evaluator.errors import Cause, RapportError

CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter_model.safetensors"
MERGE = "Merge the adapter into its model with merge_and_unload() and submit the whole model."

_MAX_RANKS = (8, 16, 32, 64, 128, 256)
"""What vLLM can be told to make room for; it knows larger ones too, which take more memory than they are worth."""
_PLAIN_STARTS = ("gaussian", "eva", "orthogonal", "mica", "lora_ga")
"""Ways to start a training that leave the model's own weights as they are, so that the trained adapter fits them."""
_UNSUPPORTED = (
    "modules_to_save",
    "trainable_token_indices",
    "layer_replication",
    "alora_invocation_tokens",
    "use_dora",
    "use_qalora",
    "use_bdlora",
    "lora_bias",
)
"""Features that change more than a product of two small matrices can."""
_HUB_CODE = "transformers_modules"
"""The package under which transformers would import the code of a repository."""


class Adapter(NamedTuple):
    """An adapter that can be served.

    Attributes:
        rank: The highest rank of any of its matrices.
        max_rank: The smallest rank, of those that vLLM makes room for, into which all of them fit.
    """

    rank: int
    max_rank: int


_Rank = Annotated[StrictInt, Field(gt=0)]


class _CodeSource(BaseModel):
    """Where the class of the model is defined on which an adapter was trained."""

    parent_library: str | None = None


class _Config(BaseModel):
    """What is read of an adapter's settings; `extra` keeps the rest, of which only the presence matters."""

    model_config = ConfigDict(extra="allow", frozen=True)

    peft_type: str | None = None
    r: _Rank | None = None
    rank_pattern: dict[str, _Rank] | None = None
    bias: str = "none"
    init_lora_weights: bool | str | None = None
    auto_map: Any = None
    auto_mapping: _CodeSource | None = None

    @property
    def needs_code(self) -> bool:
        """Whether it needs code of a repository."""
        library = self.auto_mapping and self.auto_mapping.parent_library
        return bool(self.auto_map) or (library or "").startswith(_HUB_CODE)

    @property
    def special(self) -> list[str]:
        """Settings under which a plain LoRA of the same matrices would be another model."""
        found = [name for name in _UNSUPPORTED if (self.model_extra or {}).get(name)]
        if self.peft_type != "LORA":
            found.append(f"peft_type {self.peft_type}")
        if self.bias != "none":
            found.append(f"bias {self.bias}")
        start = self.init_lora_weights
        if isinstance(start, str) and start.lower() not in _PLAIN_STARTS:
            found.append(f"init_lora_weights {start}")
        return found


def check_adapter_settings(adapter: str, settings: Mapping[str, Any]) -> Adapter:
    """Returns what the settings of an adapter ask of the engine.

    Args:
        adapter: Its name, for errors.
        settings: The content of its `adapter_config.json`.

    Raises:
        RapportError: `unsafe_format` if it needs code of its own, `load_error` if the settings are broken, or ask for
            more than a plain LoRA of at most rank 256.

    Example:
        >>> check_adapter_settings("org/lora", {"peft_type": "LORA", "r": 12})
        Adapter(rank=12, max_rank=16)
    """
    try:
        config = _Config.model_validate(settings)
    except ValidationError as error:
        words = " ".join(str(error).split())[:300]
        raise RapportError(
            Cause.LOAD_ERROR,
            f"The {CONFIG_FILE} of adapter {adapter} does not tell what it is: {words}",
            "Save the adapter again with save_pretrained().",
        ) from error
    if config.needs_code:
        raise RapportError(
            Cause.UNSAFE_FORMAT,
            f"The adapter {adapter} needs code of its own, and code of submitters is never run.",
            "Train the adapter on a model of an architecture that transformers knows.",
        )
    if config.special:
        raise RapportError(
            Cause.LOAD_ERROR, f"The adapter {adapter} is no plain LoRA: it uses {', '.join(config.special)}.", MERGE
        )
    return _with_room(adapter, config)


def _with_room(adapter: str, config: _Config) -> Adapter:
    """Returns the adapter with the room that it takes."""
    if config.r is None:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"The {CONFIG_FILE} of adapter {adapter} names no rank.",
            "Save the adapter again with save_pretrained().",
        )
    rank = max(config.r, *(config.rank_pattern or {}).values(), 0)
    max_rank = next((room for room in _MAX_RANKS if room >= rank), None)
    if max_rank is None:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"The adapter {adapter} has rank {rank}; at most {_MAX_RANKS[-1]} can be served.",
            MERGE,
        )
    return Adapter(rank, max_rank)
