"""JSON of strangers is read whole or refused with a reason."""

from __future__ import annotations

import pytest

from evaluator.untrusted_json import parse_object


def test_an_object_is_read_as_it_stands():
    assert parse_object(b'{"a": [1, 2.5, null, true, "\xc3\xa9"]}') == {"a": [1, 2.5, None, True, "é"]}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "Expecting value"),
        (b"[1]", "something else"),
        (b'"text"', "something else"),
        (b"{", "Expecting"),
        (b'{"a": 1}{', "Extra data"),
        (b'{"a": NaN}', "NaN is not a finite number"),
        (b'{"a": -Infinity}', "-Infinity is not a finite number"),
        (b'{"a": 1e999}', "1e999 is not a finite number"),
        (b'{"a": ' + b"9" * 5000 + b"}", "limit"),
        (b'{"a": 1, "b": 2, "a": 3}', "it names 'a' twice"),
        (b'{"a": {"b": 1, "b": 1}}', "it names 'b' twice"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b'{"a": ' * 50_000 + b"1" + b"}" * 50_000, "nested too deeply"),
        (b'{"a": [' + b"[]," * 2_000_000 + b"[]]}", "more than 2,000,000 parts"),
        (b"\xff\xfe\x00", "decode"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_broken_or_a_bomb_is_refused_with_a_reason(raw, reason):
    with pytest.raises(ValueError, match=reason):
        parse_object(raw)
