"""What an engine process inherits: what it needs to run, and nothing that opens a door."""

import pytest

from evaluator.engines.child import environment


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
    ],
)
def test_an_engine_sees_no_secret(monkeypatch, name):
    monkeypatch.setenv(name, "open sesame")
    seen = environment()
    assert name not in seen
    assert "open sesame" not in seen.values()


@pytest.mark.parametrize("name", ["PATH", "HOME", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "OMP_NUM_THREADS"])
def test_an_engine_keeps_what_it_needs_to_run(monkeypatch, name):
    monkeypatch.setenv(name, "as it was")
    assert environment()[name] == "as it was"


def test_an_engine_never_calls_the_hub_or_reports_its_use(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("VLLM_NO_USAGE_STATS", "0")
    seen = environment()
    assert (seen["HF_HUB_OFFLINE"], seen["VLLM_NO_USAGE_STATS"], seen["DO_NOT_TRACK"]) == ("1", "1", "1")
