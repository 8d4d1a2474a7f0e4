"""The protocols that ship: each fits its judge, its prompts and its name, and one of them ranks."""

import pytest
from pydantic import ValidationError

from evaluator.context_mode import Bm25, Dense, FullHistory, GoldEvidence, TokenWindow
from evaluator.hicupid.data import HUB_DATA_SET
from evaluator.hicupid.prompts import builtin_pack
from evaluator.hicupid.questions import QuestionType
from evaluator.hicupid.scoring import total_of
from evaluator.human.tasks import JudgedTask, Task
from evaluator.judges.rater import rater_of
from evaluator.judges.spec import load_judge
from evaluator.protocol import (
    HicupidProtocol,
    HumanProtocol,
    Reference,
    human_protocol,
    is_reference,
    load_protocol,
    protocol_ids,
    synthetic_protocols,
)
from leaderboard.settings import Settings

ALL = {name: load_protocol(name) for name in protocol_ids()}
PROTOCOLS = {name: protocol for name, protocol in ALL.items() if isinstance(protocol, HicupidProtocol)}
HUMAN = {name: protocol for name, protocol in ALL.items() if isinstance(protocol, HumanProtocol)}
AS_OFFICIAL = {
    "gold-v1": {"context"},
    "seen-v1": {"splits"},
    "window-8k-v1": {"context"},
    "bm25-dialogue-5-v1": {"context"},
    "dense-dialogue-5-v1": {"context"},
    "few-3-v1": {"prompt_style"},
}
"""Protocols that change one thing of the official one, and what."""
DIGESTS = {
    "bm25-dialogue-5-v1": "0b9d22452906ae313a24dabbc5d720c419d6cb194ad115ebd70590cd4a89f44a",
    "canaries-v1": "5e890472525c9f01ac3a475b5417f1bfbe51ea5ee7e1d82114c3180fec41618a",
    "demo-v1": "64fa14e82eadee1869b53ef0db319f3afd9afa7899b47a007bb99e5ae062a944",
    "dense-dialogue-5-v1": "16324748a2388beafd719e1bcc6d8b21ef81c56fb6ec2d0a4361a55d7f6fd982",
    "few-3-v1": "890110e871f9a2995e177ae9d00e550919bd1d34b3e6601a8d6dd3f8e26180b4",
    "gold-v1": "f91d66713e09ad86726288c3e941f9a88db440238976f994adfe66dcf159ffdd",
    "human-comparison-demo-v1": "d860d20116c5fe0285777582e002244a340728650abf65271a1e0607aa16adba",
    "human-comparison-v1": "84fe111e9c7733ee8cdd847c1f3491df6215a08fb347fba2298bb8df34c4d33a",
    "human-extraction-demo-v1": "adf95a9900393733659483591eb994d0fb5e4bbdbc786d6587b034376872e4b1",
    "human-extraction-v1": "ac169cfb632685ed85dc51cc11f3feafd9c28b62312da20fef6e8376614e98a7",
    "human-extraction-synthetic-demo-v1": "26923da286eade0d7d2f72f424d5b3eaf047f0ebd01c400411d4e46007de0120",
    "human-extraction-synthetic-v1": "883cd346136e6076f9b960794eeaa2e4367660e7a477fb39524ac75bae598ba5",
    "human-rating-demo-v1": "3a48c14607977573be0cee52ebc5eab6f2f332dd66ff3837994fc48031cf01d1",
    "human-rating-v1": "d5bf6e99378dbe61f539950e58153feef3a852f43e5283e5b0b43d893eaa96b8",
    "human-relevance-demo-v1": "6e0be8753cf81d5dabdf227db805706707ebb2950a8e3d3a4ccc40e553c260e3",
    "human-relevance-synthetic-demo-v1": "1de6ed967409feb9444f46c3b02807223ea341061f25529dbfa3c2a8d300627a",
    "human-relevance-synthetic-v1": "d2953dca1103afb1b3c365b25668e9754664091cd0429aacb39f08503c3800da",
    "human-relevance-v1": "1dabcf0c0c443c5708f606d0fe982f207e0344cb353b9f9be4818664c8309bf6",
    "human-uplift-demo-v1": "451ea83e935993be5c9060130c77fb1bff38a8d0410c2c073768f754c1101c9f",
    "human-uplift-v1": "d2d42e4f26ea0eb950906bdd31144f9d7b047446e8ef5e7614a0d6a6748a2f14",
    "human-verification-demo-v1": "c9cf93448d09cc0881df208d648dca8ec59812ca1221748f99371a4142e5ae66",
    "human-verification-synthetic-demo-v1": "585929fe9117380d1bc76248e128fcc4e623d8daa802108d4a7ccf946ed5ec7f",
    "human-verification-synthetic-v1": "683655c457d627e40eb7b3f9ee6c27f9fb988f9d9f4e8ce8fa339353b6871e5d",
    "human-verification-v1": "b6f22809dc80bcc9de9dc3344b0d7401b390d93a60b443a7a30b678109624976",
    "official-v1": "4c76a5c58d94d668c174599bdcd4ac6aab4d868ca87110f770dbd956bb5aefb4",
    "paper": "e25afbf824ccc860689ad635e9e5f2df00ef8b024ed8c0002f166b1118f0fbb3",
    "seen-v1": "6d1370a4b43ee9edbece833ececf4c8197549fae898e90f6c8b062ecbd7b3a7f",
    "window-8k-v1": "28a5f40ea34ee70722b075da60f85bea708be376541bc2a08e2e111c9d94100d",
}
"""Every shipped protocol as it was published: one that changes takes a new id, and this list a new line."""


@pytest.mark.parametrize("name", ALL)
def test_a_protocol_that_was_published_does_not_change_under_its_id(name):
    assert ALL[name].digest() == DIGESTS.get(name)


def test_no_protocol_that_was_published_is_gone():
    assert set(DIGESTS) <= set(ALL)


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_a_whole_protocol_names_its_data_set_and_what_it_asks_of_it(protocol):
    whole = ("12kimih/HiCUPID", 10_000) if protocol.limit is None else (None, None)
    assert (protocol.data_set, protocol.items) == whole


def test_the_papers_setting_is_the_one_that_its_authors_released():
    paper = PROTOCOLS["paper"]
    assert (paper.prompt_style, paper.splits, paper.orders) == ("zero/system", ("test_1",), "one")
    drawn = paper.sampling
    assert (drawn.temperature, drawn.top_k, drawn.top_p, drawn.max_tokens) == (0.6, 50, 1.0, 200)


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


@pytest.mark.parametrize("protocol", HUMAN.values(), ids=HUMAN)
def test_a_protocol_of_peoples_labels_asks_all_of_them_unless_it_is_for_trying(protocol):
    assert protocol.official == (protocol.limit is None) == ("demo" not in protocol.id)
    synthetic = "synthetic-" if protocol.synthetic_of else ""
    assert protocol.id == f"human-{protocol.task}-{synthetic}{'v1' if protocol.official else 'demo-v1'}"
    assert rater_of(protocol).id == protocol.judge
    assert protocol.sampling.temperature == 0 < protocol.retry_temperature, "a second try can differ"
    assert protocol.limit is None or protocol.limit >= 10 or isinstance(protocol.task, JudgedTask)
    assert (protocol.references, protocol.published) == ((), ())
    assert protocol.title.endswith(".")


@pytest.mark.parametrize("protocol", [each for each in HUMAN.values() if each.synthetic_of], ids=lambda each: each.id)
def test_made_up_users_are_asked_what_people_are_asked_and_in_the_same_way(protocol):
    people = HUMAN[protocol.synthetic_of]
    assert people.synthetic_of is None
    assert protocol.conditions() == people.conditions()
    own = {"id", "title", "synthetic_of", "data_set"}
    assert protocol.model_dump(exclude=own) == people.model_dump(exclude=own)
    assert protocol.data_set == (HUB_DATA_SET if protocol.official else None)
    assert "made-up users" in protocol.title


def test_every_protocol_of_stages_1_and_2_has_one_on_made_up_users_and_the_default_has_both_of_one_word():
    both = {name for name, each in HUMAN.items() if each.task.stage < 3}
    assert synthetic_protocols().keys() == {name for name in both if HUMAN[name].synthetic_of is None}
    assert both == {*synthetic_protocols(), *synthetic_protocols().values()}
    default = Settings.model_fields["protocols"].default
    words = {name for name in both if isinstance(HUMAN[name].task, Task)}
    assert {name for name in words if not HUMAN[name].official} <= set(default)
    assert "human-extraction-synthetic-demo-v1" not in default, "its lists take too long for trying a site"


def test_only_what_is_known_of_made_up_users_can_be_asked_of_them():
    told = human_protocol("human-rating-v1").model_dump() | {"synthetic_of": "human-rating-v1"}
    with pytest.raises(ValidationError, match="only verification, extraction and relevance have a truth"):
        HumanProtocol.model_validate(told)


def test_every_task_has_its_protocol():
    official = {protocol.task for protocol in HUMAN.values() if protocol.official}
    assert official == {protocol.task for protocol in HUMAN.values()} == {*Task, *JudgedTask}


def test_every_protocol_has_the_rows_that_tell_its_scale():
    for protocol in PROTOCOLS.values():
        assert protocol.references == tuple(Reference), protocol.id


PUBLISHED = [(protocol.id, row) for protocol in PROTOCOLS.values() for row in protocol.published]


@pytest.mark.parametrize(("protocol", "row"), PUBLISHED, ids=[f"{row.label} {row.setting}" for _, row in PUBLISHED])
def test_the_total_reproduces_the_published_rows(protocol, row):
    assert total_of(row.persona, row.profile, row.schedule) == pytest.approx(row.total, abs=0.07)
    assert not PROTOCOLS[protocol].official
    assert "second-hand" in row.source


def test_the_papers_rows_are_all_there():
    assert {(row.label, row.setting, row.total) for _, row in PUBLISHED} == {
        ("GPT-4o-mini", "zero-shot", 30.4),
        ("GPT-4o-mini", "3-shot", 37.5),
        ("Llama-3.1-8B", "SFT+DPO", 44.6),
        ("Qwen2.5-7B", "SFT+DPO", 44.2),
    }


def test_a_submission_is_run_on_the_demo_protocols_of_both_suites_unless_told_otherwise():
    default = [load_protocol(name) for name in Settings.model_fields["protocols"].default]
    assert {protocol.suite for protocol in default} == {"hicupid", "human"}
    assert not any(protocol.official for protocol in default)


@pytest.mark.parametrize("reference", Reference)
def test_a_references_name_is_told_from_a_models(reference):
    assert is_reference(f"reference/{reference}")
    for name in (f"org/{reference}", f"References/{reference}", f"my/reference/{reference}", "local/reference"):
        assert not is_reference(name)
