"""The submission form, and the Gradio app that it stands in.

Who submits is read on the server, from the Space's login; off a Space there is one marked local user, and only where
the development flag allows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import gradio as gr
from redis import Redis
from redis.exceptions import RedisError

from evaluator.errors import RapportError
from leaderboard.api.attach import attach
from leaderboard.api.endpoints import Endpoints
from leaderboard.checks.records import CheckRequest
from leaderboard.checks.surroundings import surroundings_of
from leaderboard.maintaining.state import read_pause
from leaderboard.pages.checking import live_checks
from leaderboard.pages.identity import person_of
from leaderboard.pages.manage import RELATIONS, TRAINING, manage_page
from leaderboard.pages.render import render
from leaderboard.records import Relation, TrainingData
from leaderboard.settings import Settings
from leaderboard.submissions.service import SubmissionService, declaration_of

_AT_ONCE = 8
"""Handlers of a kind that run at the same time; the others wait in Gradio's queue."""
_MOST_WAITING = 200
"""Calls in Gradio's queue; whoever comes then is told to come back."""
_MOST_SESSIONS = 100
"""Sessions that Gradio remembers, above the number of handlers that run at the same time.

It keeps a copy of every field for each, also for each single call of the API, and forgets none of its first 10,000: a
gigabyte, and garbage collections of seconds. None of our handlers keeps anything in a session, so nobody misses one.
"""
_INTRO = """
## Submit a model
An instruction-tuned model from the Hub, as safetensors, without code of its own. It is pinned to its present commit,
queued, asked and judged; you can close this page meanwhile.
"""


_PAPER, _PAPER_BY_NIGHT = "#fbfaf8", "#171614"
"""As `--paper` of the site's own style sheet."""


def theme() -> gr.themes.Base:
    """Returns Gradio's look in the site's colour and with the reader's own fonts, so that none are sent.

    Its own primary button and its faint words have too little contrast to be read by everybody (WCAG 2.2, 1.4.3).
    """
    plain = gr.themes.Default(
        primary_hue="blue",
        neutral_hue="stone",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    return plain.set(
        body_background_fill=_PAPER,
        body_background_fill_dark=_PAPER_BY_NIGHT,
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_hover_dark="*primary_800",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
    )


def gradio_pages(
    service: SubmissionService | None, settings: Settings, redis: Redis | None, endpoints: Endpoints
) -> gr.Blocks:
    """Returns the Gradio app with its pages `/submit` and `/manage`, and its API.

    Args:
        service: Where submissions go; None closes both.
        settings: Says whether a local user may submit.
        redis: Where the checks look for workers, quotas and earlier submissions.
        endpoints: What the API reaches.
    """
    closed = _closed_because(service, settings)
    routes = _login_routes() if service and settings.can_log_in else None
    with gr.Blocks(title="Rapport", analytics_enabled=False) as blocks:
        if routes:
            routes.render()
        attach(endpoints, settings)
        # Gradio's own front page is never reached: the board stands there.
    blocks.queue(max_size=_MOST_WAITING, api_open=False)  # Nothing runs beside the queue.
    blocks.state_session_capacity = _MOST_SESSIONS
    with blocks.route("Submit", "/submit"):
        gr.HTML(render("gradio_head.html", here="/submit"), padding=False)
        gr.Markdown(_INTRO)
        if service is None or closed:
            gr.Markdown(f"**Submissions are closed:** {closed} Results stay readable.")
            return blocks
        _form(blocks, service, settings, redis)
    manage_page(blocks, service, settings)
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


def _greeting(settings: Settings) -> Callable[..., str]:
    """Returns the handler that says who is logged in, or offers to log in."""

    def greet(profile: gr.OAuthProfile | None) -> str:
        if profile is None:
            return render("login.html", person=None, refused="")
        try:
            return render("login.html", person=person_of(profile, settings), refused="")
        except RapportError as error:
            return render("login.html", person=None, refused=str(error))

    return greet


def _notice(redis: Redis) -> Callable[[], str]:
    """Returns the handler that says since when and why submissions are paused; nothing while they are not."""

    def tell() -> str:
        try:
            return render("paused.html", pause=read_pause(redis))
        except (RapportError, RedisError):
            return ""  # Whoever submits is told what is wrong then.

    return tell


def _form(blocks: gr.Blocks, service: SubmissionService, settings: Settings, redis: Redis | None) -> None:
    """Lays out the form; the checks run whenever a field that they look at is left."""
    if redis is not None:
        paused = gr.HTML("", padding=False, elem_id="submit-paused")
        blocks.load(_notice(redis), None, paused, api_visibility="private")
    if settings.can_log_in:
        offer = gr.HTML(render("login.html", person=None, refused=""), padding=False)
        blocks.load(_greeting(settings), None, offer, api_visibility="private")
    with gr.Row():
        model = gr.Textbox(label="Model", placeholder="owner/name", max_lines=1, max_length=200, autofocus=True)
        revision = gr.Textbox(label="Revision (branch, tag or commit; empty for the default)", max_length=100)
    with gr.Row():
        adapter = gr.Textbox(label="LoRA adapter, if one is to be loaded", placeholder="owner/name", max_length=200)
        adapter_revision = gr.Textbox(label="Revision of the adapter", max_length=100)
    with gr.Row():
        relation = gr.Radio(RELATIONS, label="How do you stand to the model?", value=Relation.NONE)
        base_model = gr.Textbox(label="Base model, if it is derived from one", placeholder="owner/name", max_length=200)
    training = gr.Radio(
        TRAINING, label="Was it trained on HiCUPID? The truth costs no rank.", value=TrainingData.UNKNOWN
    )
    with gr.Row():
        thinking = gr.Checkbox(label="It thinks aloud before it answers")
        publish = gr.Checkbox(label="Its answers may be shown on this site", value=True)
    checks = gr.HTML(elem_id="submit-checks")
    named = [model, revision, adapter, adapter_revision]
    gr.on(
        [*(field.blur for field in named), model.submit, thinking.change],
        _checking(settings, redis),
        [*named, thinking],
        checks,
        api_name="form_check",
        api_visibility="private",
        show_progress="hidden",
        trigger_mode="always_last",
        concurrency_limit=_AT_ONCE,
    )
    button = gr.Button("Submit", variant="primary", elem_id="submit-button")
    answer = gr.HTML(elem_id="submit-answer")
    button.click(
        _handler(service, settings),
        [*named, relation, base_model, training, thinking, publish],
        answer,
        api_name="form_submit",
        api_visibility="private",
        concurrency_limit=_AT_ONCE,
    )


def _checking(settings: Settings, redis: Redis | None) -> Callable[..., Iterator[str]]:
    """Returns the handler of the checks, which cost requests to the Hub: for those who may submit."""

    def check(
        model: str,
        revision: str,
        adapter: str,
        adapter_revision: str,
        thinking: bool,
        profile: gr.OAuthProfile | None,
    ) -> Iterator[str]:
        if not _filled(model):
            yield ""
            return
        try:
            person = person_of(profile, settings)
        except RapportError as error:
            yield render("submit_answer.html", error=error, view=None)
            return
        request = CheckRequest(
            str(model),
            _filled(revision),
            _filled(adapter),
            _filled(adapter_revision),
            settings.protocols,
            bool(thinking),
        )
        for shown in live_checks(request, surroundings_of(settings, redis, person)):
            yield shown.html

    return check


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
            person = person_of(profile, settings)
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
                person,
                adapter=_filled(adapter),
                adapter_revision=_filled(adapter_revision),
            )
            beside = service.beside(view)
        except RapportError as error:
            return render("submit_answer.html", error=error, view=None)
        return render("submit_answer.html", error=None, view=view, beside=beside)

    return submit


def _filled(text: str | None) -> str | None:
    """Returns what stands in a field, None if nothing does."""
    return (text or "").strip() or None
