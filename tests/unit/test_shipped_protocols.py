"""The protocols that ship: each fits its judge, its prompts and its name, and one of them ranks."""

import pytest

from evaluator.context_mode import Bm25, Dense, FullHistory, GoldEvidence, TokenWindow
from evaluator.hicupid.prompts import builtin_pack
from evaluator.hicupid.questions import QuestionType
from evaluator.hicupid.scoring import total_of
from evaluator.judges.spec import load_judge
from evaluator.protocol import Reference, all_protocols, is_reference, load_protocol
from leaderboard.settings import Settings

PROTOCOLS = {protocol.id: protocol for protocol in all_protocols()}
AS_OFFICIAL = {
    "gold-v1": {"context"},
    "seen-v1": {"splits"},
    "window-8k-v1": {"context"},
    "bm25-dialogue-5-v1": {"context"},
    "dense-dialogue-5-v1": {"context"},
    "few-3-v1": {"prompt_style"},
}
"""Protocols that change one thing of the official one, and what."""


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_a_protocol_fits_its_judge_and_its_prompts(protocol):
    judge = load_judge(protocol.judge)
    assert protocol.prompt_style in builtin_pack().inference
    assert set(protocol.types) == set(QuestionType), "without one of them there is no Total"
    assert protocol.sampling.pattern is None, "an answer is free"
    if protocol.limit is None:
        assert judge.status == "official"
        assert judge.prompt_pack == "official", "the distilled judge knows one wording"
    for type_ in QuestionType:
        assert judge.sampling_for(type_).temperature == 0, "a verdict can be repeated"
        assert judge.sampling_for(type_, attempt=2).temperature > 0, "a second attempt can differ"
    assert protocol.title.endswith(".")
    assert len(protocol.title) <= 125


def test_one_protocol_is_official_and_nothing_about_it_is_drawn_or_left_out():
    (official,) = [protocol for protocol in PROTOCOLS.values() if protocol.official]
    assert official.id == "official-v1"
    assert (official.splits, official.limit, official.orders) == (("test_2",), None, "both")
    assert (official.sampling.temperature, official.sampling.max_tokens) == (0, 200)
    assert (official.context, official.prompt_style) == (FullHistory(mode="full"), "zero/user")


@pytest.mark.parametrize(("name", "changed"), AS_OFFICIAL.items(), ids=AS_OFFICIAL)
def test_what_is_called_as_official_differs_from_it_in_one_thing(name, changed):
    ours, official = PROTOCOLS[name].model_dump(), PROTOCOLS["official-v1"].model_dump()
    assert {field for field in ours if ours[field] != official[field]} == {"id", "title", "official", *changed}


@pytest.mark.parametrize(
    ("name", "context"),
    [
        ("gold-v1", GoldEvidence(mode="gold")),
        ("window-8k-v1", TokenWindow(mode="window", tokens=8192)),
        ("bm25-dialogue-5-v1", Bm25(mode="bm25", unit="dialogue", k=5)),
        ("dense-dialogue-5-v1", Dense(mode="dense", encoder="facebook/contriever", unit="dialogue", k=5)),
    ],
)
def test_a_protocol_shows_what_its_name_says(name, context):
    assert PROTOCOLS[name].context == context


def test_every_protocol_has_the_rows_that_tell_its_scale():
    for protocol in PROTOCOLS.values():
        assert protocol.references == tuple(Reference), protocol.id


PUBLISHED = [(protocol.id, row) for protocol in PROTOCOLS.values() for row in protocol.published]


@pytest.mark.parametrize(("protocol", "row"), PUBLISHED, ids=[row.label for _, row in PUBLISHED])
def test_the_total_reproduces_the_published_rows(protocol, row):
    assert total_of(row.persona, row.profile, row.schedule) == pytest.approx(row.total, abs=0.07)
    assert not PROTOCOLS[protocol].official
    assert "second-hand" in row.source


def test_the_papers_rows_are_all_there():
    assert {(row.label, row.total) for _, row in PUBLISHED} == {
        ("GPT-4o-mini zero-shot", 30.4),
        ("GPT-4o-mini 3-shot", 37.5),
        ("Llama-3.1-8B SFT+DPO", 44.6),
        ("Qwen2.5-7B SFT+DPO", 44.2),
    }


def test_a_submission_is_run_on_the_demo_protocol_unless_told_otherwise():
    assert Settings.model_fields["protocols"].default == ("demo-v1",)
    assert not load_protocol("demo-v1").official


@pytest.mark.parametrize("reference", Reference)
def test_a_references_name_is_told_from_a_models(reference):
    assert is_reference(f"reference/{reference}")
    for name in (f"org/{reference}", f"References/{reference}", f"my/reference/{reference}", "local/reference"):
        assert not is_reference(name)
