"""The data-set cards: written from the records, readable by machines, and complete."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from huggingface_hub import DatasetCard

from evaluator.human.people import People
from evaluator.judges.spec import load_judge
from evaluator.protocol import load_protocol, protocol_ids
from leaderboard.open_data import layout
from leaderboard.open_data.card import archive_card, requests_card, results_card
from leaderboard.open_data.columns import columns_of
from leaderboard.open_data.configs import REQUESTS, RESULTS, Config, features_of
from leaderboard.store.parquet import schema_of

PROTOCOLS = [load_protocol(name) for name in protocol_ids()]
JUDGES = [load_judge(name) for name in sorted({protocol.judge for protocol in PROTOCOLS} - {People().id})]
RESULTS_CARD = results_card("org/rapport-results", "org/rapport-requests", PROTOCOLS, JUDGES)
REQUESTS_CARD = requests_card("org/rapport-requests", "org/rapport-results")
ARCHIVE_CARD = archive_card("org/rapport-archive", "org/rapport-results", "org/rapport-requests")
EVERY = [(RESULTS_CARD, config) for config in RESULTS] + [(REQUESTS_CARD, config) for config in REQUESTS]


def front(card: str) -> Any:
    _, matter, _ = card.split("---\n", 2)
    return yaml.safe_load(matter)


def section(card: str, title: str) -> str:
    _, _, rest = card.partition(f"{title}\n")
    return re.split(r"\n##+ ", rest)[0]


def cells(table: str) -> list[list[str]]:
    lines = [line for line in table.splitlines() if line.startswith("| ")]
    return [re.split(r"(?<!\\) \| ", line[2:-2]) for line in lines[2:]]


def test_the_results_have_the_configs_that_were_promised() -> None:
    names = [each["config_name"] for each in front(RESULTS_CARD)["configs"]]

    assert names == [
        *("board", "changes", "scorecards", "user_scores", "human_scorecards", "human_figures"),
        *("generations", "verdicts", "judges", "judge_quality", "judge_checks", "labels", "annotators"),
    ]
    assert [each["config_name"] for each in front(RESULTS_CARD)["dataset_info"]] == names
    assert [each["config_name"] for each in front(RESULTS_CARD)["configs"] if each.get("default")] == ["board"]


@pytest.mark.parametrize(("card", "config"), EVERY, ids=lambda value: getattr(value, "name", ""))
def test_every_column_of_every_config_is_described_with_its_type(card: str, config: Config) -> None:
    told = cells(section(card, f"### {config.name}"))
    fields = columns_of(config.kind).model_fields

    assert [name.strip("`") for name, _, _ in told] == list(fields)
    assert all(kind and len(meaning) > 10 for _, kind, meaning in told)


@pytest.mark.parametrize(("card", "config"), EVERY, ids=lambda value: getattr(value, "name", ""))
def test_every_config_has_its_licence_and_files(card: str, config: Config) -> None:
    (line,) = [each for each in cells(section(card, "## Parts and their licences")) if each[0] == f"`{config.name}`"]

    assert line[2:] == [f"`{config.files}`", config.licence]


@pytest.mark.parametrize("config", [*RESULTS, *REQUESTS], ids=lambda config: config.name)
def test_declared_types_are_those_that_the_files_have(config: Config) -> None:
    from datasets import Features

    schema = schema_of(columns_of(config.kind))

    assert features_of(config.kind) == Features.from_arrow_schema(schema)._to_yaml_list()


def test_what_people_are_asked_and_who_judges_is_told_of_protocols() -> None:
    told = {line[0]: line[2:6] for line in cells(section(RESULTS_CARD, "## Protocols"))}

    assert told["human-relevance-v1"] == ["human", "relevance", "human-v1", "people"]
    assert told["demo-v1"] == ["hicupid", "-", "the run's prompt pack", "demo"]
    assert "The judge `people`" in section(RESULTS_CARD, "## Judges")
    assert "say nothing of people" in " ".join(section(RESULTS_CARD, "## Judges").split())


def test_all_protocols_and_judges_are_named() -> None:
    assert [line[0] for line in cells(section(RESULTS_CARD, "## Protocols"))] == protocol_ids()
    assert [line[0] for line in cells(section(RESULTS_CARD, "## Judges"))] == [judge.id for judge in JUDGES]


@pytest.mark.parametrize("card", [RESULTS_CARD, REQUESTS_CARD, ARCHIVE_CARD])
def test_the_hubs_own_reader_reads_the_card(card: str) -> None:
    read = DatasetCard(card)

    assert read.data.license
    assert read.data.tags == ["leaderboard", "llm-evaluation", "personalization"]
    assert read.text.startswith("\n# Rapport: ")


@pytest.mark.parametrize("card", [RESULTS_CARD, REQUESTS_CARD])
def test_a_reader_learns_how_to_load_and_to_cite(card: str) -> None:
    name = re.search(r'load_dataset\("(org/rapport-\w+)", "(board|requests)", split="train"\)', card)

    assert name is not None
    entries = re.findall(r"^@\w+\{([^,]+),$", section(card, "## How to cite"), re.MULTILINE)
    assert entries == ["rapport2026", "mok2025hicupid"]
    bibtex = section(card, "## How to cite")
    assert bibtex.count("{") == bibtex.count("}")
    assert "https://huggingface.co/datasets/org/rapport-results" in bibtex


def test_the_archive_is_not_offered_to_visitors() -> None:
    assert front(ARCHIVE_CARD)["viewer"] is False
    assert "configs" not in front(ARCHIVE_CARD)
    assert "load_dataset" not in ARCHIVE_CARD


def test_a_title_cannot_break_out_of_its_cell() -> None:
    hostile = PROTOCOLS[0].model_copy(update={"title": "A | B\n## Not a heading"})

    card = results_card("org/r", "org/q", [hostile], [])

    assert cells(section(card, "## Protocols"))[0][-1] == "A \\| B ## Not a heading"
    assert cells(section(card, "## Judges")) == []


def test_patterns_of_files_fit_the_layout() -> None:
    patterns = {config.name: config.files for config in (*RESULTS, *REQUESTS)}
    run = "s-20260101-0a1b2c3d.demo-v1"
    paths = {
        "board": layout.BOARD,
        "changes": layout.CHANGES,
        "scorecards": layout.scorecards_path("org/m"),
        "user_scores": layout.user_scores_path("org/m"),
        "human_scorecards": layout.human_scorecards_path("org/m"),
        "human_figures": layout.human_figures_path("org/m"),
        "generations": layout.generations_path("org/m", run),
        "verdicts": layout.verdicts_path("demo", "org/m", run),
        "judges": layout.JUDGES,
        "judge_quality": layout.JUDGE_QUALITY,
        "judge_checks": layout.JUDGE_CHECKS,
        "labels": layout.labels_path("org/set", "relevance"),
        "annotators": layout.ANNOTATORS,
        "requests": layout.request_path("s-20260101-0a1b2c3d"),
    }
    assert patterns.keys() == paths.keys()
    for name, path in paths.items():
        pattern = re.escape(patterns[name]).replace(r"\*\*/", "(?:[^/]+/)*").replace(r"\*", "[^/]*")
        assert re.fullmatch(pattern, path), name
