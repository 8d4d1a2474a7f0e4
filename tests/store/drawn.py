"""Draws records by their own annotations, so that a new field is drawn without anybody thinking of it."""

from __future__ import annotations

import datetime
import types
from enum import Enum
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from annotated_types import MinLen
from hypothesis import strategies as st

from evaluator.errors import Cause
from evaluator.identity import text_digest
from evaluator.records import Generation, InputKey, Record, Verdict, VerdictKey, verdict_version
from leaderboard.open_data.people import OpenLabel

Kind = TypeVar("Kind", bound=Record)

PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=12),
    bool: st.booleans(),
    int: st.integers(1, 2**62),
    float: st.floats(0, 1),
    datetime.datetime: st.datetimes(min_value=datetime.datetime(1990, 1, 1), timezones=st.just(datetime.UTC)),
}


def records(kind: type[Kind]) -> st.SearchStrategy[Kind]:
    """Draws records of a kind; those that must fit together in themselves are made to."""
    values = st.fixed_dictionaries({name: _field(field) for name, field in kind.model_fields.items()})
    return values.map(lambda drawn: kind.model_validate(_fitting(kind, drawn)))


def _fitting(kind: type[Record], drawn: dict[str, Any]) -> dict[str, Any]:
    """Makes what was drawn for a record fit together."""
    if kind is Generation:
        answer, key = drawn["answer"], drawn["key"]
        assert isinstance(key, InputKey)
        hashed = None if answer is None else text_digest(answer)
        failure = Cause.TIMEOUT if answer is None else None
        drawn = drawn | {"input_key": key.digest(), "content_hash": hashed, "failure": failure}
        gone = {"answer": None, "thought": None, "schema_version": 2}
        return drawn | gone if drawn["taken_down"] and hashed else drawn | {"taken_down": False, "schema_version": 1}
    if kind is Verdict:
        key, outcome = drawn["key"], drawn["outcome"]
        assert isinstance(key, VerdictKey)
        drawn = drawn | {"verdict_key": key.digest(), "word": None if outcome is None else "A"}
        gone = drawn["taken_down"] is not None
        drawn = drawn | {"schema_version": verdict_version(outcome, taken_down=gone)}
        return drawn | ({"completion": ""} if gone else {})
    if kind is OpenLabel:
        return drawn | {"word": None if drawn["number"] is not None else "unsure"}
    return drawn


def _field(field: Any) -> st.SearchStrategy[Any]:
    least = max((bound.min_length for bound in field.metadata if isinstance(bound, MinLen)), default=0)
    return _values(field.annotation, least)


def _values(annotation: Any, least: int = 0) -> st.SearchStrategy[Any]:
    origin, kinds = get_origin(annotation), get_args(annotation)
    if origin is None:
        return _plain(annotation)
    if origin is tuple:
        return _tuples(kinds, least)
    if origin is dict:
        return st.dictionaries(_values(kinds[0]), _values(kinds[1]), max_size=2)
    if origin is Literal:
        return st.sampled_from(kinds)
    if origin is Annotated:
        return _values(kinds[0], least)
    assert origin in (Union, types.UnionType)
    return st.one_of([st.none() if kind is type(None) else _values(kind) for kind in kinds])


def _tuples(kinds: tuple[Any, ...], least: int) -> st.SearchStrategy[Any]:
    if kinds[-1] is Ellipsis:
        return st.lists(_values(kinds[0]), min_size=least, max_size=2).map(tuple)
    return st.tuples(*map(_values, kinds))


def _plain(kind: Any) -> st.SearchStrategy[Any]:
    if kind in PLAIN:
        return PLAIN[kind]
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    if issubclass(kind, Record):
        return records(kind)
    return st.builds(kind, **{name: _values(part) for name, part in get_type_hints(kind).items()})
