"""A data set is written whole, the same rows as the same bytes, and nothing else is touched."""

import os
from pathlib import Path

import pytest

from evaluator.human.data import HumanData
from evaluator.human.layout import HumanTables
from evaluator.human.records import Annotator, RaterKind
from evaluator.human.writing import encode_human_set, write_human_set
from tests.human.sets import ABOUT, as_json, honest, typed, without_roster


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_equal_rows_are_equal_bytes(tmp_path: Path) -> None:
    assert write_human_set(tmp_path / "a", typed(honest()), ABOUT)
    assert write_human_set(tmp_path / "b", typed(honest()), ABOUT)
    assert files(tmp_path / "a") == files(tmp_path / "b") == encode_human_set(typed(honest()), ABOUT)


def test_writing_the_same_again_changes_nothing(tmp_path: Path) -> None:
    write_human_set(tmp_path / "set", typed(honest()), ABOUT)
    before = {path: path.stat().st_ino for path in (tmp_path / "set").rglob("*")}
    assert not write_human_set(tmp_path / "set", typed(honest()), ABOUT)
    assert {path: path.stat().st_ino for path in (tmp_path / "set").rglob("*")} == before


def test_a_data_set_is_brought_up_to_date_and_other_files_stay(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    write_human_set(folder, typed(honest()), ABOUT)
    (folder / "attributes" / "part-0001.jsonl").write_text('{"old": 1}\n')
    (folder / "LICENSE").write_text("Mine")
    raw = honest()
    raw["prompts"][0]["text"] = "Another?"
    assert write_human_set(folder, typed(raw), ABOUT)
    assert files(folder) == {**encode_human_set(typed(raw), ABOUT), "LICENSE": b"Mine"}


def test_who_has_labelled_is_an_annotator_where_nobody_says_who_is(tmp_path: Path) -> None:
    assert encode_human_set(typed(without_roster()), ABOUT) == encode_human_set(typed(honest()), ABOUT)
    more = typed(honest())
    more = more._replace(annotators=(*more.annotators, Annotator(annotator_id="ann-4", kind=RaterKind.PERSON)))
    write_human_set(tmp_path / "set", more, ABOUT)
    assert HumanData.open(str(tmp_path / "set")).tables == more, "somebody may have labelled nothing yet"


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    assert write_human_set(tmp_path / "set", HumanTables(), ABOUT)
    assert HumanData.open(str(tmp_path / "set")).tables == HumanTables()


@pytest.mark.parametrize("name", ["README.md", "thesis.txt"])
def test_a_folder_with_something_else_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("# Mine")
    with pytest.raises(FileExistsError, match="something else"):
        write_human_set(tmp_path, typed(honest()), ABOUT)
    assert files(tmp_path) == {name: b"# Mine"}


def test_a_file_in_its_place_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "set").write_text("Mine")
    with pytest.raises(FileExistsError):
        write_human_set(tmp_path / "set", typed(honest()), ABOUT)


def test_a_new_folder_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OSError, match="No space"):
        write_human_set(tmp_path / "set", typed(honest()), ABOUT)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("written", range(9))
def test_whenever_an_update_is_interrupted_no_row_refers_to_one_to_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    folder = tmp_path / "set"
    write_human_set(folder, HumanTables(), ABOUT)
    replace, left = Path.replace, written

    def until_full(self: Path, target: Path) -> Path:
        nonlocal left
        if not left:
            raise OSError(28, "No space left on device")
        left -= 1
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", until_full)
    with pytest.raises(OSError, match="No space"):
        write_human_set(folder, typed(honest()), ABOUT)
    monkeypatch.undo()
    assert sum(map(bool, HumanData.open(str(folder)).tables)) == min(written, 8)
    assert not list(folder.rglob(".*.draft"))
    assert write_human_set(folder, typed(honest()), ABOUT)
    assert as_json(HumanData.open(str(folder)).tables) == as_json(typed(honest()))
