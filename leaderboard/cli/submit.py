"""`rapport submit` and `rapport references`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated

import typer

from leaderboard.api.records import Submitted, Summary
from leaderboard.api.telling import summary_of
from leaderboard.cli.actions import service_at
from leaderboard.cli.options import Adapter, AdapterRevision, AsJson, Model, Revision, Thinking, Url
from leaderboard.cli.remote import Site
from leaderboard.cli.remote_words import heading
from leaderboard.records import Relation, TrainingData
from leaderboard.settings import Settings
from leaderboard.submissions.reading import Known
from leaderboard.submissions.service import THE_MAINTAINER, declaration_of


def submit(
    model: Model,
    revision: Revision = None,
    adapter: Adapter = None,
    adapter_revision: AdapterRevision = None,
    relation: Annotated[Relation, typer.Option(help="How you stand to the model's owner.")] = Relation.NONE,
    base_model: Annotated[str | None, typer.Option(help="Model that it is derived from.")] = None,
    training_data: Annotated[
        TrainingData, typer.Option(help="Which part of HiCUPID it was trained on.")
    ] = TrainingData.UNKNOWN,
    thinking: Thinking = False,
    publish_answers: Annotated[bool, typer.Option(help="Whether its answers may be shown.")] = True,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Submits a model to a site, or to the leaderboard at RAPPORT_REDIS_URL; prints the submission's id and state.

    It is entered for those protocols of the site, or of RAPPORT_PROTOCOLS, under which it is new; what covers the
    others is printed too. A site with a login is told who submits by the token in RAPPORT_TOKEN.
    """
    if url:
        _submit_at(
            url,
            as_json,
            model=model,
            revision=revision or "",
            adapter=adapter or "",
            adapter_revision=adapter_revision or "",
            relation=relation,
            base_model=base_model or "",
            training_data=training_data,
            thinking=thinking,
            publish_answers=publish_answers,
        )
        return
    declaration = declaration_of(
        relation=relation,
        base_model=base_model,
        training_data=training_data,
        thinking=thinking,
        publish_answers=publish_answers,
    )
    service = service_at(Settings())
    view = service.submit(
        model,
        revision,
        declaration,
        THE_MAINTAINER,
        adapter=adapter,
        adapter_revision=adapter_revision,
    )
    beside = service.beside(view)
    if as_json:
        print(json.dumps({**_pinned(summary_of(view)), "beside": _by_protocol(beside)}, indent=2))
        return
    print(f"{view.submission.id} {view.state}")
    for known in beside:
        print(f"{known.submission_id} {known.state}, which covers {known.protocol} already")


def _pinned(found: Summary) -> dict[str, object]:
    """Returns what was submitted, and where it is."""
    return {name: value for name, value in found.items() if name not in ("submitter", "created_at")}


def _by_protocol(beside: Iterable[Known]) -> dict[str, str]:
    """Returns which submission covers each protocol under which a model was known."""
    return {each.protocol: each.submission_id for each in beside}


def _submit_at(url: str, as_json: bool, **arguments: object) -> None:
    """Submits a model to a site and prints what became of it."""
    found = Site(url, acts=True).call("submit", Submitted, **arguments)
    if as_json:
        print(json.dumps(found, indent=2))
        return
    print(heading(found))
    for protocol, known in found["beside"].items():
        print(f"{known} covers {protocol} already")


def references() -> None:
    """Submits the reference rows of every protocol in RAPPORT_PROTOCOLS; what is there stays as it is.

    Prints id, protocols, name and state of each.
    """
    settings = Settings()
    for view in service_at(settings).submit_references(settings.protocols):
        entered = view.submission
        print(f"{entered.id} {','.join(entered.protocols)} {entered.model} {view.state}")
