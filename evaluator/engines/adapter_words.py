"""Whether an adapter was trained on the words that its model is asked in: the engine takes those of the model alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from evaluator.engines.adapter_settings import MERGE
from evaluator.errors import Cause, RapportError
from evaluator.model_checks import TEMPLATE_FILE

_TOKENIZER = "tokenizer.json"
_OLDER_TOKENIZERS = ("tokenizer.model", "vocab.json", "merges.txt", "vocab.txt")
"""What a tokenizer is kept in where there is no `tokenizer.json`."""
_SETTINGS = "tokenizer_config.json"
_MARKS = ("bos_token", "eos_token")
"""Settings that change a prompt or where an answer ends; what pads a batch does neither."""
_PROBE = (
    "  Straße No. 7,\tat 18:30\n\n\nNaïve café; didn't WE'LL x_y != 3.14159\r\n"
    "東京 서울 हिन्दी العربية кот 👍🏽 ﬁ\u00a0\u200d ... https://a.b/c?d=%20 <b>{'k': [1, -2]}</b>   end  "
)
"""Much of what tokenizers treat differently: cases, accents, digits, white space, scripts, joined signs."""


def check_same_words(adapter: Path, model: Path) -> None:
    """Compares the chat template and the tokenizer that an adapter brings, if it does, with those of its model.

    Training programs store them beside the adapter, most often unchanged but written in another way, so tokenizers are
    compared by what they do: their vocabulary, and what they make of a text of many kinds of characters.

    Args:
        adapter: Folder of the adapter.
        model: Folder of the model.

    Raises:
        RapportError: `load_error` if one of them differs, or cannot be read.
    """
    theirs, own = _settings(adapter), _settings(model)
    if (template := _template(adapter, theirs)) and template != _template(model, own):
        raise _refused(adapter, "a chat template that is not the model's")
    declared = [name for name in _MARKS if theirs.get(name) and own.get(name)]
    if any(_content(theirs[name]) != _content(own[name]) for name in declared):
        raise _refused(adapter, "a tokenizer with other special tokens than the model's")
    if not _same_tokenizer(adapter, model):
        raise _refused(adapter, "a tokenizer that is not the model's")


def _same_tokenizer(adapter: Path, model: Path) -> bool:
    """Says whether the adapter brings no other tokenizer than the model has."""
    if not (adapter / _TOKENIZER).is_file():
        brought = (name for name in _OLDER_TOKENIZERS if (adapter / name).is_file())
        return all(_bytes(adapter / name) == _bytes(model / name) for name in brought)
    if not (model / _TOKENIZER).is_file():
        return False
    theirs, own = _tokenizer(adapter), _tokenizer(model)
    return theirs.get_vocab() == own.get_vocab() and _probed(theirs) == _probed(own)


def _probed(tokenizer: Tokenizer) -> list[int]:
    """Returns what a tokenizer makes of the probe; training programs leave their longest text behind in it."""
    tokenizer.no_truncation()
    tokenizer.no_padding()
    ids: list[int] = tokenizer.encode(_PROBE, add_special_tokens=False).ids
    return ids


def _tokenizer(folder: Path) -> Tokenizer:
    """Reads a tokenizer."""
    try:
        return Tokenizer.from_file(str(folder / _TOKENIZER))
    except Exception as error:  # A broken file comes out of the library as a bare `Exception`.
        raise _unreadable(folder, _TOKENIZER) from error


def _template(folder: Path, settings: dict[str, Any]) -> str | None:
    """Returns the chat template that is taken from a folder; of several with names it is the default one."""
    file = folder / TEMPLATE_FILE
    if file.is_file():
        try:
            return file.read_text(encoding="utf-8")
        except ValueError as error:
            raise _unreadable(folder, TEMPLATE_FILE) from error
    said = settings.get("chat_template")
    if isinstance(said, list):
        named = [each for each in said if isinstance(each, dict) and each.get("name") == "default"]
        said = named[0].get("template") if named else None
    return said if isinstance(said, str) else None


def _settings(folder: Path) -> dict[str, Any]:
    """Returns the settings of a folder's tokenizer; none if it has no file of them."""
    content = _bytes(folder / _SETTINGS)
    try:
        settings = {} if content is None else json.loads(content)
    except ValueError as error:
        raise _unreadable(folder, _SETTINGS) from error
    if not isinstance(settings, dict):
        raise _unreadable(folder, _SETTINGS)
    return settings


def _bytes(file: Path) -> bytes | None:
    """Returns a file's content; None if there is none."""
    return file.read_bytes() if file.is_file() else None


def _content(mark: Any) -> Any:
    """Returns the text of a special token, which stands alone or with how it is looked for."""
    return mark.get("content") if isinstance(mark, dict) else mark


def _refused(adapter: Path, brought: str) -> RapportError:
    """Says that the adapter was trained on other words."""
    return RapportError(
        Cause.LOAD_ERROR,
        f"The adapter {adapter.name} brings {brought}, and would be asked in words on which it was not trained.",
        MERGE,
    )


def _unreadable(folder: Path, name: str) -> RapportError:
    """Says that a file is broken."""
    return RapportError(
        Cause.LOAD_ERROR,
        f"The file {name} of {folder.name} cannot be read.",
        "Save the tokenizer again with save_pretrained().",
    )
