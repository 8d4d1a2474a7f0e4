"""docs/exports.md names every format, every address and every part of a figure."""

from __future__ import annotations

import re
from pathlib import Path

import huggingface_hub
import yaml

from leaderboard.exports.every_eval_ever import SCHEMA_VERSION
from leaderboard.exports.formats import BOARD, BOARD_FORMATS, CARD_FORMATS, HUMAN_FORMATS, SCORECARDS
from leaderboard.exports.json_file import ExportedBoard, ExportedHumanFigures, ExportedScorecard
from leaderboard.open_data.board import OpenScorecard, OpenTotal
from leaderboard.open_data.columns import columns_of
from leaderboard.open_data.human import OpenHumanFigure

PAGE = (Path(__file__).parents[2] / "docs" / "exports.md").read_text(encoding="utf-8")


def test_every_address_stands_there_with_its_type_and_no_other() -> None:
    expected = {f"{BOARD}/{name}": form.media_type for name, form in (*BOARD_FORMATS.items(), *HUMAN_FORMATS.items())}
    expected |= {f"{SCORECARDS}/ID{ending}": form.media_type for ending, form in CARD_FORMATS.items()}
    assert dict(re.findall(r"^\| `(/exports/\S+)` \| .+ \| `(.+)` \|$", PAGE, re.MULTILINE)) == expected


def test_every_format_has_a_section_with_an_example() -> None:
    sections = dict(re.findall(r"^## (.+?)\n(.+?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
    for name in (*BOARD_FORMATS, *HUMAN_FORMATS, *(f"ID{ending}" for ending in CARD_FORMATS)):
        (text,) = [text for heading, text in sections.items() if f"`{name}`" in heading]
        assert "```" in text, f"{name} has an example"


def test_versions_are_those_of_the_code() -> None:
    assert f"Every Eval Ever, schema {SCHEMA_VERSION} " in PAGE
    assert f"huggingface_hub {'.'.join(huggingface_hub.__version__.split('.')[:2])} " in PAGE
    for kind in (ExportedBoard, ExportedScorecard, ExportedHumanFigures):
        assert kind.model_fields["schema_version"].default == 1, "then the page says another version"
    for file, row in (("board", OpenScorecard), ("human", OpenHumanFigure)):
        version = row.model_fields["schema_version"].default
        for name in ("csv", "parquet"):
            (told,) = re.findall(
                rf"^\| `/exports/{file}\.{name}` \| .+ rows of version ([0-9]+) \|", PAGE, re.MULTILINE
            )
            assert int(told) == version


def test_columns_that_are_named_exist_and_each_part_of_a_figure_is_named() -> None:
    table = PAGE.partition("| column | what stands there |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`(\w+)`", table))
    assert named <= columns_of(OpenScorecard).model_fields.keys()
    assert {f"total_{part}" for part in OpenTotal.model_fields if part != "value"} <= named


def test_columns_of_human_figures_that_are_named_are_all_that_there_are_but_names_of_files() -> None:
    text = PAGE.partition("## `human.csv`")[2].partition("\n## ")[0]
    table = text.partition("| column | what stands there |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in table.splitlines() if "|" in line)))
    assert named == OpenHumanFigure.model_fields.keys() - {"schema_version", "rows_sha"}


def test_the_yaml_that_is_shown_has_the_fields_that_are_written() -> None:
    (shown,) = re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)
    (entry,) = yaml.safe_load(shown)
    assert entry.keys() == {"dataset", "value", "date", "source", "notes"}
