"""What safetensors files hold is read off their headers alone, and whatever is not sound is refused."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from evaluator import safetensors_headers
from evaluator.errors import Cause, RapportError
from evaluator.repositories import Repository
from evaluator.safetensors_headers import INDEX_FILE, Tensor, read_tensors, weight_files
from tests.safetensors_files import header_of, weights_file, with_header

ONE = weights_file({"a": ("BF16", (2, 3)), "b": ("F32", (5,))})
TENSOR = {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}


def repository(files: Mapping[str, bytes], asked: list[tuple[str, int]] | None = None) -> Repository:
    """A repository that lies in memory; notes what is asked of it."""

    def read(file: str, most: int) -> bytes:
        if asked is not None:
            asked.append((file, most))
        return files[file][:most]

    return Repository("org/model", "0" * 40, {name: len(content) for name, content in files.items()}, read)


def refused(content: bytes) -> RapportError:
    with pytest.raises(RapportError) as caught:
        read_tensors(repository({"model.safetensors": content}), ["model.safetensors"])
    return caught.value


def index(places: Any) -> dict[str, bytes]:
    return {INDEX_FILE: json.dumps({"weight_map": places}).encode()}


def files_of(files: Mapping[str, bytes]) -> list[str]:
    return weight_files(repository(files))


def files_refused(files: Mapping[str, bytes]) -> RapportError:
    with pytest.raises(RapportError) as caught:
        files_of(files)
    return caught.value


def test_names_types_and_shapes_are_read_in_one_look_at_the_head_of_the_file():
    asked: list[tuple[str, int]] = []
    found = read_tensors(repository({"model.safetensors": ONE}, asked), ["model.safetensors"])
    assert found == {"a": Tensor("BF16", (2, 3), 12), "b": Tensor("F32", (5,), 20)}
    assert asked == [("model.safetensors", 100_000)]


def test_a_long_header_is_read_in_two_looks_and_no_byte_of_the_weights():
    many = {f"layers.{number}.weight": ("F32", (1,)) for number in range(3000)}
    content = weights_file(many)
    asked: list[tuple[str, int]] = []
    found = read_tensors(repository({"model.safetensors": content}, asked), ["model.safetensors"])
    assert len(found) == 3000
    assert [most for _, most in asked] == [100_000, len(content) - 4 * 3000]


def test_metadata_and_empty_tensors_are_no_weights_but_do_no_harm():
    header = {"__metadata__": {"format": "pt"}, **header_of({"none": ("F32", (0, 4)), "one": ("F32", ())})}
    found = read_tensors(repository({"m.safetensors": with_header(header, 4)}), ["m.safetensors"])
    assert found == {"none": Tensor("F32", (0, 4), 0), "one": Tensor("F32", (), 4)}


def test_several_files_are_read_at_once_but_never_more_than_eight():
    names = [f"model-{number}.safetensors" for number in range(40)]
    files = {name: weights_file({name: ("F32", (1,))}) for name in names}
    plain, lock, running, most = repository(files), threading.Lock(), [0], [0]
    together = threading.Barrier(8)

    def read(file: str, wanted: int) -> bytes:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        together.wait(timeout=30)
        with lock:
            running[0] -= 1
        return plain.read(file, wanted)

    assert read_tensors(plain._replace(read=read), names).keys() == set(names)
    assert most[0] == 8


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "too short"),
        (b"1234567", "too short"),
        (b"weights, but not in this format", "claims a header of"),
        ((1000).to_bytes(8, "little") + b"{}", "ends before its header"),
        (with_header(b"not JSON"), "Expecting"),
        (with_header(b"[]"), "something else"),
        (with_header(b'{"a": ' + b"[" * 50_000), "nested too deeply"),
        (with_header({"a": 1}), "unknown type"),
        (with_header({"a": {}}), "unknown type"),
        (with_header({"a": TENSOR | {"dtype": "F128"}}, 12), "unknown type"),
        (with_header({"a": TENSOR | {"dtype": ["BF16"]}}, 12), "unknown type"),
        (with_header({"a": TENSOR | {"shape": [2, -3]}}, 12), "no proper shape"),
        (with_header({"a": TENSOR | {"shape": [2, 3.0]}}, 12), "no proper shape"),
        (with_header({"a": TENSOR | {"shape": [True, 6]}}, 12), "no proper shape"),
        (with_header({"a": TENSOR | {"shape": "23"}}, 12), "no proper shape"),
        (with_header({"a": TENSOR | {"shape": [1] * 17}}, 12), "no proper shape"),
        (with_header({"a": TENSOR | {"shape": [2**60]}}, 12), "no proper shape"),
        (with_header({"a": TENSOR | {"data_offsets": [12, 0]}}, 12), "no proper shape"),
        (with_header({"a": TENSOR | {"data_offsets": [-12, 0]}}, 12), "no proper shape"),
        (with_header({"a": TENSOR | {"data_offsets": [0, 12, 24]}}, 24), "no proper shape"),
        (with_header({"a": TENSOR | {"data_offsets": {"0": 12}}}, 24), "no proper shape"),
        (with_header({"a": TENSOR | {"shape": [2**52, 2**52]}}, 12), "does not fill its place"),
        (with_header({"a": TENSOR | {"data_offsets": [0, 13]}}, 13), "does not fill its place"),
        (with_header({"a": TENSOR, "b": TENSOR}, 12), "overlap or leave gaps"),
        (with_header({"a": TENSOR | {"data_offsets": [4, 16]}}, 16), "overlap or leave gaps"),
        (with_header({"a": TENSOR}, 11), "end at byte"),
        (with_header({"a": TENSOR}, 13), "end at byte"),
        (with_header(b'{"a": 1, "a": 2}'), "twice"),
    ],
)
def test_a_file_that_is_not_sound_is_refused_with_the_reason(content, reason):
    error = refused(content)
    assert reason in error.message
    assert "org/model" in error.message
    assert error.cause in (Cause.LOAD_ERROR, Cause.UNSAFE_FORMAT)


@pytest.mark.parametrize("length", [16 * 2**20 + 1, 100 * 2**20, 2**63, 2**64 - 1])
def test_an_oversized_header_is_refused_before_it_is_read(length):
    asked: list[tuple[str, int]] = []
    content = length.to_bytes(8, "little") + b"{}"
    with pytest.raises(RapportError) as caught:
        read_tensors(repository({"model.safetensors": content}, asked), ["model.safetensors"])
    assert caught.value.cause is Cause.UNSAFE_FORMAT
    assert asked == [("model.safetensors", 100_000)]


def test_headers_that_are_too_large_together_are_refused():
    header = with_header(json.dumps({"__metadata__": {"padding": " " * (15 * 2**20)}}).encode())
    files = {f"{number}.safetensors": header for number in range(5)}
    with pytest.raises(RapportError, match="larger than 64 MB together") as caught:
        read_tensors(repository(files), sorted(files))
    assert caught.value.cause is Cause.UNSAFE_FORMAT


def test_too_many_tensors_are_refused(monkeypatch):
    monkeypatch.setattr(safetensors_headers, "_MOST_TENSORS", 9)
    files = {
        f"{number}.safetensors": weights_file({f"{number}.{part}": ("F32", (1,)) for part in "abcde"})
        for number in (1, 2)
    }
    assert len(read_tensors(repository(files), ["1.safetensors"])) == 5
    with pytest.raises(RapportError, match="more than 9 tensors"):
        read_tensors(repository(files), sorted(files))


def test_what_stands_in_two_files_is_refused():
    files = {"a.safetensors": ONE, "b.safetensors": ONE}
    with pytest.raises(RapportError, match="'a' stands in another file"):
        read_tensors(repository(files), sorted(files))


def test_without_an_index_all_files_at_the_top_count():
    files = {"b.safetensors": ONE, "a.safetensors": ONE, "onnx/c.safetensors": ONE, "config.json": b"{}"}
    assert files_of(files) == ["a.safetensors", "b.safetensors"]


def test_with_an_index_only_its_files_count():
    files = {"b.safetensors": ONE, "a.safetensors": ONE, "consolidated.safetensors": ONE}
    assert files_of(files | index({"x": "b.safetensors", "y": "a.safetensors", "z": "b.safetensors"})) == [
        "a.safetensors",
        "b.safetensors",
    ]


@pytest.mark.parametrize(
    "place",
    [
        "../other/model.safetensors",
        "..\\other\\model.safetensors",
        "/etc/model.safetensors",
        "sub/model.safetensors",
        "pytorch_model.bin",
        "https://hub.example/x.safetensors",
        "",
        "..",
    ],
)
def test_an_index_that_leads_elsewhere_is_refused(place):
    assert files_refused({"model.safetensors": ONE, place: ONE} | index({"a": place})).cause is Cause.UNSAFE_FORMAT


@pytest.mark.parametrize("places", [None, [], {}, {"a": 1}, {"a": None}, {"a": ["model.safetensors"]}, "x"])
def test_an_index_that_says_nothing_is_refused(places):
    assert files_refused({"model.safetensors": ONE} | index(places)).cause is Cause.LOAD_ERROR


def test_an_index_that_names_a_missing_file_is_refused():
    error = files_refused({"model.safetensors": ONE} | index({"a": "gone.safetensors"}))
    assert (error.cause, "'gone.safetensors'" in error.message) == (Cause.LOAD_ERROR, True)


def test_ten_thousand_files_are_refused_before_one_is_read():
    files = {f"model-{number}.safetensors": ONE for number in range(10_000)}
    assert files_refused(files).cause is Cause.UNSAFE_FORMAT
    assert files_refused(files | index({name: name for name in files})).cause is Cause.UNSAFE_FORMAT
