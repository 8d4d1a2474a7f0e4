"""What the human-grounded tasks would take: every prompt is counted once, scaled to declared sizes, and documented."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from evaluator.demo_model import DEMO_MODEL, ensure_demo_model
from evaluator.engines import tokenizer_only
from evaluator.engines.base import Completion, EngineInfo, Message, Request, Sampling
from evaluator.engines.prefixes import SharedPrefixes
from evaluator.engines.tokenizer_only import TokenizerProcess, TokenizerSpec
from evaluator.errors import Cause, RapportError
from evaluator.estimate import scaled
from evaluator.hicupid.demo_data import DemoSize, write_demo_set
from evaluator.human.data import HumanData
from evaluator.human.demo_data import DECLARED as DECLARED_SET
from evaluator.human.demo_data import write_demo_human_set
from evaluator.human.judged.items import wished
from evaluator.human.synthetic import LISTED_TASTES
from evaluator.human.tasks import JudgedTask, Task
from evaluator.judges.rater import rater_of
from evaluator.models import PinnedModel, pin
from evaluator.protocol import HumanProtocol, load_protocol, protocol_ids
from leaderboard.settings import Settings
from tests.human.sets import honest, write_raw
from tests.human.written import demo_data
from tests.model_folders import make_model_folder
from tests.scripted import INFO
from worker.engines import NO_ENDPOINTS
from worker.local import tokenizers
from worker.local.cli import run
from worker.local.human_dry_run import DECLARED, HumanEstimate, TaskEstimate, estimate_tasks, human_protocols
from worker.local.tokenizers import Tokenizers
from worker.local.wanted import Wanted
from worker.planning import Candidate, Conditions, data_set_of

DOCS = Path(__file__).parents[2] / "docs" / "human.md"


class Characters:
    """A tokenizer whose tokens are characters; see `Tokenizers` and `TokenizerProcess`."""

    info = INFO

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def of(self, model: PinnedModel) -> Characters:
        assert model.model == "local/tiny", "nothing but the model's own tokenizer is asked for"
        return self

    def generate(
        self, requests: Sequence[Request], sampling: Sampling, seen: Sequence[Request] = ()
    ) -> Iterator[Completion]:
        prefixes = SharedPrefixes()
        for request in (*seen, *requests):
            text = "\n".join(message.content for message in request.messages)
            shared = prefixes.add(request.group, list(map(ord, text)))
            if request in seen:
                continue
            self.asked.append(request)
            yield Completion(
                key=request.key,
                text="",
                prompt_hash="",
                prompt_tokens=len(text),
                cached_tokens=shared,
                shared_tokens=shared,
                output_tokens=0,
                finish_reason="stop",
                seconds=0.0,
            )

    def count_tokens(self, conversations: Sequence[tuple[Message, ...]]) -> list[int]:
        return [sum(len(message.content) for message in messages) for messages in conversations]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    make_model_folder(folder, "tiny")
    return folder


def settings_of(models: Path) -> Settings:
    return Settings(models=models, data_set="demo", human_data_set="demo")


def wanted_of(protocol: HumanProtocol, settings: Settings, data: str | None = None, limit: int | None = None) -> Wanted:
    rater = rater_of(protocol)
    conditions = Conditions(protocol, rater, rater.prompt_pack, data or data_set_of(protocol, settings))
    return Wanted(
        Candidate(pin("local/tiny", None, settings.models), None, thinking=False), conditions, NO_ENDPOINTS, limit, None
    )


@pytest.fixture(scope="module")
def counted(models: Path) -> tuple[HumanEstimate, list[Request]]:
    """Everything on the sets that ship, and what was counted of the tasks and of HiCUPID."""
    settings, tokenizer = settings_of(models), Characters()
    wanted = [wanted_of(protocol, settings) for protocol in human_protocols(None)]
    return estimate_tasks(wanted, settings, tokenizer), tokenizer.asked  # type: ignore[arg-type]


def of_task(found: HumanEstimate, task: Task | JudgedTask) -> TaskEstimate:
    return next(each for each in found.tasks if each.protocol == f"human-{task}-v1")


def test_every_official_protocol_is_counted_without_anything_from_the_hub(counted):
    found, _ = counted
    assert [task.protocol for task in found.tasks] == [protocol.id for protocol in human_protocols(None)]
    assert found.left_out == ()
    judged = {f"human-{task}-v1" for task in JudgedTask} | {"human-extraction-synthetic-v1"}
    assert {task.protocol for task in found.tasks if task.judge} == judged


def test_every_official_task_belongs_to_one_stage():
    official = {name for name in protocol_ids() if name.startswith("human-") and load_protocol(name).official}
    stages = [[protocol.id for protocol in human_protocols(stage)] for stage in (1, 2, 3)]
    assert sorted(name for names in stages for name in names) == sorted(official)


def test_what_a_model_is_asked_is_what_a_run_asks_it(counted):
    found, _ = counted
    conversations, pairs = len(demo_data().tables.conversations), list(wished(demo_data()))
    answers = len(pairs) + len({pair.prompt_id for pair in pairs})
    prompts = {task: of_task(found, task).model.prompts for task in (*Task, *JudgedTask)}
    assert prompts == {
        Task.VERIFICATION: 52,
        Task.RELEVANCE: 128,
        Task.RATING: 20,
        JudgedTask.EXTRACTION: conversations,
        JudgedTask.COMPARISON: answers,
        JudgedTask.UPLIFT: answers,
    }
    extraction = of_task(found, JudgedTask.EXTRACTION)
    assert (extraction.groups, extraction.model.answer_tokens) == (6, 2048 * conversations)


def test_a_judge_reads_what_the_data_set_holds_in_the_place_of_a_models_words(counted):
    found, asked = counted
    pairs = list(wished(demo_data()))
    verdicts = {task: work.prompts for task in JudgedTask if (work := of_task(found, task).judge)}
    assert verdicts == {
        JudgedTask.EXTRACTION: 2 * 52,
        JudgedTask.COMPARISON: 2 * len(pairs),
        JudgedTask.UPLIFT: 20 + sum(len(pair.attribute_ids) for pair in pairs),
    }
    compared = "\n".join(request.messages[-1].content for request in asked if request.group == "judge/comparison")
    for pair in pairs:
        (own,) = (row for row in demo_data().tables.responses if (row.prompt_id, row.user_id) == pair[:2])
        assert compared.count(own.personalised) == 2, "in both orders"
        assert own.generic in compared
    verified = [request.messages[-1].content for request in asked if request.group == "judge/extraction"]
    assert not set(verified[:52]) & set(verified[52:]), "an extracted attribute costs as much as one that is given"
    words = [work.answer_tokens // work.prompts for task in JudgedTask if (work := of_task(found, task).judge)]
    assert words == [9, 512, 8], "as many tokens as the official judges may take"


def test_what_begins_alike_is_computed_once(counted):
    found, asked = counted
    for task in found.tasks:
        for work in filter(None, (task.model, task.judge)):
            assert 0 < work.distinct_tokens < work.prompt_tokens
    extraction = of_task(found, JudgedTask.EXTRACTION)
    first = [request for request in asked if request.group.startswith("extraction/")][: extraction.model.prompts]
    told = [len("\n".join(message.content for message in request.messages)) for request in first]
    assert extraction.model.prompt_tokens == sum(told)
    again = (extraction.model.prompts - extraction.groups) * len(first[0].messages[0].content)
    assert extraction.model.distinct_tokens <= sum(told) - again, "the instruction is computed once a user"


def test_sizes_are_declared_and_shares_are_of_the_same_tokens(counted):
    found, _ = counted
    for task in found.tasks:
        if (declared := DECLARED[task.task]) and not task.protocol.endswith("synthetic-v1"):
            assert task.declared == scaled(task.model, declared.prompts)
            assert task.declared_judge == (task.judge and scaled(task.judge, declared.verdicts))
    assert [DECLARED[task].prompts for task in Task] == [1983, 3973, 367]
    assert found.declared_tokens == sum(
        work.distinct_tokens + work.answer_tokens for work in (task.declared for task in found.tasks)
    )
    judges = [task.declared_judge for task in found.tasks if task.declared_judge]
    assert found.declared_judge_tokens == sum(work.distinct_tokens + work.answer_tokens for work in judges)
    assert found.share_percent == round(100 * found.declared_tokens / found.beside_tokens, 2)
    both = found.declared_tokens + found.declared_judge_tokens, found.beside_tokens + found.beside_judge_tokens
    assert found.share_with_judges_percent == round(100 * both[0] / both[1], 2)


def test_made_up_users_are_scaled_to_as_many_as_are_asked(counted):
    found, _ = counted
    made_up = [task for task in found.tasks if task.protocol.endswith("synthetic-v1")]
    assert len(made_up) == 3
    for task in made_up:
        users = 50 * task.items / task.declared_items
        assert users == pytest.approx(round(users), abs=0.1), "items of whole users"
        assert task.declared == scaled(task.model, task.declared_items)
    (lists,) = (task for task in made_up if task.task is JudgedTask.EXTRACTION)
    assert (lists.declared_items, lists.groups) == (50 * LISTED_TASTES, 3)
    assert lists.judge
    assert lists.judge.prompts == 2 * 2 * LISTED_TASTES * 3, "what is given, and as much that a model might list"
    assert lists.declared_judge == scaled(lists.judge, 2 * 2 * LISTED_TASTES * 50)


def test_a_limit_counts_fewer_prompts_of_the_same_declared_size(models):
    settings = settings_of(models)
    (protocol,) = (each for each in human_protocols(3) if each.task is JudgedTask.COMPARISON)
    found = estimate_tasks([wanted_of(protocol, settings, limit=3)], settings, Characters())  # type: ignore[arg-type]
    (task,) = found.tasks
    assert task.model.prompts == task.items == 3
    assert task.declared_items == DECLARED[JudgedTask.COMPARISON].prompts
    assert task.judge
    assert 0 < task.judge.prompts < 6
    with pytest.raises(RapportError, match="holds too little"):  # An answer for anybody alone, which no judge reads.
        estimate_tasks([wanted_of(protocol, settings, limit=1)], settings, Characters())  # type: ignore[arg-type]


def test_what_the_data_holds_nothing_for_is_named_and_not_counted(models, tmp_path):
    settings, raw = settings_of(models), honest()
    raw["response_ratings"] = []
    raw["relevance_labels"] = []
    data = str(write_raw(tmp_path, raw))
    assert HumanData.open(data).tables.relevance_labels == ()
    wanted = [
        wanted_of(protocol, settings, data) for protocol in human_protocols(None) if protocol.synthetic_of is None
    ]
    found = estimate_tasks(wanted, settings, Characters())  # type: ignore[arg-type]
    assert [task.task for task in found.tasks] == [Task.VERIFICATION, JudgedTask.EXTRACTION]
    assert found.left_out == tuple(
        f"human-{task}-v1" for task in (Task.RELEVANCE, Task.RATING, JudgedTask.COMPARISON, JudgedTask.UPLIFT)
    )
    assert f"not counted: {', '.join(found.left_out)}" in found.describe()
    with pytest.raises(RapportError) as caught:
        estimate_tasks(
            [each for each in wanted if each.conditions.protocol.id in found.left_out], settings, Characters()
        )  # type: ignore[arg-type]
    assert caught.value.cause is Cause.NOT_FOUND


def test_a_tokenizer_is_loaded_once_and_ended(models, monkeypatch):
    events: list[str] = []

    class Process:
        def __init__(self, spec: TokenizerSpec, log: Path) -> None:
            events.append(f"loaded {Path(spec.model_path).name}")

        def __enter__(self) -> Process:
            return self

        def __exit__(self, *exc: object) -> None:
            events.append("ended")

    monkeypatch.setattr(tokenizers, "TokenizerProcess", Process)
    with Tokenizers(settings_of(models)) as loading:
        model = pin("local/tiny", None, models)
        assert loading.of(model) is loading.of(model)
    assert events == ["loaded tiny", "ended"]


class InThisProcess(TokenizerProcess):
    """A real tokenizer without a process of its own: each of 15,000 prompts would wait for an answer from there."""

    def __init__(self, spec: TokenizerSpec, log: Path) -> None:
        told, self._answer = tokenizer_only._load(spec.model_dump_json())
        self._info = EngineInfo.model_validate(told)

    def _send(self, asked: dict[str, Any]) -> None:
        self._asked = asked

    def _receive(self) -> dict[str, Any]:
        (measured,) = self._answer(self._asked)
        return measured

    def close(self) -> None:
        """Nothing to end."""


def test_the_figures_in_the_docs_are_those_that_are_printed(tmp_path, monkeypatch, capsys):
    import datasets

    monkeypatch.setattr(tokenizers, "TokenizerProcess", InThisProcess)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(HumanData, "open", cache(HumanData.open))  # Six tasks read the same labels.
    write_demo_set(tmp_path / "made-up", DemoSize(10, 0, 10), 42)
    write_demo_human_set(tmp_path / "labels", DECLARED_SET)
    monkeypatch.setenv("RAPPORT_MODELS", str(ensure_demo_model(Path("data/models")).parent))
    monkeypatch.setenv("RAPPORT_DATA_SET", str(tmp_path / "made-up"))
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path / "data"))
    command = ["evaluate", f"local/{DEMO_MODEL}", "--suite", "human", "--data", str(tmp_path / "labels")]

    assert run([*command, "--dry-run", "--json"]) == 0

    told = HumanEstimate.model_validate_json(capsys.readouterr().out)
    whole = told.describe()
    docs = DOCS.read_text(encoding="utf-8")
    assert whole[whole.index("at the declared sizes") : whole.index("\nmeasured: ")] in docs
    sentences = " ".join(docs.split())
    chosen = sum(of_task(told, task).tokens[0] for task in Task)
    assert f"take {chosen:,} computed tokens, {100 * chosen / told.beside_tokens:.1f} % of" in sentences
    lists = of_task(told, JudgedTask.EXTRACTION).declared.answer_tokens
    assert f"{100 * lists / told.beside_tokens:.1f} percentage points are the bound" in sentences
    assert f"{100 * 550_000 / told.beside_tokens:.1f} percentage points to verification" in sentences
    assert not (tmp_path / "data").exists(), "a dry run leaves nothing behind"
