"""What people do to submissions that were entered, a Gradio page: cancel, retry, withdraw, correct, dispute.

What somebody may do is asked of `permissions.py` when it is shown and again when it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from evaluator.errors import Cause, RapportError
from leaderboard.pages.identity import person_of
from leaderboard.pages.render import render
from leaderboard.people import Person
from leaderboard.records import Declaration, Relation, TrainingData
from leaderboard.settings import Settings
from leaderboard.submissions.permissions import Action, refusal
from leaderboard.submissions.service import SubmissionService, declaration_of
from leaderboard.submissions.views import SubmissionView

RELATIONS = [("I own it", Relation.OWNER), ("I belong to its owners", Relation.MEMBER), ("Neither", Relation.NONE)]
TRAINING = [
    ("Its training split", TrainingData.TRAIN),
    ("Its test splits", TrainingData.TEST),
    ("Neither", TrainingData.NEITHER),
    ("I do not know", TrainingData.UNKNOWN),
]
_INTRO = """
## Manage a submission
Stop it, take it up again, correct what you declared, withdraw it, or say that a verdict is wrong. Everything that is
done here is written into its history, with your name.
"""
_LONGEST_SUBJECT = 200
_SAYS: Mapping[Action, str] = {
    Action.CANCEL: "Stops its runs. What is finished is kept.",
    Action.RETRY: "Takes up again what failed or was cancelled, where it stopped.",
    Action.WITHDRAW: "Takes its results off the board, for good. Needs a reason.",
    Action.DISPUTE: "Says that a verdict is wrong. Needs a reason.",
    Action.ANSWER: "Answers a dispute. Needs a reason.",
    Action.LIFT: "Puts it before all others.",
    Action.PAUSE: "Keeps workers from it.",
    Action.RESUME: "Ends the pause.",
    Action.FLAG: "Marks its results, which then do not rank. Needs a reason, which everyone can read.",
    Action.CLEAR: "Takes the mark away, or answers what a program suspected. Needs a reason.",
    Action.HIDE: "Takes its results off the board until they are shown again. Needs a reason, which everyone can read.",
    Action.SHOW: "Puts its results back on the board. Needs a reason.",
}
"""What each button does; a correction has fields of its own."""

Done = Callable[[str, Person, str, str], SubmissionView]
"""Does something to a submission for a person, with a reason, about something."""


def manage_page(blocks: gr.Blocks, service: SubmissionService, settings: Settings) -> None:
    """Adds the page `/manage` to a Gradio app."""
    with blocks.route("Manage", "/manage", show_in_navbar=False):
        gr.HTML(render("gradio_head.html", here="/manage"), padding=False)
        gr.Markdown(_INTRO)
        name = gr.Textbox(label="Submission", placeholder="s-20260101-0a1b2c3d", max_lines=1, max_length=40)
        about_it = gr.HTML(elem_id="manage-about")
        reason = gr.Textbox(label="Reason", lines=2, max_length=1000, elem_id="manage-reason", visible=False)
        subject = gr.Textbox(
            label="What is disputed: a question or verdict, if not all of it",
            max_length=_LONGEST_SUBJECT,
            visible=False,
            elem_id="manage-subject",
        )
        with gr.Row():
            # None of them is there before it is known of which submission and for whom: nobody can press too early.
            buttons = {
                action: gr.Button(action.capitalize(), elem_id=f"do-{action}", visible=False) for action in _SAYS
            }
        answer = gr.HTML(elem_id="manage-answer")
        folded, fields = _declaration_fields()
        corrects = gr.Button("Correct", elem_id="do-correct", visible=False)
        shown = [about_it, reason, subject, *buttons.values(), folded, *fields, corrects]
        look = _looking(service, settings)
        blocks.load(look, name, [name, *shown], api_visibility="private")
        name.submit(look, name, [name, *shown], api_visibility="private")
        for action, button in buttons.items():
            done = button.click(
                _doing(action, _method(service, action), settings),
                [name, reason, subject],
                answer,
                api_name=f"form_{action}",
                api_visibility="private",
                concurrency_limit=4,
            )
            done.then(look, name, [name, *shown], api_visibility="private")
        corrected = corrects.click(
            _correcting(service, settings),
            [name, reason, *fields],
            answer,
            api_name="form_correct",
            api_visibility="private",
            concurrency_limit=4,
        )
        corrected.then(look, name, [name, *shown], api_visibility="private")


def _declaration_fields() -> tuple[gr.Accordion, list[Any]]:
    """Lays out what can be corrected, folded; nobody sees it before it is known that he may."""
    with gr.Accordion("Correct what was declared", open=False, visible=False) as folded:
        relation = gr.Radio(RELATIONS, label="How do you stand to the model?", value=Relation.NONE)
        base_model = gr.Textbox(label="Base model, if it is derived from one", placeholder="owner/name", max_length=200)
        training = gr.Radio(TRAINING, label="Was it trained on HiCUPID?", value=TrainingData.UNKNOWN)
        publish = gr.Checkbox(label="Its answers may be shown on this site", value=True)
    return folded, [relation, base_model, training, publish]


def _looking(service: SubmissionService, settings: Settings) -> Callable[..., list[Any]]:
    """Returns the handler that shows a submission and what the visitor may do with it."""

    def look(name: str, request: gr.Request, profile: gr.OAuthProfile | None) -> list[Any]:
        name = (name or str(request.query_params.get("id", "")))[:40].strip()
        view, said = _found(service, name)
        allowed = _allowed(view, profile, settings)
        buttons = [gr.Button(visible=action in allowed) for action in _SAYS]
        declared = view.declaration if view else None
        html = render("manage.html", view=view, said=said, allowed=sorted(allowed), says=_SAYS)
        reason = gr.Textbox(visible=bool(allowed))
        disputed = gr.Textbox(visible=bool({Action.DISPUTE, Action.ANSWER} & allowed), **_about(name, request))
        corrects = Action.CORRECT in allowed
        folded = gr.Accordion(visible=corrects)
        return [name, html, reason, disputed, *buttons, folded, *_values(declared), gr.Button(visible=corrects)]

    return look


def _about(name: str, request: gr.Request) -> dict[str, str]:
    """Returns what of a submission is disputed, as its address says it; nothing where that is of another one."""
    about = str(request.query_params.get("about", ""))[:_LONGEST_SUBJECT]
    return {"value": about} if about and name == str(request.query_params.get("id", "")) else {}


def _found(service: SubmissionService, name: str) -> tuple[SubmissionView | None, str]:
    """Returns a submission, or why it cannot be shown."""
    if not name:
        return None, "Name a submission; the queue lists all of them."
    try:
        return service.view(name), ""
    except RapportError as error:
        return None, str(error)


def _allowed(view: SubmissionView | None, profile: gr.OAuthProfile | None, settings: Settings) -> set[Action]:
    """Returns what a visitor may do with a submission now; nothing without a login."""
    if view is None:
        return set()
    try:
        person = person_of(profile, settings)
    except RapportError:
        return set()
    return {action for action in Action if refusal(person, action, view.submission, view.events) is None}


def _values(declared: Declaration | None) -> list[Any]:
    """Returns what stands in the fields of a declaration; they stay as they are where there is none."""
    if declared is None:
        return [gr.skip()] * 4
    return [declared.relation, declared.base_model or "", declared.training_data, declared.publish_answers]


def _method(service: SubmissionService, action: Action) -> Done:
    """Returns what does an action."""
    with_reason: Mapping[Action, Callable[[str, Person, str], SubmissionView]] = {
        Action.CANCEL: service.cancel,
        Action.WITHDRAW: service.withdraw,
        Action.LIFT: service.lift,
        Action.PAUSE: service.pause,
        Action.RESUME: service.resume,
        Action.FLAG: service.flag,
        Action.CLEAR: service.clear,
        Action.HIDE: service.hide,
        Action.SHOW: service.show,
    }
    if action is Action.RETRY:
        return lambda name, person, _reason, _about: service.retry(name, person)
    if action in (Action.DISPUTE, Action.ANSWER):
        says = service.dispute if action is Action.DISPUTE else service.answer
        return lambda name, person, reason, about: says(name, person, reason, about or None)
    return lambda name, person, reason, _about: with_reason[action](name, person, reason)


def _doing(action: Action, done: Done, settings: Settings) -> Callable[..., str]:
    """Returns the handler of a button; Gradio fills in the profile from the server's session."""

    def act(submission_id: str, reason: str, about: str, profile: gr.OAuthProfile | None) -> str:
        return _answered(lambda person: done(_id(submission_id), person, reason or "", about or ""), profile, settings)

    act.__name__ = str(action)
    return act


def _correcting(service: SubmissionService, settings: Settings) -> Callable[..., str]:
    """Returns the handler of a correction; what cannot be corrected stays as it was declared."""

    def correct(
        submission_id: str,
        reason: str,
        relation: str,
        base_model: str,
        training: str,
        publish: bool,
        profile: gr.OAuthProfile | None,
    ) -> str:
        def change(person: Person) -> SubmissionView:
            name = _id(submission_id)
            declaration = declaration_of(
                relation=relation,
                base_model=(base_model or "").strip() or None,
                training_data=training,
                thinking=service.view(name).declaration.thinking,
                publish_answers=publish,
            )
            return service.correct(name, person, declaration, reason or "")

        return _answered(change, profile, settings)

    return correct


def _answered(change: Callable[[Person], SubmissionView], profile: gr.OAuthProfile | None, settings: Settings) -> str:
    """Does something as whoever is logged in, and says what became of it."""
    try:
        return render("manage_answer.html", error=None, view=change(person_of(profile, settings)))
    except RapportError as error:
        return render("manage_answer.html", error=error, view=None)


def _id(text: str) -> str:
    """Returns the id that was typed.

    Raises:
        RapportError: `data_error` if none was.
    """
    if name := (text or "").strip()[:40]:
        return name
    raise RapportError(Cause.DATA_ERROR, "No submission is named.", "Write its id, as its page shows it.")
