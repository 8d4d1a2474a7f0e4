"""The data-set cards, written from the records themselves, so that no column can be forgotten or described wrongly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from evaluator.hicupid.data import SEASON
from evaluator.human.figures import GIVEN
from evaluator.human.people import People
from evaluator.judges.spec import JudgeSpec
from evaluator.protocol import EvaluationProtocol, HumanProtocol
from leaderboard.open_data import layout
from leaderboard.open_data.columns import columns_of
from leaderboard.open_data.configs import OURS, REQUESTS, RESULTS, Config, features_of, front_of
from leaderboard.open_data.papers import HICUPID

_TAGS = ["leaderboard", "llm-evaluation", "personalization"]

_RESULTS_INTRO = """\
What personalised assistants scored on the Rapport leaderboard: every scorecard with its intervals and its provenance,
the users' sums that ranks are computed from, how far each model agrees with people, and the answers and verdicts behind
all that, as far as licences and the models' owners allow."""

_WITHHELD = f"""\
## What is not here

Questions, reference answers and the histories of users are their data sets' own and stand in no file here; rows name
them by `data_sha` and `question_id`. An answer stands here if its model's owner consented to that; otherwise
`answer_status` is `withheld`, and its digest, its figures and its verdicts remain. A judge's own words quote what it
judged and are shown only where the data set may be passed on, and so are answers to what people have written, but for
one word of those that were asked for. Where it shows by the verdicts alone what labels say, which is so of uplift and
extraction, there are none on a data set that may not be passed on. Rows of runs whose terms are private are left out
altogether, but their figures count. What was withdrawn is named in `{layout.WITHDRAWN}`, by id and date, and is gone
from all other files here."""

_PEOPLE = f"""\
The judge `{People().id}` of the suite `human` is no model: what people have labelled is the truth, there are no
verdicts, and `judge_revision` names the state of the labels. Other judges of that suite read what a model wrote: the
rows of `verdicts` whose `protocol` begins with `human-` are theirs, with what rules found beside them.

Labels of the kind `simulated` are a program's, and those of the kind `truth` are what made-up users were made from:
both say nothing of people. `f1_majority.gap` is the figure `f1_majority` on made-up users less that on labels; it is
made of two runs, and stands in `human_figures` and not in the column `scorecard`. Intervals of `human_figures` are
clustered by user. {GIVEN}"""

_REQUESTS_INTRO = """\
Everything that was handed in to the Rapport leaderboard: one JSON file a submission, with what was declared of the
model and all that has happened to it. Lines of logs are left out."""

_ARCHIVE_TEXT = """\
Everything that the Rapport leaderboard keeps: histories, plans, answers, verdicts, scorecards and withdrawals. It is
private because rows here may quote data sets that must not be passed on. Only the publisher writes to it, and all that
is public is derived from it: {results} can be made from it again at any time.

Nobody edits it by hand. Its files are JSON, JSON lines and Parquet; each row names its `schema_version`, and
`rapport store check` verifies them all."""


def results_card(
    results: str, requests: str, protocols: Iterable[EvaluationProtocol], judges: Iterable[JudgeSpec]
) -> str:
    """Returns the card of the results.

    Args:
        results: Name of this data set, `owner/name` on the Hub.
        requests: Name of the data set of requests.
        protocols: All that results may be of.
        judges: All whose verdicts may stand in it.

    Raises:
        ValueError: If a column has no description.
    """
    return _card(
        {"pretty_name": "Rapport results", "license": [OURS, "other"], "language": ["en"], "tags": _TAGS}
        | front_of(RESULTS),
        "# Rapport: results",
        f"{_RESULTS_INTRO} What was handed in stands in `{requests}`.",
        _loading(results, RESULTS),
        "## Parts and their licences",
        _parts(RESULTS),
        _WITHHELD,
        "## Protocols\n\nResults of different protocols, judges or data are never ranked against each other.",
        _table(("id", "official", "suite", "task", "wording", "judge", "what it asks"), map(_protocol, protocols)),
        "## Judges",
        _table(
            ("id", "status", "model", "licence", "what it is"),
            ((each.id, each.status, each.model, each.licence, each.title) for each in judges),
        ),
        _PEOPLE,
        *_columns(RESULTS),
        _citing(results),
    )


def requests_card(requests: str, results: str) -> str:
    """Returns the card of the requests.

    Args:
        requests: Name of this data set, `owner/name` on the Hub.
        results: Name of the data set of results.

    Raises:
        ValueError: If a column has no description.
    """
    return _card(
        {"pretty_name": "Rapport requests", "license": OURS, "language": ["en"], "tags": _TAGS} | front_of(REQUESTS),
        "# Rapport: requests",
        f"{_REQUESTS_INTRO} What came of them stands in `{results}`.",
        _loading(requests, REQUESTS),
        "## Parts and their licences",
        _parts(REQUESTS),
        *_columns(REQUESTS),
        _citing(results),
    )


def archive_card(archive: str, results: str, requests: str) -> str:
    """Returns the card of the archive, which is private.

    Args:
        archive: Name of this data set, `owner/name` on the Hub.
        results: Name of the data set of results.
        requests: Name of the data set of requests.
    """
    return _card(
        {"pretty_name": "Rapport archive", "license": "other", "tags": _TAGS, "viewer": False},
        f"# Rapport: archive\n\n`{archive}` is private.",
        _ARCHIVE_TEXT.format(results=f"`{results}` and `{requests}`"),
    )


def _card(front: dict[str, Any], *sections: str) -> str:
    """Puts a card together."""
    matter = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=120)
    return f"---\n{matter}---\n\n" + "\n\n".join(sections) + "\n"


def _loading(name: str, configs: tuple[Config, ...]) -> str:
    """Says how a data set is loaded."""
    first, *others = (config.name for config in configs)
    and_others = f" Further configs: {', '.join(f'`{other}`' for other in others)}." if others else ""
    return (
        "## How to load it\n\n```python\nfrom datasets import load_dataset\n\n"
        f'{first} = load_dataset("{name}", "{first}", split="train")\n```\n\n'
        f"There is one split, `train`.{and_others} A config without a row yet cannot be loaded."
    )


def _parts(configs: tuple[Config, ...]) -> str:
    """Lists configs with their files and licences."""
    return _table(
        ("config", "rows", "files", "licence"),
        ((f"`{each.name}`", each.about, f"`{each.files}`", each.licence) for each in configs),
    )


def _columns(configs: tuple[Config, ...]) -> Iterator[str]:
    """Yields a table of columns for each config."""
    yield "## Columns"
    for config in configs:
        fields = columns_of(config.kind).model_fields
        rows = (
            (f"`{feature['name']}`", _told(feature), fields[feature["name"]].description or "")
            for feature in features_of(config.kind)
        )
        yield f"### {config.name}\n\n{_table(('column', 'type', 'meaning'), rows)}"


def _told(feature: dict[str, Any]) -> str:
    """Names a column's type for readers."""
    inner = feature.get("list")
    if isinstance(inner, list):
        return f"list of {', '.join(part['name'] for part in inner)}"
    return f"list of {inner}" if inner else str(feature["dtype"])


def _citing(name: str) -> str:
    """Says how to cite."""
    return f"""\
## How to cite

```bibtex
@misc{{rapport{SEASON},
  title = {{Rapport: a leaderboard for personalised assistants}},
  year  = {{{SEASON}}},
  url   = {{https://huggingface.co/datasets/{name}}},
}}

{HICUPID}```"""


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Writes a table; what stands in a cell cannot leave it."""
    lines = (head, ("---",) * len(head), *rows)
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _protocol(protocol: EvaluationProtocol) -> tuple[str, ...]:
    """Describes a protocol; those of HiCUPID are worded by each run's prompt pack."""
    task, wording = "-", "the run's prompt pack"
    if isinstance(protocol, HumanProtocol):
        task, wording = protocol.task, protocol.wording
    return protocol.id, _yes(protocol.official), protocol.suite, task, wording, protocol.judge, protocol.title


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"
