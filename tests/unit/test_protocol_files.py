"""A protocol may come from a file, as long as nothing is taken for a shipped or official one."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from evaluator.errors import Cause, RapportError
from evaluator.protocol import load_protocol, read_protocol

SHIPPED = (files("evaluator") / "protocols" / "demo-v1.yaml").read_text(encoding="utf-8")
OWN = SHIPPED.replace("id: demo-v1", "id: my-own")


def refused(path: Path) -> RapportError:
    with pytest.raises(RapportError) as caught:
        read_protocol(path)
    assert str(path) in caught.value.message
    return caught.value


def test_a_file_of_the_same_form_is_a_protocol(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(OWN)
    assert read_protocol(path) == load_protocol("demo-v1").model_copy(update={"id": "my-own"})


@pytest.mark.parametrize("text", [SHIPPED, OWN.replace("official: false", "official: true")])
def test_what_calls_itself_shipped_or_official_is_refused(tmp_path, text):
    path = tmp_path / "own.yaml"
    path.write_text(text)
    assert refused(path).cause is Cause.DATA_ERROR


@pytest.mark.parametrize("text", ["", "[", "id: my-own", OWN + "\nmore: 1\n", OWN.replace("judge: demo", "")])
def test_a_broken_file_is_named(tmp_path, text):
    path = tmp_path / "own.yaml"
    path.write_text(text)
    assert refused(path).cause is Cause.DATA_ERROR


@pytest.mark.parametrize(
    "text",
    [
        SHIPPED.replace("id: demo-v1", "id: human-own"),
        (files("evaluator") / "protocols" / "human-relevance-v1.yaml")
        .read_text(encoding="utf-8")
        .replace("id: human-relevance-v1", "id: my-own")
        .replace("official: true", "official: false"),
    ],
    ids=["hicupid", "human"],
)
def test_an_id_tells_the_suite_so_that_rows_are_told_apart_by_it(tmp_path, text):
    path = tmp_path / "own.yaml"
    path.write_text(text)
    assert "human-" in refused(path).message


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    assert refused(tmp_path / "nowhere.yaml").cause is Cause.NOT_FOUND
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    assert refused(tmp_path / "bytes.yaml").cause is Cause.NOT_FOUND
