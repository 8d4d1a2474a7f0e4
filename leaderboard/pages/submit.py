"""The submission form, a Gradio page.

Who submits is read on the server, from the Space's login; off a Space there is one marked local user, and only where
the development flag allows it.
"""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from evaluator.errors import Cause, RapportError
from leaderboard.pages.render import render
from leaderboard.records import Relation, TrainingData
from leaderboard.settings import Settings
from leaderboard.submissions.service import SubmissionService, declaration_of

LOCAL_USER = "local user (development)"

_RELATIONS = [("I own it", Relation.OWNER), ("I belong to its owners", Relation.MEMBER), ("Neither", Relation.NONE)]
_TRAINING = [
    ("Its training split", TrainingData.TRAIN),
    ("Its test splits", TrainingData.TEST),
    ("Neither", TrainingData.NEITHER),
    ("I do not know", TrainingData.UNKNOWN),
]
_INTRO = """
## Submit a model
An instruction-tuned model from the Hub, as safetensors, without code of its own. It is pinned to its present commit,
queued, asked and judged; you can close this page meanwhile.
"""


def theme() -> gr.themes.Base:
    """Returns Gradio's look in the site's colour and with the reader's own fonts, so that none are sent."""
    return gr.themes.Default(
        primary_hue="blue",
        neutral_hue="stone",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )


def submit_page(service: SubmissionService | None, settings: Settings) -> gr.Blocks:
    """Returns the Gradio app with the form at `/submit`.

    Args:
        service: Where submissions go; None closes the form.
        settings: Says whether a local user may submit.
    """
    routes = _login_routes() if service and settings.can_log_in else None
    with gr.Blocks(title="Rapport", analytics_enabled=False) as blocks:
        if routes:
            routes.render()
        # Gradio's own front page is never reached: the board stands there.
    with blocks.route("Submit", "/submit"):
        gr.HTML(render("gradio_head.html", here="/submit"), padding=False)
        gr.Markdown(_INTRO)
        closed = _closed_because(service, settings)
        if service is None or closed:
            gr.Markdown(f"**Submissions are closed:** {closed} Results stay readable.")
            return blocks
        _form(service, settings)
    return blocks


def _closed_because(service: SubmissionService | None, settings: Settings) -> str:
    """Says in a sentence why nobody can submit here; empty if somebody can."""
    if service is None:
        return "this site has no Redis."
    if not (settings.can_log_in or settings.allow_local_user):
        return "nobody can log in, since this is not a Space with `hf_oauth`."
    return ""


def _login_routes() -> gr.LoginButton:
    """Returns what makes Gradio serve its login: a button that nobody sees.

    The button itself fails for whoever belongs to an organisation, and cannot leave a Space's frame, so a plain link
    stands on the page. Made outside a layout, the button never looks at who is logged in.
    """
    return gr.LoginButton(visible=False, render=False)


def _greeting(profile: gr.OAuthProfile | None) -> str:
    """Says who is logged in, or offers to log in."""
    return render("login.html", name=profile.username if profile else "")


def _form(service: SubmissionService, settings: Settings) -> None:
    """Lays out the form."""
    if settings.can_log_in:
        gr.HTML(render("login.html", name=""), padding=False).attach_load_event(_greeting, None)
    with gr.Row():
        model = gr.Textbox(label="Model", placeholder="owner/name", max_lines=1, max_length=200, autofocus=True)
        revision = gr.Textbox(label="Revision (branch, tag or commit; empty for the default)", max_length=100)
    with gr.Row():
        adapter = gr.Textbox(label="LoRA adapter, if one is to be loaded", placeholder="owner/name", max_length=200)
        adapter_revision = gr.Textbox(label="Revision of the adapter", max_length=100)
    with gr.Row():
        relation = gr.Radio(_RELATIONS, label="How do you stand to the model?", value=Relation.NONE)
        base_model = gr.Textbox(label="Base model, if it is derived from one", placeholder="owner/name", max_length=200)
    training = gr.Radio(
        _TRAINING, label="Was it trained on HiCUPID? The truth costs no rank.", value=TrainingData.UNKNOWN
    )
    with gr.Row():
        thinking = gr.Checkbox(label="It thinks aloud before it answers")
        publish = gr.Checkbox(label="Its answers may be shown on this site", value=True)
    button = gr.Button("Submit", variant="primary", elem_id="submit-button")
    answer = gr.HTML(elem_id="submit-answer")
    button.click(
        _handler(service, settings),
        [model, revision, adapter, adapter_revision, relation, base_model, training, thinking, publish],
        answer,
        api_name="submit",
        api_description="Submits a model; answers with an HTML fragment that says what became of it.",
    )


def _handler(service: SubmissionService, settings: Settings) -> Callable[..., str]:
    """Returns the click handler; Gradio fills in the profile from the server's session, never from what was sent."""

    def submit(
        model: str,
        revision: str,
        adapter: str,
        adapter_revision: str,
        relation: str,
        base_model: str,
        training: str,
        thinking: bool,
        publish: bool,
        profile: gr.OAuthProfile | None,
    ) -> str:
        try:
            declaration = declaration_of(
                relation=relation,
                base_model=_filled(base_model),
                training_data=training,
                thinking=thinking,
                publish_answers=publish,
            )
            view = service.submit(
                str(model or ""),
                _filled(revision),
                declaration,
                _submitter(settings, profile),
                adapter=_filled(adapter),
                adapter_revision=_filled(adapter_revision),
            )
        except RapportError as error:
            return render("submit_answer.html", error=error, view=None)
        return render("submit_answer.html", error=None, view=view)

    return submit


def _filled(text: str | None) -> str | None:
    """Returns what stands in a field, None if nothing does."""
    return (text or "").strip() or None


def _submitter(settings: Settings, profile: gr.OAuthProfile | None) -> str:
    """Returns the name by which the server knows who submits.

    Raises:
        RapportError: `malformed_id` if people log in here and this one has not.
    """
    if not settings.can_log_in:
        return LOCAL_USER
    if profile is None:
        raise RapportError(Cause.MALFORMED_ID, "Nobody is logged in.", "Log in with Hugging Face and submit again.")
    return str(profile.username)
