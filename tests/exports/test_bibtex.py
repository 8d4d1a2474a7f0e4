"""Citations: one entry and two papers, whatever stands in the names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.exports.bibtex import board_bib, scorecard_bib, tex
from leaderboard.exports.entry import Edition
from tests.exports.entries import EDITION, columns_of_board, make_card, make_entry

HOSTILE = [
    "}}\n@misc{evil, title={x}",
    "\\input{/etc/passwd}",
    "\\write18{rm}",
    "100% & $5 #1 a_b ~x ^y",
    '"quotes" and {braces',
    "日本語 é",
    "\x00\r\n\t",
]


def parsed(text: str) -> list[tuple[str, str, dict[str, str]]]:
    """Reads entries as BibTeX does: every brace counts, an escaped one too."""
    entries, place = [], 0
    while (start := text.find("@", place)) >= 0:
        assert not text[place:start].strip(), "nothing stands between entries"
        opening = text.index("{", start)
        depth, end = 0, opening
        for end in range(opening, len(text)):
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            if depth == 0:
                break
        assert depth == 0, "braces are balanced"
        key, _, body = text[opening + 1 : end].partition(",")
        entries.append((text[start + 1 : opening], key, fields_of(body)))
        place = end + 1
    assert not text[place:].strip()
    return entries


def fields_of(body: str) -> dict[str, str]:
    fields, place = {}, 0
    while found := re.compile(r"\s*(\w+)\s*=\s*\{").match(body, place):
        depth, end = 1, found.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(body[end], 0)
            end += 1
        fields[found[1]] = body[found.end() : end - 1]
        place = end + 1
        assert body[end] == ","
    assert not body[place:].strip()
    return fields


def test_a_scorecard_is_cited_with_version_date_and_revision_beside_both_papers() -> None:
    card = make_card(unranked_because=("built-in prompts",))
    (kind, key, own), *papers = parsed(scorecard_bib(make_entry(card), EDITION).decode())
    assert (kind, key) == ("misc", f"rapport:{card.id.replace('@', ':')}")
    assert (own["year"], own["date"]) == ("2026", "2026-03-01")
    assert EDITION.revision in own["version"]
    assert card.id in own["version"]
    for part in (
        f"model revision {'a' * 40}",
        "Total 48.25",
        r"95 \% interval 45.25 to 51.25, 12 users",
        "3 of 3 items judged",
        "not ranked: built-in prompts",
    ):
        assert part in own["note"]
    assert own["url"] == f"https://rapport.example/submission?id={card.submission_id}"
    assert [paper[2]["eprint"] for paper in papers] == ["2506.01262", "2606.06614"]


def test_the_board_is_cited_at_its_state() -> None:
    rows = columns_of_board(make_card("org/one"), make_card("org/two"))
    (_, key, own), *papers = parsed(board_bib(rows, EDITION).decode())
    assert key == f"rapport:board:{EDITION.revision}"
    assert (own["date"], own["note"], own["url"]) == ("2026-03-01", "scorecards: 2", "https://rapport.example")
    assert EDITION.revision in own["version"]
    assert len(papers) == 2


def test_a_board_without_rows_or_address_leaves_out_what_is_not_known() -> None:
    (_, _, own), *_ = parsed(board_bib([], Edition("r")).decode())
    assert own.keys() == {"title", "author", "version", "note"}


def test_a_missing_total_is_called_missing() -> None:
    (_, _, own), *_ = parsed(scorecard_bib(make_entry(make_card(total=None)), EDITION).decode())
    assert "Total missing; no interval" in own["note"]
    assert "worst case missing" in own["note"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_within_their_field(name: str) -> None:
    found = parsed(scorecard_bib(make_entry(make_card(f"org/{name}", submitter=name)), EDITION).decode())
    assert len(found) == 3
    assert found[0][2].keys() >= {"title", "note", "version", "url", "year"}


@given(st.text(max_size=60))
def test_tex_leaves_no_sign_that_means_anything_to_it(text: str) -> None:
    written = tex(text)
    assert "\n" not in written
    bare = re.sub(r"\\text[a-z]+\{\}|\\[$&#%_]", "", written)
    assert not set(bare) & set('\\{}$&#%_~^<>|"')
    assert all(char.isprintable() or ord(char) > 0xA0 for char in bare)
