"""Models and judges that are served elsewhere, by a server that knows only what all of them know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rich.console import Console

from evaluator.ask import ModelAnswers
from evaluator.context_mode import Dense
from evaluator.engines.base import EndpointSpec, Message, Request, Sampling
from evaluator.errors import Cause, RapportError
from evaluator.models import PinnedModel, pin, pin_encoder
from evaluator.records import Generation
from evaluator.setup import HicupidSetup, questions_of
from leaderboard.people import Person
from leaderboard.settings import Settings
from leaderboard.submissions.ledger import Ledger
from leaderboard.submissions.service import SubmissionService
from tests.builders import make_declaration
from tests.engines.endpoint.proxy import Answer, Drop, Fault, Proxy
from tests.model_folders import make_adapter_folder, make_model_folder
from tests.plain_server import plain_server
from tests.scripted import make_setup, users_in
from tests.tiny_encoder import make_tiny_encoder
from worker import jobs
from worker.engines import Endpoints, RunEngines, judge_endpoint
from worker.local.cli import run
from worker.local.evaluation import Wanted, evaluate
from worker.local.folder import Folder, read_lines
from worker.local.progress import Progress
from worker.planning import Candidate, Conditions

VERDICT = "Both name the lake.\nBetter Response: Tie\n"
KEY = "canary-key-of-the-test"


def talk(messages: list[dict[str, Any]]) -> str:
    """Judges what asks for a verdict and answers everything else."""
    asked = messages[-1]["content"] + messages[0]["content"]
    if "Satisfaction:" in asked:
        return "Satisfaction: YES"
    return VERDICT if "Better Response:" in asked else f"An answer of {len(messages)} messages."


@pytest.fixture
def server() -> Iterator[Proxy]:
    with plain_server(talk) as running:
        yield running


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> HicupidSetup:
    return make_setup(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def served(server: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """What a worker's environment says of a judge behind that server."""
    told = {
        "MODELS": str(tmp_path),
        "JUDGE_URL": server.url,
        "JUDGE_NAME": "the-judge",
        "JUDGE_KEY_VARIABLE": "RAPPORT_TEST_KEY",
        "JUDGE_FLAVOUR": "plain",
        "JUDGE_CONTEXT": "4096",
    }
    for name, value in told.items():
        monkeypatch.setenv(f"RAPPORT_{name}", value)
    monkeypatch.setenv("RAPPORT_TEST_KEY", KEY)
    return Settings()


def engines_of(
    setup: HicupidSetup, settings: Settings, tmp_path: Path, model: EndpointSpec | None = None
) -> RunEngines:
    endpoints = Endpoints(model, judge_endpoint(settings, setup.judge))
    return RunEngines(setup, settings, tmp_path / "engine", endpoints)


def test_a_worker_asks_the_judge_where_its_settings_say_and_loads_none(
    setup: HicupidSetup, served: Settings, server: Proxy, tmp_path: Path
) -> None:
    gold = setup._replace(model=PinnedModel("reference/gold", ""))
    with engines_of(gold, served, tmp_path) as engines:
        judge = engines.judge()
        asked = Request("j", "judge", (Message("user", "Better Response: ?"),))
        (said,) = judge.generate([asked], Sampling(max_tokens=8))

    assert (judge.info.engine, judge.info.context_length) == ("openai", 4096)
    assert (said.text, said.cached_tokens, said.shared_tokens) == (VERDICT, None, None)
    (chat,) = server.chats()
    assert chat.body is not None
    assert chat.body["model"] == "the-judge"
    assert chat.headers["authorization"] == f"Bearer {KEY}"


def test_a_job_has_its_verdicts_from_that_judge(
    served: Settings, server: Proxy, redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RAPPORT_REDIS_URL", redis_url)
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path / "data"))
    make_model_folder(tmp_path, "SmolLM2-135M-Instruct")
    service = SubmissionService(Settings(), redis)
    view = service.submit("reference/gold", None, make_declaration(), Person("maintainer", maintainer=True))

    jobs.evaluate(view.runs[0].id)

    failure = Ledger(redis).view(view.submission.id).runs[0].failure
    assert failure is not None
    # The demo judge is forced into its format, which a plain server cannot be told.
    assert "server of the-judge (plain) cannot follow" in failure.message


def test_without_an_address_the_judge_runs_here(setup: HicupidSetup) -> None:
    assert judge_endpoint(Settings(judge_url=None), setup.judge) is None


@pytest.mark.parametrize(
    ("fault", "cause"), [(Answer(401, {}), Cause.JUDGE_ERROR), (Drop(), Cause.INFRASTRUCTURE)], ids=["refuses", "gone"]
)
def test_a_judge_that_is_gone_for_now_is_tried_again_and_one_that_refuses_us_is_not(
    fault: Fault, cause: Cause, setup: HicupidSetup, served: Settings, server: Proxy, tmp_path: Path
) -> None:
    gold = setup._replace(model=PinnedModel("reference/gold", ""))
    server.faults = lambda asked: fault
    judge = judge_endpoint(served, setup.judge)
    assert judge is not None
    hasty = Endpoints(judge=judge.model_copy(update={"retries": 0}))
    with (
        RunEngines(gold, served, tmp_path / "engine", hasty) as engines,
        pytest.raises(RapportError, match="The judge demo: ") as failed,
    ):
        engines.judge()
    assert failed.value.cause is cause


def test_the_memory_of_an_encoder_counts_towards_the_highest(
    setup: HicupidSetup, served: Settings, server: Proxy, tmp_path: Path
) -> None:
    make_tiny_encoder(tmp_path / "encoder")
    pinned = pin_encoder("local/encoder", None, tmp_path)
    mode = Dense(mode="dense", encoder=pinned.model, revision=pinned.sha, unit="dialogue", k=1)
    dense = setup._replace(protocol=setup.protocol.model_copy(update={"context": mode}))
    model = EndpointSpec(base_url=server.url, model="m", flavour="plain", context_length=32768)
    user = users_in(dense)[0]
    with engines_of(dense, served, tmp_path, model) as engines:
        source = engines.source()
        assert isinstance(source, ModelAnswers)
        assert engines.peak_rss_mb() == 0
        source.contexts.of(dense.data.history(user.split, user.user_id), questions_of(dense, user)[:1])
        assert engines.peak_rss_mb() > 100


def test_a_whole_evaluation_runs_against_servers_that_count_no_tokens(
    setup: HicupidSetup, served: Settings, server: Proxy, tmp_path: Path
) -> None:
    make_model_folder(tmp_path, "tiny")
    make_model_folder(tmp_path, "judge")
    judge = setup.judge.model_copy(update={"patterns": None, "model": "local/judge"})
    endpoint = EndpointSpec(base_url=server.url, model="m", flavour="plain", context_length=32768)
    done = evaluate(
        Wanted(
            Candidate(pin("local/tiny", None, tmp_path), None, thinking=False),
            Conditions(setup.protocol, judge, "builtin", "demo"),
            Endpoints(endpoint, judge_endpoint(served, judge)),
            limit=6,
            out=tmp_path / "out",
        ),
        served,
        Progress(Console(quiet=True)),
    )

    answers = read_lines(Folder(done.folder).generations, Generation)
    assert [(row.cached_tokens, row.shared_tokens) for row in answers] == [(None, None)] * 6
    assert (done.scorecard.result.generations, done.scorecard.result.judged) == (6, 6)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with models that are only looked at."""
    for name in ("tiny", "SmolLM2-135M-Instruct"):
        make_model_folder(tmp_path / "models", name)
    make_adapter_folder(tmp_path / "models")
    for name in Settings.model_fields:
        monkeypatch.delenv(f"RAPPORT_{name.upper()}", raising=False)
    monkeypatch.setenv("RAPPORT_MODELS", str(tmp_path / "models"))
    return tmp_path


def rapport(place: Path, *options: str, model: str = "local/tiny") -> int:
    return run(["evaluate", model, "--protocol", "demo-v1", "--limit", "6", "--out", str(place / "out"), *options])


@pytest.mark.parametrize(("context", "answered"), [("32768", 6), ("120", 0)])
def test_kind_and_context_of_a_server_are_options(
    context: str, answered: int, place: Path, server: Proxy, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ["--model-url", server.url, "--model-flavour", "plain", "--model-context", context]
    judge = ["--judge-url", server.url, "--judge-flavour", "plain", "--judge-context", "4096"]

    code = rapport(place, *model, *judge)

    rows = read_lines(Folder(place / "out").generations, Generation)
    assert (len(rows), len([row for row in rows if row.answer])) == (6, answered)
    # The demo judge is forced into its format, which a plain server cannot be told.
    assert (code, "forced pattern" in capsys.readouterr().err) == ((1, True) if answered else (0, False))


def test_a_plain_server_without_a_declared_context_is_refused(
    place: Path, server: Proxy, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rapport(place, "--judge-url", server.url, "--judge-flavour", "plain", model="reference/gold") == 1
    assert "does not tell how long a prompt may be" in capsys.readouterr().err


def test_the_judge_of_the_settings_is_that_of_the_command_too(
    place: Path, server: Proxy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAPPORT_JUDGE_URL", server.url)
    monkeypatch.setenv("RAPPORT_JUDGE_FLAVOUR", "plain")
    monkeypatch.setenv("RAPPORT_JUDGE_CONTEXT", "4096")

    assert rapport(place, model="reference/gold") == 1

    assert "forced pattern" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--model-flavour", "plain"], "--model-url"),
        (["--judge-context", "4096"], "--judge-url"),
        (["--judge-key", "KEY"], "--judge-url"),
        (["--adapter", "local/lora", "--model-url", "http://h/v1"], "--model-name"),
        (["--model-url", "http://h/v1", "--model-flavour", "other"], "--model-flavour"),
        (["--context-tokens", "0"], "--context-tokens"),
    ],
)
def test_options_that_make_no_sense_together_are_wrong_usage(
    options: list[str], word: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rapport(place, *options) == 2
    assert word in capsys.readouterr().err
    assert not (place / "out").exists()
