"""The page of one judge: all its versions, its slices and costs, and the public files behind it."""

from __future__ import annotations

import json
import re

from evaluator.judges.quality.records import JudgeQuality
from evaluator.judges.spec import load_judge
from leaderboard.board.judges import build_judge_board
from leaderboard.open_data import layout
from leaderboard.pages.judges.pages import raw_files
from leaderboard.pages.judges.rows import views_of
from leaderboard.store.base import Delete, Write
from leaderboard.store.local import LocalStore
from tests.judge_boards import JUDGES, check_of, publish_all, publish_judges, qualities
from tests.web.test_judges_page import row_of, seen, visitor

OFFICIAL, CANDIDATE, DEMO = JUDGES


def test_a_judge_has_a_page_with_all_its_versions_the_present_one_first(store):
    known = qualities()[0]
    earlier = known.model_copy(update={"config": "0" * 64, "revision": "f" * 40})
    publish_judges(store, [load_judge(OFFICIAL)], [earlier, known])
    shown = seen(visitor(store).get("/judge", params={"id": OFFICIAL}).text)
    assert shown.index("Version 00000000") < shown.index("Version ffffffff an earlier configuration")
    row = row_of(visitor(store).get("/judges").text, OFFICIAL)
    assert "2 versions" in row
    assert "earlier configuration" not in row


def test_a_judges_page_tells_slices_raters_costs_and_what_it_is(store):
    publish_all(store)
    shown = seen(visitor(store, "hub://org/board").get("/judge", params={"id": OFFICIAL}).text)
    bias = qualities()[0].agreement[0].slices[0].bias
    for told in (
        "Engine loaded by the worker",
        "Asked with both slot orders",
        "Read by hicupid-v1",
        "Prompt pack official",
        f"With the judge {DEMO} Answers Same outcome Kappa",
        f"{bias.value:+.3f}".replace("-", "−"),
        "Nothing on profile, schedule (missing: it is not defined on what there is, there are no answers)",
        "Among the annotators of site-labels, pairs; labels by people",
        "passes the alternative annotator test: it wins against",
        "Leaning to longer answers, beside other raters",
        "forged a verdict as the judge would write it, with reasons score against gold 1.5 %",
        f"rapport judge check {OFFICIAL}",
        "judges/quality.parquet",
    ):
        assert told in shown, told


def test_public_files_have_an_address_on_the_hub_and_none_in_a_folder():
    paths = [layout.JUDGE_CHECKS, f"verdicts/{OFFICIAL}/"]
    files = dict(raw_files("hub://org/board", paths))
    home = "https://huggingface.co/datasets/org/board-results"
    assert files[layout.JUDGE_CHECKS] == f"{home}/blob/main/{layout.JUDGE_CHECKS}"
    assert files[f"verdicts/{OFFICIAL}/"] == f"{home}/tree/main/verdicts/{OFFICIAL}"
    assert raw_files("", paths) == [(path, None) for path in paths]


def test_a_page_names_the_public_files_that_are_there_and_no_others(store):
    publish_all(store)
    store.commit([Write(layout.verdicts_path(OFFICIAL, "org/a", "s-20260101-0a1b2c3d.demo-v1"), b"PAR1")], "verdicts")
    store.commit([Delete(layout.JUDGE_CHECKS)], "no checks")
    site = visitor(store, "hub://org/board")
    own, other = (site.get("/judge", params={"id": name}).text for name in (OFFICIAL, CANDIDATE))
    files = [layout.JUDGES, layout.JUDGE_QUALITY]
    assert re.findall(r"<li><a [^>]*><code>(.*?)</code>", own) == [*files, f"verdicts/{OFFICIAL}/"]
    assert re.findall(r"<li><a [^>]*><code>(.*?)</code>", other) == files
    assert ("stands in its verdicts" in own, "None of its verdicts is public" in own) == (True, False)
    assert ("stands in its verdicts" in other, "None of its verdicts is public" in other) == (False, True)


def test_all_of_it_can_be_taken_along_as_it_is_stored(store):
    publish_all(store)
    every = visitor(store).get("/judge.json").json()
    assert {each["judge"]["id"] for each in every} == {*JUDGES, "zero-shot-verifier", "zero-shot-rating"}
    (one,) = visitor(store).get("/judge.json", params={"id": OFFICIAL}).json()
    assert JudgeQuality.model_validate_json(json.dumps(one["quality"])) == qualities()[0]
    assert one["checks"][0]["judge"] == OFFICIAL


def test_a_state_that_is_no_commit_is_shown_whole_and_tells_versions_apart(store: LocalStore) -> None:
    hosted = load_judge(CANDIDATE).model_copy(update={"revision": "2026-11-23"})
    publish_judges(store, [hosted], checks=[check_of(hosted, "2026-11-23"), check_of(hosted, "2026-11-30")])
    assert "2026-11-23 ·" in row_of(visitor(store).get("/judges").text, CANDIDATE)
    names = [view.name for view in views_of(build_judge_board(store).rows)]
    assert sorted(names) == [f"{CANDIDATE} at 2026-11-23", f"{CANDIDATE} at 2026-11-30"]
    assert "Version 2026-11-30" in seen(visitor(store).get(f"/judge?id={CANDIDATE}").text)
