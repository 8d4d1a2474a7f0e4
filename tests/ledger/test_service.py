"""Submitting: checked, pinned, entered once, and queued."""

from functools import partial
from pathlib import Path

import pytest
from redis import Redis

from evaluator.errors import Cause, RapportError
from evaluator.models import pin_adapter
from evaluator.protocol import EvaluationProtocol, Reference, load_protocol
from leaderboard.connection import text
from leaderboard.people import Person
from leaderboard.records import Failure, Relation, State, TrainingData
from leaderboard.settings import Settings
from leaderboard.submissions import keys
from leaderboard.submissions.service import THE_MAINTAINER, SubmissionService, declaration_of
from tests.builders import make_declaration, make_submission
from tests.model_folders import LORA, WEIGHTS, make_adapter_folder, make_model_folder
from tests.waiting import at_once


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", models=tmp_path / "data" / "models", protocols=("demo-v1",))


@pytest.fixture
def service(settings: Settings, redis: Redis) -> SubmissionService:
    make_model_folder(settings.models, "tiny")
    return SubmissionService(settings, redis)


ALICE = Person("alice")


def trained_longer(weights: str) -> str:
    """The same tensors with other values."""
    return weights[:-1] + chr(1)


def submit(service: SubmissionService, model: str = "local/tiny"):
    return service.submit(model, None, make_declaration(), ALICE)


def queued(service: SubmissionService) -> list[str]:
    """The runs that wait for workers."""
    ledger = service.ledger
    return sorted(run_id for run_id in ledger.open_runs() if ledger.state(run_id) is State.QUEUED)


def entered(service: SubmissionService) -> int:
    """How many submissions there are, having looked that nothing else was left behind either."""
    count = service.ledger.count()
    left = {text(name) for name in service._redis.scan_iter()}
    assert count or left <= {keys.EPOCH, keys.REFUSED}, "only the mark, and a count of refusals"
    return count


def test_a_submission_is_pinned_entered_and_queued(service):
    view = submit(service)
    assert view.submission.model == "local/tiny"
    assert len(view.submission.revision) == 64
    assert (view.submission.facts.architecture, view.submission.facts.parameters) == ("LlamaForCausalLM", 64)
    assert (view.submission.submitter, view.state) == ("alice", State.QUEUED)
    assert queued(service) == [view.runs[0].id]


def test_what_fails_while_it_is_being_entered_stays_failed(service, monkeypatch):
    create = service.ledger.create

    def created_and_failed(*arguments):
        name = create(*arguments)
        (run_id,) = service.ledger.view(name).submission.run_ids()
        service.ledger.fail(run_id, "worker", Failure(cause=Cause.LOAD_ERROR, message="No.", remedy="Yes."))
        return name

    monkeypatch.setattr(service.ledger, "create", created_and_failed)
    assert submit(service).state is State.FAILED


def test_the_same_model_again_is_the_submission_that_was_there(service):
    first, again = submit(service), submit(service, f"{service._settings.models}/tiny")
    assert again.submission == first.submission
    assert entered(service) == 1


def test_a_changed_folder_is_another_submission(service):
    first = submit(service)
    (service._settings.models / "tiny" / "model.safetensors").write_text(trained_longer(WEIGHTS))
    second = submit(service)
    assert second.submission.id != first.submission.id
    assert second.submission.revision != first.submission.revision


@pytest.mark.parametrize("end", [State.FAILED, State.CANCELLED])
def test_a_run_that_failed_or_was_stopped_is_taken_up_again(service, end):
    first = submit(service)
    (run,) = first.runs
    failure = Failure(cause=Cause.TIMEOUT, message="Too slow.", remedy="Again.") if end is State.FAILED else None
    service.ledger.move(run.id, State.QUEUED, end, "someone", failure)
    again = submit(service)
    assert again.submission == first.submission
    assert again.state is State.QUEUED


def test_a_run_that_is_under_way_is_left_alone(service):
    (run,) = submit(service).runs
    service.ledger.advance(run.id, State.GENERATING, "worker")
    assert submit(service).state is State.GENERATING


@pytest.mark.parametrize(
    ("model", "cause"),
    [
        ("not a model", Cause.MALFORMED_ID),
        ("/etc/passwd", Cause.FORBIDDEN_PATH),
        ("local/nosuch", Cause.NOT_FOUND),
        ("local/pickled", Cause.UNSAFE_FORMAT),
        ("local/base", Cause.NO_CHAT_TEMPLATE),
    ],
)
def test_what_does_not_pass_the_checks_leaves_nothing_behind(service, model, cause):
    make_model_folder(service._settings.models, "pickled", leave_out=["model.safetensors"])
    make_model_folder(service._settings.models, "base", leave_out=["tokenizer_config.json"])
    with pytest.raises(RapportError) as caught:
        submit(service, model)
    assert caught.value.cause is cause
    assert entered(service) == 0


def test_an_unknown_protocol_in_the_settings_is_found_before_anything_is_entered(settings, redis):
    make_model_folder(settings.models, "tiny")
    service = SubmissionService(settings.model_copy(update={"protocols": ("nosuch",)}), redis)
    with pytest.raises(RapportError, match="no protocol 'nosuch'"):
        submit(service)
    assert entered(service) == 0


def test_a_declaration_is_read_from_a_form():
    declared = declaration_of(relation="owner", training_data="neither", thinking=False, publish_answers=True)
    assert (declared.relation, declared.training_data) == (Relation.OWNER, TrainingData.NEITHER)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"relation": "friend"}, "relation"),
        ({"training_data": None}, "training_data"),
        ({"base_model": "x" * 201}, "base_model"),
        ({"submitter": "root"}, "submitter"),
    ],
)
def test_a_field_that_is_missing_wrong_or_unknown_is_named(values, field):
    good = {"relation": "owner", "training_data": "neither", "thinking": False, "publish_answers": True}
    with pytest.raises(RapportError, match=f"The field {field} is not filled in properly") as caught:
        declaration_of(**(good | values))
    assert caught.value.cause is Cause.DATA_ERROR


def test_only_maintainers_enter_references_whatever_a_submitter_calls_himself(service):
    with pytest.raises(RapportError, match="only maintainers") as caught:
        service.submit("reference/gold", None, make_declaration(), Person("maintainer"))
    assert caught.value.cause is Cause.MALFORMED_ID
    assert entered(service) == 0
    view = service.submit("reference/gold", None, make_declaration(), THE_MAINTAINER)
    assert (view.submission.model, view.state) == ("reference/gold", State.QUEUED)
    again = service.submit("reference/gold", None, make_declaration(), THE_MAINTAINER)
    assert again.submission == view.submission


@pytest.mark.parametrize(
    "extra",
    [{"revision": "main"}, {"adapter": "local/lora"}, {"declaration": make_declaration(thinking=True)}],
)
def test_a_reference_takes_nothing_along(service, extra):
    make_adapter_folder(service._settings.models)
    asked = {"model": "reference/gold", "revision": None, "declaration": make_declaration(), "person": THE_MAINTAINER}
    with pytest.raises(RapportError, match="is a reference: it has no revision") as caught:
        service.submit(**(asked | extra))
    assert caught.value.cause is Cause.MALFORMED_ID
    assert entered(service) == 0


def with_adapter(service: SubmissionService, adapter: str | None, revision: str | None = None):
    return service.submit(
        "local/tiny", None, make_declaration(), ALICE, adapter=adapter, adapter_revision=revision
    ).submission


def test_an_adapter_is_pinned_with_its_model_and_makes_another_submission(service):
    models = service._settings.models
    name = make_adapter_folder(models)
    alone, adapted = submit(service).submission, with_adapter(service, f" {models}/lora ")
    assert (adapted.adapter, adapted.adapter_revision) == (name, pin_adapter(name, None, models).sha)
    assert (alone.adapter, alone.adapter_revision) == (None, None)
    assert (adapted.model, adapted.revision) == (alone.model, alone.revision)
    assert with_adapter(service, name) == adapted
    (models / "lora" / "adapter_model.safetensors").write_text(trained_longer(LORA))
    longer = with_adapter(service, name)
    assert longer.adapter_revision != adapted.adapter_revision
    assert queued(service) == sorted(one.run_ids()[0] for one in (alone, adapted, longer))


@pytest.mark.parametrize(
    ("adapter", "revision", "cause"),
    [
        ("not an adapter", None, Cause.MALFORMED_ID),
        ("/etc/passwd", None, Cause.FORBIDDEN_PATH),
        ("reference/gold", None, Cause.MALFORMED_ID),
        ("local/nosuch", None, Cause.NOT_FOUND),
        ("local/tiny", None, Cause.LOAD_ERROR),
        ("local/pickled", None, Cause.UNSAFE_FORMAT),
        ("local/lora", "main", Cause.NOT_FOUND),
        (None, "main", Cause.MALFORMED_ID),
    ],
)
def test_an_adapter_that_does_not_pass_the_checks_leaves_nothing_behind(service, adapter, revision, cause):
    make_adapter_folder(service._settings.models)
    make_adapter_folder(service._settings.models, "pickled", leave_out="adapter_model.safetensors")
    with pytest.raises(RapportError) as caught:
        with_adapter(service, adapter, revision)
    assert caught.value.cause is cause
    assert entered(service) == 0


def test_a_model_declared_as_thinking_is_another_submission(service):
    plain = submit(service).submission
    thinking = service.submit("local/tiny", None, make_declaration(thinking=True), Person("mallory")).submission
    assert thinking.id != plain.id
    assert submit(service).submission == plain
    assert queued(service) == sorted([plain.run_ids()[0], thinking.run_ids()[0]])


def test_references_are_submitted_for_each_protocol_once(service):
    first = service.submit_references(["demo-v1"])
    assert [(view.submission.model, view.state) for view in first] == [
        (f"reference/{each}", State.QUEUED) for each in Reference
    ]
    both = service.submit_references(["official-v1", "demo-v1"])
    assert [view.submission.protocols for view in both] == [("official-v1",)] * 3 + [("demo-v1",)] * 3
    assert both[3:] == first
    assert queued(service) == sorted(view.runs[0].id for view in (*first, *both[:3]))


def test_a_reference_is_the_maintainers_names_nobody_and_leaves_what_is_shown_to_the_data_set(service):
    for view in service.submit_references(["demo-v1"]):
        entered = view.submission
        assert (entered.submitter, entered.terms.personal_data) == ("maintainer", "none")
        declared = entered.declaration
        assert (declared.thinking, declared.publish_answers) == (False, True)
        assert (declared.training_data, declared.base_model) == (TrainingData.NEITHER, None)


def test_a_reference_that_a_maintainer_submitted_alone_is_not_submitted_again(service):
    alone = service.submit("reference/gold", None, make_declaration(), THE_MAINTAINER)
    assert [view.submission.id for view in service.submit_references(["demo-v1"])].count(alone.submission.id) == 1


def test_a_reference_that_failed_is_taken_up_again(service):
    (view, *_) = service.submit_references(["demo-v1"])
    service.ledger.fail(view.runs[0].id, "worker", Failure(cause=Cause.TIMEOUT, message="Slow.", remedy="Again."))
    assert service.submit_references(["demo-v1"])[0].state is State.QUEUED


def test_of_unknown_protocols_no_reference_is_entered(service):
    with pytest.raises(RapportError, match="no protocol 'nosuch'"):
        service.submit_references(["demo-v1", "nosuch"])
    assert entered(service) == 0


def test_only_the_references_that_a_protocol_names_are_submitted(service, monkeypatch):
    def with_gold_alone(protocol: str) -> EvaluationProtocol:
        return load_protocol(protocol).model_copy(update={"references": (Reference.GOLD,)})

    monkeypatch.setattr("leaderboard.submissions.service.load_protocol", with_gold_alone)
    assert [view.submission.model for view in service.submit_references(["demo-v1"])] == ["reference/gold"]


def test_nobody_takes_up_what_somebody_else_has_cancelled(service):
    first = submit(service)
    service.cancel(first.submission.id, Person("alice"))
    for _ in range(2):
        again = service.submit("local/tiny", None, make_declaration(), Person("bob"))
        assert (again.submission.id, again.submission.submitter) == (first.submission.id, "alice")
        assert again.state is State.CANCELLED
    assert submit(service).state is State.QUEUED, "its submitter may"
    service.cancel(first.submission.id, Person("alice"))
    maintained = service.submit("local/tiny", None, make_declaration(), Person("mia", maintainer=True))
    assert maintained.state is State.QUEUED


BOTH = ("demo-v1", "official-v1")


def of_both(service: SubmissionService) -> SubmissionService:
    """The same site after a protocol was added to its settings."""
    return SubmissionService(service._settings.model_copy(update={"protocols": BOTH}), service._redis)


def test_a_protocol_that_was_added_later_is_run_for_known_models_and_what_is_known_is_named(service):
    first = submit(service)
    later = of_both(service)
    second = submit(later)
    assert second.submission.id != first.submission.id
    assert (second.submission.protocols, second.state) == (("official-v1",), State.QUEUED)
    assert later.beside(second) == [("demo-v1", first.submission.id, State.QUEUED)]
    assert queued(service) == sorted([first.runs[0].id, second.runs[0].id])
    assert submit(later).submission == first.submission, "now all of it is known"
    assert entered(service) == 2


def test_what_is_known_under_every_protocol_is_taken_up_wherever_it_stopped(service):
    first, second = submit(service), submit(of_both(service))
    for view in (first, second):
        service.cancel(view.submission.id, ALICE)
    submit(of_both(service))
    assert queued(service) == sorted([first.runs[0].id, second.runs[0].id])


def test_what_stopped_is_left_alone_where_something_new_is_entered(service):
    first = submit(service)
    service.cancel(first.submission.id, ALICE)
    second = submit(of_both(service))
    assert queued(service) == [second.runs[0].id]
    assert of_both(service).beside(second)[0].state is State.CANCELLED


def test_of_two_who_ask_for_overlapping_protocols_at_once_each_is_entered_once(ledger):
    asked = [("one", "two"), ("two", "three"), ("three", "one"), ("one", "two", "three")]
    made = [make_submission(number, model="org/same", protocols=names) for number, names in enumerate(asked)]
    at_once(*[partial(ledger.create, submission) for submission in made])
    entered = [view.submission for view in ledger.views([submission.id for submission in made])]
    assert sorted(protocol for submission in entered for protocol in submission.protocols) == ["one", "three", "two"]
    assert sorted(ledger.open_runs()) == sorted(run_id for submission in entered for run_id in submission.run_ids())


def test_what_a_maintainer_submits_on_the_web_costs_nobody_anything(service):
    service.submit("local/tiny", None, make_declaration(), Person("mia", maintainer=True))
    quotas = service.quotas(Person("mia"))
    assert [quota.used for quota in quotas] == [0, 0, 0]
