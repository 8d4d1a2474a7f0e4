"""Settings come from the environment, and each says what it is for."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from leaderboard.settings import JudgeServer, Settings


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    """Whatever the shell that runs the tests has set does not count."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"RAPPORT_{name.upper()}", raising=False)
    monkeypatch.delenv("SYSTEM", raising=False)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_it_is_for_and_has_a_default(name):
    field = Settings.model_fields[name]
    assert field.description
    assert field.description.endswith(".")
    assert not field.is_required()


@pytest.mark.parametrize(
    ("variable", "value", "setting", "expected"),
    [
        ("RAPPORT_REDIS_URL", "redis://queue:6379/1", "redis_url", "redis://queue:6379/1"),
        ("RAPPORT_LEASE_SECONDS", "2.5", "lease_seconds", 2.5),
        ("RAPPORT_JOB_SECONDS", "60", "job_seconds", 60),
        ("RAPPORT_PROTOCOLS", '["demo-v1", "other"]', "protocols", ("demo-v1", "other")),
        ("RAPPORT_ALLOW_LOCAL_USER", "true", "allow_local_user", True),
        ("RAPPORT_CONTEXT_TOKENS", "8192", "context_tokens", 8192),
        ("RAPPORT_JUDGE_URL", "http://judge.internal:8000/v1", "judge_url", "http://judge.internal:8000/v1"),
        ("RAPPORT_JUDGE_CONTEXT", "4096", "judge_context", 4096),
        ("RAPPORT_JUDGE_FLAVOUR", "plain", "judge_flavour", "plain"),
        ("RAPPORT_JUDGES", "/srv/judges", "judges", Path("/srv/judges")),
        (
            "RAPPORT_JUDGE_SERVERS",
            '[{"judge": "mine", "url": "http://j:8000/v1", "key_variable": "J_KEY", "context": 4096}]',
            "judge_servers",
            (JudgeServer(judge="mine", url="http://j:8000/v1", key_variable="J_KEY", context=4096),),
        ),
    ],
)
def test_a_setting_is_an_environment_variable_with_our_prefix(monkeypatch, variable, value, setting, expected):
    monkeypatch.setenv(variable, value)
    assert getattr(Settings(), setting) == expected


def test_a_variable_without_our_prefix_is_not_a_setting(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere")
    assert Settings().redis_url == ""


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("RAPPORT_LEASE_SECONDS", "0"),
        ("RAPPORT_JOB_SECONDS", "soon"),
        ("RAPPORT_JOURNAL_SECONDS", "61"),
        ("RAPPORT_KV_CACHE_GIB", "-1"),
        ("RAPPORT_CONTEXT_TOKENS", "0"),
        ("RAPPORT_JUDGE_URL", "judge:8000"),
        ("RAPPORT_JUDGE_KEY_VARIABLE", "sk-0123"),
        ("RAPPORT_JUDGE_FLAVOUR", "other"),
        ("RAPPORT_JUDGE_CONTEXT", "-1"),
        ("RAPPORT_JUDGE_SERVERS", '[{"judge": "mine"}]'),
        ("RAPPORT_JUDGE_SERVERS", '[{"judge": "mine", "url": "judge:8000"}]'),
        ("RAPPORT_JUDGE_SERVERS", '[{"judge": "mine", "url": "http://j/v1", "flavour": "other"}]'),
        ("RAPPORT_JUDGE_SERVERS", '[{"judge": "mine", "url": "http://j/v1", "key": "sk-0123"}]'),
        ("RAPPORT_JUDGE_SERVERS", '[{"judge": "mine", "url": "http://j/v1"}, {"judge": "mine", "url": "http://k/v1"}]'),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValidationError, match=variable.removeprefix("RAPPORT_").lower()):
        Settings()


@pytest.mark.parametrize("variable", [f"RAPPORT_{name.upper()}" for name in Settings.model_fields])
def test_an_empty_variable_is_not_set(monkeypatch, variable):
    monkeypatch.setenv(variable, "")
    name = variable.removeprefix("RAPPORT_").lower()
    assert getattr(Settings(), name) == Settings.model_fields[name].default


def test_a_refused_value_is_not_shown_for_it_may_hold_a_key(monkeypatch):
    monkeypatch.setenv("RAPPORT_JUDGE_URL", "http://user:secret@judge/v1")
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("variable", ["sk-0123456789", "JUDGE"])
def test_a_key_is_named_by_a_variable_whose_value_is_kept_out_of_logs(monkeypatch, variable):
    told = f'[{{"judge": "mine", "url": "http://u:secret@j/v1", "key_variable": "{variable}"}}]'
    monkeypatch.setenv("RAPPORT_JUDGE_SERVERS", told)
    with pytest.raises(ValidationError, match="key_variable") as refused:
        Settings()
    assert "secret" not in str(refused.value)
    assert variable not in str(refused.value)


def test_settings_do_not_change_under_a_running_process():
    with pytest.raises(ValidationError, match="frozen"):
        Settings().redis_url = "redis://elsewhere"


def test_a_space_is_told_by_its_own_variable(monkeypatch):
    assert not Settings().on_space
    monkeypatch.setenv("SYSTEM", "spaces")
    assert Settings().on_space
