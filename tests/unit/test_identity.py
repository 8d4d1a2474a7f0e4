"""Equal things have equal names, different things have different ones."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.identity import canonical_json, digest, folder_digest

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def reversed_keys(value):
    """The same JSON value with the keys of every object in the opposite order."""
    if isinstance(value, dict):
        return {key: reversed_keys(value[key]) for key in reversed(value)}
    if isinstance(value, list):
        return [reversed_keys(entry) for entry in value]
    return value


def test_canonical_json_has_sorted_keys_no_spaces_and_plain_utf8():
    assert canonical_json({"b": [1, 2.5, None], "a": "é"}) == '{"a":"é","b":[1,2.5,null]}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")]])
def test_numbers_that_json_does_not_know_are_refused(value):
    with pytest.raises(ValueError, match="Out of range float"):
        canonical_json(value)


@given(json_values)
def test_the_order_of_keys_never_shows_in_a_digest(value):
    assert digest(value) == digest(reversed_keys(value))


@given(json_values, json_values)
def test_two_values_share_a_digest_only_if_they_share_their_canonical_form(left, right):
    assert (digest(left) == digest(right)) == (canonical_json(left) == canonical_json(right))


def test_a_digest_is_the_sha256_of_the_canonical_form():
    assert digest({"b": "é", "a": [1]}) == hashlib.sha256('{"a":[1],"b":"é"}'.encode()).hexdigest()


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_a_folder_is_named_by_its_contents_wherever_it_lies(tmp_path):
    one = write(tmp_path / "one", config="1", sub__weights="2")
    two = write(tmp_path / "two", sub__weights="2", config="1")
    assert folder_digest(one) == folder_digest(two)


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"config": "changed", "sub__weights": "2"}, id="another content"),
        pytest.param({"renamed": "1", "sub__weights": "2"}, id="another name"),
        pytest.param({"config": "1", "weights": "2"}, id="another place"),
        pytest.param({"config": "1", "sub__weights": "2", "more": ""}, id="one more file"),
        pytest.param({"config": "2", "sub__weights": "1"}, id="contents swapped"),
    ],
)
def test_any_change_to_a_folder_changes_its_digest(tmp_path, files):
    before = write(tmp_path / "before", config="1", sub__weights="2")
    assert folder_digest(before) != folder_digest(write(tmp_path / "after", **files))


def test_hidden_files_and_folders_are_no_part_of_a_folder(tmp_path):
    folder = write(tmp_path, config="1")
    before = folder_digest(folder)
    (folder / ".gitattributes").write_text("x")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "weights").write_text("x")
    assert folder_digest(folder) == before
