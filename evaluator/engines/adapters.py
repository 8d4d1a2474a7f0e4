"""LoRA adapters: what one asks of the engine, and which ones are refused because they would be applied wrongly."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError
from safetensors import SafetensorError, safe_open

from evaluator.errors import Cause, RapportError

CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter_model.safetensors"

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
_PACKED = "U8"
"""How bitsandbytes keeps two numbers of four bits in one."""
_PEFT_PREFIX = "base_model.model."
_LOW_RANK = (".lora_A.", ".lora_B.", ".lora_embedding_A", ".lora_embedding_B")
_MERGE = "Merge the adapter into its model with merge_and_unload() and submit the whole model."


class Adapter(NamedTuple):
    """An adapter that can be served.

    Attributes:
        rank: The highest rank of any of its matrices.
        max_rank: The smallest rank, of those that vLLM makes room for, into which all of them fit.
    """

    rank: int
    max_rank: int


class _CodeSource(BaseModel):
    """Where the class of the model is defined on which an adapter was trained."""

    parent_library: str | None = None


class _Config(BaseModel):
    """What is read of an adapter's settings; `extra` keeps the rest, of which only the presence matters."""

    model_config = ConfigDict(extra="allow", frozen=True)

    peft_type: str | None = None
    r: StrictInt = Field(gt=0)
    rank_pattern: dict[str, StrictInt] | None = None
    bias: str = "none"
    init_lora_weights: bool | str | None = None
    auto_map: Any = None
    auto_mapping: _CodeSource | None = None

    @property
    def rank(self) -> int:
        """The highest rank of any matrix."""
        return max(self.r, *(self.rank_pattern or {}).values(), 0)

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


def read_adapter(folder: Path) -> Adapter:
    """Reads what an adapter is, without loading its weights.

    Raises:
        RapportError: `unsafe_format` if it has no safetensors weights or needs code of its own, `load_error` if it is
            broken, larger than rank 256, or more than a plain LoRA.
    """
    config = _read_config(folder)
    if config.auto_map or (config.auto_mapping and (config.auto_mapping.parent_library or "").startswith(_HUB_CODE)):
        raise RapportError(
            Cause.UNSAFE_FORMAT,
            f"The adapter {folder.name} needs code of its own, and code of submitters is never run.",
            "Train the adapter on a model of an architecture that transformers knows.",
        )
    if not (folder / WEIGHTS_FILE).is_file():
        raise RapportError(
            Cause.UNSAFE_FORMAT,
            f"The adapter {folder.name} has no {WEIGHTS_FILE}; pickled weights are not loaded.",
            "Save the adapter with save_pretrained(), which writes safetensors.",
        )
    if config.special:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"The adapter {folder.name} is no plain LoRA: it uses {', '.join(config.special)}.",
            _MERGE,
        )
    _refuse_whole_weights(folder)
    max_rank = next((room for room in _MAX_RANKS if room >= config.rank), None)
    if max_rank is None:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"The adapter {folder.name} has rank {config.rank}; at most {_MAX_RANKS[-1]} can be served.",
            _MERGE,
        )
    return Adapter(config.rank, max_rank)


def _read_config(folder: Path) -> _Config:
    """Reads the adapter's settings."""
    try:
        return _Config.model_validate_json((folder / CONFIG_FILE).read_bytes())
    except (OSError, ValidationError) as error:
        words = " ".join(str(error).split())[:300]
        raise RapportError(
            Cause.LOAD_ERROR,
            f"The adapter {folder.name} has no {CONFIG_FILE} that tells what it is: {words}",
            "Save the adapter again with save_pretrained().",
        ) from error


def check_fits(adapter: Path, model: Path) -> None:
    """Compares the sizes of an adapter's matrices with those of the model's weights, without loading either.

    vLLM itself would fill up matrices that are too small and pass over layers that are not there. Weights that are
    packed, or named otherwise than by the adapter, are left to it. Some architectures keep their weights transposed.

    Raises:
        RapportError: `load_error` if the adapter was made for a model of another size.
    """
    weights = {name: shape for file in sorted(model.glob("*.safetensors")) for name, shape in _shapes(file).items()}
    low_rank = _shapes(adapter / WEIGHTS_FILE)
    deepest = max(map(_layer, weights), default=0)
    for name, (rank, width) in low_rank.items():
        module, found, _ = name.removeprefix(_PEFT_PREFIX).partition(".lora_A.")
        whole = weights.get(f"{module}.weight")
        height = low_rank.get(name.replace(".lora_A.", ".lora_B."), (0, 0))[0]
        if found and (_layer(module) > deepest or whole not in (None, (height, width), (width, height))):
            raise RapportError(
                Cause.LOAD_ERROR,
                f"The adapter {adapter.name} does not fit the model: for {module} it brings a matrix of {height} x "
                f"{width} in rank {rank}, and the model has {'none' if whole is None else f'{whole[0]} x {whole[1]}'}.",
                "Name the very model on which the adapter was trained.",
            )


def _layer(name: str) -> int:
    """Returns the number of the layer to which a weight belongs; 0 if it belongs to none."""
    number = re.search(r"\.(\d+)\.", name)
    return int(number[1]) if number else 0


def _shapes(file: Path) -> dict[str, tuple[int, int]]:
    """Returns the rows and columns of every matrix in a safetensors file that holds plain numbers."""
    with safe_open(str(file), framework="numpy") as weights:
        slices = {name: weights.get_slice(name) for name in weights.keys()}  # noqa: SIM118 (no mapping)
        return {
            name: (shape[0], shape[1])
            for name, part in slices.items()
            if len(shape := part.get_shape()) == 2 and part.get_dtype() != _PACKED
        }


def _refuse_whole_weights(folder: Path) -> None:
    """Refuses weights that are to replace those of the model, such as resized embeddings."""
    try:
        with safe_open(str(folder / WEIGHTS_FILE), framework="numpy") as weights:
            names = sorted(weights.keys())
    except (SafetensorError, OSError) as error:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"The file {WEIGHTS_FILE} of adapter {folder.name} is broken: {error}",
            "Save the adapter again with save_pretrained().",
        ) from error
    whole = [name for name in names if not any(part in name for part in _LOW_RANK)]
    if whole or not names:
        raise RapportError(
            Cause.LOAD_ERROR,
            f"The adapter {folder.name} brings whole weights besides its low-rank ones: {', '.join(whole[:5])}."
            if whole
            else f"The adapter {folder.name} holds no weights.",
            _MERGE,
        )
