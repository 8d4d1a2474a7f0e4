"""`rapport check --url`: what a site finds of a model, printed and ended with as the local form does it."""

from __future__ import annotations

import json
from pathlib import Path

from gradio_client import Client

from leaderboard.checks.records import CheckName, CheckReport
from leaderboard.settings import Settings
from tests.api.conftest import Rapport, Site
from tests.model_folders import make_adapter_folder, make_model_folder
from tests.web.test_guard import serving


def test_a_site_looks_at_a_good_model_under_its_own_protocols_and_nothing_is_submitted(
    site: Site, rapport: Rapport, client: Client
) -> None:
    code, out, err = rapport("check", "local/tiny", "--url", f"{site.url}/queue?page=1")
    assert (code, err) == (0, "")
    assert [line.split()[1] for line in out.splitlines()] == list(CheckName)
    assert "duplicate      It is new here." in out
    assert "no leaderboard is configured" not in out
    assert client.predict(api_name="/submissions")["total"] == 0

    entered = rapport("submit", "local/tiny", "--url", site.url)[1].split()[0]
    code, out, _ = rapport("check", "local/tiny", "--url", site.url)
    (known,) = [line for line in out.splitlines() if line.startswith("!! duplicate")]
    assert (code, f"under demo-v1 by {entered}" in known) == (0, True)
    told = "duplicate      It is new here."
    assert told in rapport("check", "local/tiny", "--thinking", "--url", site.url)[1], "thinking is another submission"


def test_all_that_is_asked_for_reaches_the_site_and_json_is_what_it_answers(
    site: Site, rapport: Rapport, client: Client
) -> None:
    make_adapter_folder(site.settings.models)
    asked = {"adapter": "local/lora", "thinking": True}
    code, out, _ = rapport("check", "local/tiny", "--adapter", "local/lora", "--thinking", "--json", "--url", site.url)
    assert code == 0
    assert json.loads(out) == client.predict(model="local/tiny", **asked, api_name="/check")
    assert CheckReport.model_validate_json(out).adapter == "local/lora"
    for option in ("--revision", "--adapter-revision"):
        found = rapport("check", "local/tiny", "--adapter", "local/lora", option, "main", "--url", site.url)
        assert (found[0], "NO" in found[1]) == (1, True), option


def test_a_model_that_cannot_be_submitted_ends_with_one_and_says_what_to_do(site: Site, rapport: Rapport) -> None:
    make_model_folder(site.settings.models, "base", leave_out=["tokenizer_config.json"])
    code, out, err = rapport("check", "local/base", "--url", site.url)
    (line,) = [line for line in out.splitlines() if line.startswith("NO")]
    assert (code, err) == (1, "")
    assert "Submit an instruction-tuned model" in line


def test_names_that_a_stranger_chose_do_not_reach_the_terminal_as_they_are(site: Site, rapport: Rapport) -> None:
    make_model_folder(site.settings.models, "red", config__json='{"architectures": ["\\u001b[31mRed\\u202e"]}')
    code, out, _ = rapport("check", "local/red", "--url", site.url)
    assert (code, "Red" in out) == (1, True)
    assert all(line.isprintable() for line in out.splitlines())


def test_a_site_whose_redis_is_away_has_not_answered(tmp_path: Path, rapport: Rapport) -> None:
    settings = Settings(data=tmp_path / "data", models=tmp_path / "models", allow_local_user=True)
    make_model_folder(settings.models, "tiny")
    with serving(settings, f"unix://{tmp_path}/nobody.sock") as url:
        code, out, _ = rapport("check", "local/tiny", "--url", url)
    assert (code, "?? duplicate" in out, "NO" in out) == (3, True, False)


def test_what_a_site_refuses_to_look_at_is_one_sentence(
    site: Site, rapport: Rapport, tmp_path: Path, redis_url
) -> None:
    code, out, err = rapport("check", "m" * 201, "--url", site.url)
    assert (code, out) == (1, "")
    assert err.startswith("rapport: data_error: The argument `model` is not filled in properly")
    with serving(Settings(data=tmp_path / "nobody"), redis_url) as url:
        code, out, err = rapport("check", "local/tiny", "--url", url)
    assert (code, out) == (1, "")
    assert err.splitlines()[-1].startswith("rapport: forbidden: Nobody can log in here.")


def test_no_protocol_is_chosen_for_a_site(rapport: Rapport) -> None:
    code, out, err = rapport("check", "local/tiny", "--protocol", "demo-v1", "--url", "http://127.0.0.1:1")
    assert (code, out) == (2, "")
    assert "a site looks at the protocols that it runs" in " ".join(err.replace("│", " ").split())
