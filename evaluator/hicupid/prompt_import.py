"""Reads the prompts of HiCUPID's authors out of their `constants.py`, without ever running it.

The distilled judge knows one exact wording, which is not ours to ship. So whoever runs official protocols brings the
file; what is taken from it are the literals behind two names, and whatever else stands there is refused or passed over.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from evaluator.engines.base import Message
from evaluator.errors import Cause, RapportError
from evaluator.hicupid.prompts import PromptPack, make_pack

LARGEST_SOURCE = 1_000_000
"""Bytes; the authors' file of 2025-02 has 41,906."""

_INFERENCE = "INFERENCE_PROMPTS"
_EVALUATION = "EVALUATION_PROMPTS"
_WANTED = (_INFERENCE, _EVALUATION)
_TRIMS = {"strip": str.strip, "lstrip": str.lstrip, "rstrip": str.rstrip}
"""The one kind of call that is understood: the authors end their triple-quoted texts with `.strip()`."""
_DEEPEST = 20
"""Levels of lists and dicts; the authors need four."""
_REFUSED = {
    ast.Call: "a call",
    ast.Name: "a name",
    ast.BinOp: "a calculation",
    ast.JoinedStr: "an f-string",
    ast.Dict: "a dict with computed keys",
}


def pack_from_source(source: bytes) -> PromptPack:
    """Returns the prompts that a `constants.py` in the authors' layout assigns, as a pack of the status `imported`.

    Args:
        source: The file: UTF-8, at most `LARGEST_SOURCE` bytes, with the assignments of `INFERENCE_PROMPTS` and
            `EVALUATION_PROMPTS` once each at its top level. Styles may be flat keys (`few/user/3`) or nested dicts.

    Raises:
        RapportError: `data_error`, naming the line or the prompt that cannot be read. Nothing of the file is run.
    """
    values = _literals(_parsed(source))
    inference: dict[str, tuple[Message, ...]] = {}
    for style, messages in _styles("", values[_INFERENCE]):
        if style in inference:
            raise _refused(f"{_INFERENCE} has the style {style} twice")
        inference[style] = messages
    evaluation = {str(name): _messages(f"the prompt {name}", value) for name, value in values[_EVALUATION].items()}
    return make_pack(inference, evaluation, "imported")


def _parsed(source: bytes) -> ast.Module:
    """Parses the file; how deep and how large it is must not hurt."""
    if len(source) > LARGEST_SOURCE:
        raise _refused(f"The file is larger than {LARGEST_SOURCE:,} bytes")
    try:
        return ast.parse(source.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _refused("The file is not UTF-8 text") from error
    except SyntaxError as error:
        place = f" (line {error.lineno})" if error.lineno else ""
        raise _refused(f"The file is not Python: {error.msg}{place}") from error
    except ValueError as error:  # What Python's first releases of 3.11 say of a zero byte.
        raise _refused(f"The file is not Python: {error}") from error
    except (RecursionError, MemoryError) as error:
        raise _refused(f"The file is nested too deeply to be parsed ({type(error).__name__})") from error


def _literals(module: ast.Module) -> dict[str, dict[Any, Any]]:
    """Returns the two dicts, once it is sure that nothing else in the file touches them."""
    assigned: dict[str, tuple[ast.Name, ast.expr]] = {}
    for statement in module.body:
        target, value = _assignment(statement)
        if isinstance(target, ast.Name) and target.id in _WANTED and value is not None:
            assigned.setdefault(target.id, (target, value))
    _check_untouched(module, [target for target, _ in assigned.values()])
    values = {}
    for name in _WANTED:
        if name not in assigned:
            raise _refused(f"The file assigns nothing to {name}")
        values[name] = _value(name, assigned[name][1])
        if not isinstance(values[name], dict):
            raise _refused(f"{name} is not a dict")
    return values


def _check_untouched(module: ast.Module, targets: list[ast.Name]) -> None:
    """Refuses a file in which later code could change what was assigned: only running it would tell."""
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and node.id in _WANTED and node not in targets:
            raise _refused(f"Line {node.lineno} uses {node.id} beyond its one assignment, which could change it")


def _assignment(statement: ast.stmt) -> tuple[ast.expr | None, ast.expr | None]:
    """Returns target and value of a plain or annotated assignment."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        return statement.targets[0], statement.value
    if isinstance(statement, ast.AnnAssign):
        return statement.target, statement.value
    return None, None


def _value(name: str, node: ast.expr, depth: int = 0) -> Any:
    """Returns what a literal stands for: texts, numbers, lists, dicts, and texts that are trimmed."""
    if depth > _DEEPEST:
        raise _refused(f"Line {node.lineno}: {name} is nested more than {_DEEPEST} levels deep")
    match node:
        case ast.Constant(value=str() | int() | None as plain):
            return plain
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return [_value(name, part, depth + 1) for part in parts]
        case ast.Dict(keys=keys, values=values) if all(isinstance(key, ast.Constant) for key in keys):
            return {
                _value(name, key, depth + 1): _value(name, value, depth + 1)
                for key, value in zip(keys, values, strict=True)
                if key is not None
            }
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str() as text), attr=trim), args=[], keywords=[]) if (
            trim in _TRIMS
        ):
            return _TRIMS[trim](text)
    what = _REFUSED.get(type(node), "an expression")
    raise _refused(f"Line {node.lineno}: {name} holds {what}, but only plain texts, lists and dicts are read")


def _styles(prefix: str, value: Any) -> Iterator[tuple[str, tuple[Message, ...]]]:
    """Yields every prompt style with its messages, nested dicts as one key with slashes."""
    if not isinstance(value, dict) or "role" in value:
        yield prefix, _messages(f"the instruction {prefix}", value)
        return
    for name, inner in value.items():
        yield from _styles(f"{prefix}/{name}" if prefix else str(name), inner)


def _messages(where: str, value: Any) -> tuple[Message, ...]:
    """Reads messages from dicts of role and content; a lone one needs no list."""
    items = [value] if isinstance(value, dict) else value
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise _refused(f"What stands for {where} is no list of messages")
    if any(set(item) != {"role", "content"} for item in items):
        raise _refused(f"A message of {where} does not consist of a role and a content")
    return tuple(Message(item["role"], item["content"]) for item in items)


def _refused(fault: str) -> RapportError:
    """Says what is wrong with the file."""
    return RapportError(
        Cause.DATA_ERROR, f"{fault}.", "Take src/constants.py of HiCUPID exactly as its authors published it."
    )
