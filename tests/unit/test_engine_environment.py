"""What an engine process inherits: what it needs to run, and nothing that opens a door."""

from pathlib import Path

import pytest

from evaluator.engines.launch import environment
from evaluator.errors import Cause, RapportError

HOME = Path("/private/home")


@pytest.mark.parametrize(
    "name",
    [
        "HF_TOKEN",
        "HUGGING_FACE_HUB_TOKEN",
        "RAPPORT_REDIS_URL",
        "redis_url",
        "OAUTH_CLIENT_SECRET",
        "OPENAI_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "REDIS_PASSWORD",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "SIGNING_KEY",
        "MYSQL_PASSWD",
        "VLLM_API_KEY",
        "HTTP_PROXY",
        "RAPPORT_DATA",
    ],
)
def test_an_engine_sees_no_secret(monkeypatch, name):
    monkeypatch.setenv(name, "open sesame")
    seen = environment(HOME)
    assert name not in seen
    assert "open sesame" not in seen.values()


@pytest.mark.parametrize("name", ["PATH", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "OMP_NUM_THREADS"])
def test_an_engine_keeps_what_it_needs_to_run(monkeypatch, name):
    monkeypatch.setenv(name, "as it was")
    assert environment(HOME)[name] == "as it was"


@pytest.mark.parametrize(
    "name",
    [
        "HOME",
        "TMPDIR",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "HF_HOME",
        "VLLM_CACHE_ROOT",
        "VLLM_CONFIG_ROOT",
        "TORCH_HOME",
        "CUDA_CACHE_PATH",
    ],
)
def test_whatever_an_engine_keeps_is_in_a_home_of_its_own(monkeypatch, name):
    monkeypatch.setenv(name, "/home/of/its/owner")
    assert Path(environment(HOME)[name]).is_relative_to(HOME)


def test_an_engine_never_calls_the_hub_or_reports_its_use(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("VLLM_NO_USAGE_STATS", "0")
    monkeypatch.setenv("VLLM_HOST_IP", "203.0.113.9")
    seen = environment(HOME)
    assert (seen["HF_HUB_OFFLINE"], seen["VLLM_NO_USAGE_STATS"], seen["DO_NOT_TRACK"]) == ("1", "1", "1")
    assert seen["VLLM_HOST_IP"] == "127.0.0.1"


@pytest.mark.parametrize("named", ["root", "-1", "4294967295", "1.5", "١"])
def test_a_user_that_is_none_is_refused_before_anything_starts(monkeypatch, named):
    from evaluator.engines.launch import confinement_here

    monkeypatch.setenv("RAPPORT_ENGINE_UID", named)
    with pytest.raises(RapportError, match="RAPPORT_ENGINE_UID") as refusal:
        confinement_here()
    assert refusal.value.cause is Cause.INFRASTRUCTURE
    assert refusal.value.remedy
