"""`rapport evaluate`, `compare`, `reproduce` and `judge`: their options, what they print, and how they end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from evaluator.errors import RapportError
from evaluator.judges.rater import Rater, load_rater
from evaluator.judges.spec import JudgeSpec
from evaluator.models import model_name, pin, pin_adapter
from evaluator.protocol import EvaluationProtocol, HumanProtocol, is_reference, load_protocol, read_protocol
from leaderboard.settings import Settings
from worker.engines import Endpoints, judge_endpoint
from worker.local.compare import compare_folders
from worker.local.dry_run import estimate
from worker.local.evaluation import evaluate
from worker.local.human_dry_run import estimate_tasks, human_protocols
from worker.local.judge_cli import app as judge_app
from worker.local.progress import Progress, log_to
from worker.local.reproduce_cli import reproduce_command
from worker.local.servers import Context, Flavour, JudgeName, JudgeUrl, Key, Server
from worker.local.summary import gaps_of, summary_of
from worker.local.tokenizers import Tokenizers
from worker.local.wanted import Wanted
from worker.planning import Candidate, Conditions, asks_of_people, data_set_of

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command("reproduce")(reproduce_command)
app.add_typer(judge_app, name="judge")


class Suite(StrEnum):
    """What can be evaluated."""

    HICUPID = "hicupid"
    HUMAN = "human"


class EngineChoice(StrEnum):
    """What runs models."""

    AUTO = "auto"
    VLLM = "vllm"
    TRANSFORMERS = "transformers"


_MODEL = "owner/name on the Hub, local/NAME, or reference/gold, reference/general_answer, reference/empty."
_AS_JSON = typer.Option("--json", help="Print JSON on standard output.")


@app.command("evaluate")
def evaluate_command(
    model: Annotated[str, typer.Argument(help=_MODEL)],
    protocol: Annotated[
        str | None,
        typer.Option(
            help="Id of a protocol, or the path of a YAML file of the same form; all official ones of the suite human "
            "if left out there."
        ),
    ] = None,
    suite: Annotated[
        Suite | None, typer.Option(help="hicupid, or human: what people have labelled; the protocol's if left out.")
    ] = None,
    stage: Annotated[int | None, typer.Option(min=1, max=3, help="Only this stage of the suite human.")] = None,
    judge: Annotated[str | None, typer.Option(help="Id of the judge; the protocol's if left out.")] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="demo, a folder, or a Hub data set; the setting for the suite if left out. Without --protocol it is "
            "that of people's labels, and made-up users are those of RAPPORT_DATA_SET."
        ),
    ] = None,
    prompts: Annotated[
        str | None, typer.Option(help="official, builtin, or the id of a prompt pack; the judge's if left out.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Ask only the first items, user by user.")] = None,
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit of the model.")] = None,
    adapter: Annotated[str | None, typer.Option(help="LoRA adapter: owner/name on the Hub, or local/NAME.")] = None,
    adapter_revision: Annotated[str | None, typer.Option(help="Branch, tag or commit of the adapter.")] = None,
    thinking: Annotated[bool, typer.Option("--thinking", help="The model thinks before it answers.")] = False,
    engine: Annotated[EngineChoice | None, typer.Option(help="What runs models; RAPPORT_ENGINE if left out.")] = None,
    context_tokens: Annotated[
        int | None, typer.Option(min=1, help="Most tokens an engine is set up for; RAPPORT_CONTEXT_TOKENS if left out.")
    ] = None,
    model_url: Annotated[str | None, typer.Option(help="Server that runs the model, such as http://h:8000/v1.")] = None,
    model_name_there: Annotated[
        str | None, typer.Option("--model-name", help="The model's name on that server; MODEL if left out.")
    ] = None,
    model_key: Key = None,
    model_flavour: Flavour = None,
    model_context: Context = None,
    judge_url: JudgeUrl = None,
    judge_name: JudgeName = None,
    judge_key: Key = None,
    judge_flavour: Flavour = None,
    judge_context: Context = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the evaluation; below data/evaluations if left out. One that was begun goes on with the "
            "commits of data set and judge that it began with."
        ),
    ] = None,
    as_json: Annotated[bool, _AS_JSON] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only estimate what it would take.")] = False,
) -> None:
    """Evaluates a model on this machine; called again with the same arguments, it goes on where it stopped.

    Exit codes: 0 done; 1 failed with a cause; 2 wrong usage; 130 stopped by Ctrl-C.
    """
    settings = _with(Settings(), engine=engine and engine.value, context_tokens=context_tokens)
    asked = _protocols(protocol, suite, stage)
    raters = [load_rater(judge or each.judge, settings.judges) for each in asked]
    named = model_name(model, settings.models)
    if is_reference(named) and (revision or adapter or model_url or thinking):
        raise typer.BadParameter("a reference takes no --revision, --adapter, --model-url and --thinking")
    if adapter and model_url and not model_name_there:
        raise typer.BadParameter("say with --model-name under which name the server serves the adapter")
    model_there = Server(model_url, model_name_there, model_key, model_flavour, model_context)
    judge_there = Server(judge_url, judge_name, judge_key, judge_flavour, judge_context)
    served = model_there.endpoint("model", named)
    adapted = pin_adapter(model_name(adapter, settings.models), adapter_revision, settings.models) if adapter else None
    candidate = Candidate(pin(named, revision, settings.models), adapted, thinking)
    wanted = [
        Wanted(
            candidate,
            Conditions(each, rater, prompts or rater.prompt_pack, _data_set(each, data, protocol, settings)),
            Endpoints(served, judge_there.endpoint("judge", _served_name(rater)) or judge_endpoint(settings, rater)),
            limit,
            out / each.id if out and len(asked) > 1 else out,
        )
        for each, rater in zip(asked, raters, strict=True)
    ]
    console = Console(stderr=True)
    log_to(console)
    if dry_run:
        _tell_dry_run(wanted, settings, as_json=as_json)
        return
    cards = []
    for each in wanted:
        done = evaluate(each, settings, Progress(console))
        cards.append(done.scorecard)
        print(done.scorecard.model_dump_json(indent=2) if as_json else summary_of(done.scorecard))
        print(done.folder, file=sys.stderr if as_json else sys.stdout)
    for line in gaps_of(cards):
        print(line, file=sys.stderr if as_json else sys.stdout)


def _data_set(asked: EvaluationProtocol, data: str | None, named: str | None, settings: Settings) -> str:
    """Returns the data set that a protocol asks of; where none was named, `data` is that of people's labels alone."""
    return data if data and (named or asks_of_people(asked)) else data_set_of(asked, settings)


def _served_name(rater: Rater) -> str:
    """Returns by which name a server knows a judge unless the options say."""
    return rater.model if isinstance(rater, JudgeSpec) else rater.id


def _tell_dry_run(wanted: Sequence[Wanted], settings: Settings, *, as_json: bool) -> None:
    """Prints what evaluations would take."""
    of_people = isinstance(wanted[0].conditions.protocol, HumanProtocol)
    with Tokenizers(settings) as tokenizers:
        several, one = (wanted, settings, tokenizers), (wanted[0], settings, tokenizers)
        estimated = estimate_tasks(*several) if of_people else estimate(*one)
    print(estimated.model_dump_json(indent=2) if as_json else estimated.describe())


@app.command("compare")
def compare_command(
    first: Annotated[Path, typer.Argument(help="Folder of an evaluation.")],
    second: Annotated[Path, typer.Argument(help="Folder of another one of the same plan.")],
    as_json: Annotated[bool, _AS_JSON] = False,
) -> None:
    """Lists by question id what two evaluations of one plan answered or judged differently."""
    found = compare_folders(first, second)
    print(found.model_dump_json(indent=2) if as_json else found.describe())


def run(arguments: list[str]) -> int:
    """Runs one of the commands; returns the exit code."""
    try:
        app(arguments, prog_name="rapport")
    except RapportError as error:
        print(f"rapport: {error.cause}: {error}", file=sys.stderr)
        return 1
    except SystemExit as ended:
        return int(ended.code or 0)
    except KeyboardInterrupt:
        return 130
    return 0


def _protocols(wanted: str | None, suite: Suite | None, stage: int | None) -> Sequence[EvaluationProtocol]:
    """Returns a protocol by its id or its file, or all of a stage.

    Raises:
        typer.BadParameter: If the options do not fit each other.
    """
    if wanted is None:
        if suite is not Suite.HUMAN:
            raise typer.BadParameter("name a --protocol, or --suite human for all of its tasks")
        return human_protocols(stage)
    found = read_protocol(Path(wanted)) if wanted.endswith((".yaml", ".yml")) else load_protocol(wanted)
    if suite and suite.value != found.suite:
        raise typer.BadParameter(f"{found.id} is a protocol of the suite {found.suite}")
    if stage and not (isinstance(found, HumanProtocol) and found.task.stage == stage):
        raise typer.BadParameter(f"{found.id} is no protocol of stage {stage}")
    return [found]


def _with(settings: Settings, **chosen: Any) -> Settings:
    """Returns settings under which those that were chosen, so are not None, stand in the place of others."""
    return settings.model_copy(update={name: value for name, value in chosen.items() if value is not None})
