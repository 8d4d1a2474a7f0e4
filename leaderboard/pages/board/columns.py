"""The columns of the board: what each is called and means, by what it is sorted, and how its cells are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

from markupsafe import Markup

from leaderboard.pages.agreement_columns import COLUMNS as STAGES
from leaderboard.pages.board import cells
from leaderboard.pages.board.entries import Entry

Key: TypeAlias = float | str | None
"""What a column is sorted by; None is missing, and stands last whichever way it is sorted."""

MODEL: Final = "model"
"""Name of the column that is always there."""


class Column(NamedTuple):
    """One column."""

    heading: str
    unit: str
    tip: str
    """What it means, in a sentence."""
    group: str
    key: Callable[[Entry], Key]
    write: cells.Write
    shown: bool = False
    """Whether it is shown unasked."""
    kind: Literal["num", "text"] = "num"
    first: Literal["", "-"] = "-"
    """Whether a first click sorts it from the greatest down (`-`) or from the least up."""
    stage: int | None = None
    """Of a figure of agreement: which of `agreement_columns.COLUMNS` it is of."""
    always: bool = False
    """Whether it is there whatever is chosen."""
    is_name: bool = False
    """Whether it says which line this is."""

    def cell(self, entry: Entry) -> Markup:
        """Writes a whole cell; it says what it is where no heading is seen."""
        label = entry.agreement[self.stage].label if self.stage is not None and entry.agreement else self.label
        if self.is_name:
            return cells.html('<th scope="row" class="name">{}</th>', self.write(entry))
        kind = f"{self.kind} agrees" if self.stage is not None else self.kind
        return cells.html('<td class="{}" data-label="{}">{}</td>', kind, label, self.write(entry))

    @property
    def label(self) -> str:
        """Names its cells where no heading is seen."""
        return f"{self.heading}, {self.unit}" if self.unit else self.heading


def _figure(name: str) -> Callable[[Entry], Key]:
    """Returns what finds a figure of a row, by its path, such as `persona.score.value`."""
    first, *rest = name.split(".")

    def find(entry: Entry) -> Key:
        found = getattr(entry.row, first, None)
        for part in rest:
            found = getattr(found, part, None)
        return found

    return find


def _published(name: str, own: str) -> Callable[[Entry], Key]:
    """Returns what finds a figure of a row, or the one that others have published."""
    find = _figure(own)
    return lambda entry: getattr(entry.published, name) if entry.published else find(entry)


def _theirs(name: str) -> Callable[[Entry], float | None]:
    """Returns what finds a figure that others have published."""
    return lambda entry: getattr(entry.published, name, None)


def _fact(name: str) -> Callable[[Entry], Key]:
    """Returns what finds a fact of a model."""
    return lambda entry: getattr(entry.facts, name, None)


def _text(of: Callable[[Entry], str | None]) -> Callable[[Entry], Key]:
    """Returns what sorts texts whatever their case; an empty one is missing."""
    return lambda entry: (of(entry) or "").casefold() or None


def _of_row(name: str) -> Callable[[Entry], str | None]:
    """Returns what finds a text of a row."""
    return lambda entry: getattr(entry.row, name, None)


def _licence(entry: Entry) -> str | None:
    return entry.facts.licence if entry.facts else None


def _trained(entry: Entry) -> str | None:
    return cells.TRAINED_ON[entry.row.declaration.training_data] if entry.row and entry.is_model else None


def _date(entry: Entry) -> Key:
    return entry.row.published_at.timestamp() if entry.row else None


def _agreement(stage: int, *, gap: bool) -> Callable[[Entry], Key]:
    """Returns what finds a figure of agreement; it is written with a true minus and has a dash where it is missing."""

    def find(entry: Entry) -> Key:
        cell = entry.agreement[stage] if entry.agreement else None
        told = (cell.gap if gap else cell.figure) if cell else None
        try:
            return float(told.value.replace("\N{MINUS SIGN}", "-")) if told else None
        except ValueError:
            return None

    return find


_RESULT, _PEOPLE, _GAPS, _OF_MODEL, _TEXT, _RUN = (
    "Result",
    "Agreement with labels",
    "Gaps",
    "Model",
    "Beside gold's words",
    "Judging and running",
)
_WIN_TIE_LOSS = "% win / tie / loss"


def _stages() -> dict[str, Column]:
    """Returns the columns of agreement, one a stage, and of its gap to made-up users."""
    found: dict[str, Column] = {}
    for stage, (task, told) in enumerate(STAGES.items()):
        found[task.value] = Column(
            told.heading,
            told.unit,
            f"How far the model agrees with those who labelled the same items, beside what one more human would "
            f"reach; {told.unit}.",
            _PEOPLE,
            _agreement(stage, gap=False),
            lambda entry, stage=stage: cells.agreement_cell(entry, stage),  # type: ignore[misc]
            shown=True,
            stage=stage,
        )
    for stage, (task, told) in enumerate(STAGES.items()):
        if told.gap:
            found[f"gap-{task.value}"] = Column(
                f"Gap, {told.heading.lower()}",
                "F1, made-up less labelled",
                "Synthetic-to-human gap: F1 on HiCUPID's made-up users less the same on labels; above 0, made-up users "
                "flatter the model.",
                _GAPS,
                _agreement(stage, gap=True),
                lambda entry, stage=stage: cells.gap_to_people_cell(entry, stage),  # type: ignore[misc]
                stage=stage,
            )
    return found


_STAGES = _stages()

COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        "rank": Column(
            "Rank",
            "",
            "One more than the number of models that are significantly better; in brackets all ranks that the data "
            "leave open, at 95 % for the whole ranking at once.",
            _RESULT,
            _figure("rank"),
            cells.rank_cell,
            first="",
            always=True,
        ),
        MODEL: Column(
            "Model",
            "revision · date",
            "The model as it was handed in, with all that marks how it was run and why it may not rank.",
            _RESULT,
            _text(lambda entry: entry.name),
            cells.model_cell,
            kind="text",
            first="",
            always=True,
            is_name=True,
        ),
        "total": Column(
            "Total",
            "0 to 87.5",
            "(25 × persona + 5 × profile + 10 × schedule / 2) / 40, a tie counting half: 50 is as good as gold; drawn "
            "with its 95 % interval, the thin line marks 50.",
            _RESULT,
            _published("total", "total.value"),
            cells.total_cell,
            shown=True,
        ),
        "persona": Column(
            "Persona",
            _WIN_TIE_LOSS,
            "Share of answers on what a user likes that the judge found better than, as good as, or worse than gold; "
            "sorted by the score, in which a tie counts half.",
            _RESULT,
            _published("persona", "persona.score.value"),
            cells.beside_gold(lambda row: row.persona, _theirs("persona")),
            shown=True,
        ),
        "profile": Column(
            "Profile",
            _WIN_TIE_LOSS,
            "The same of questions that need what a user likes and who he is at once.",
            _RESULT,
            _published("profile", "profile.score.value"),
            cells.beside_gold(lambda row: row.profile, _theirs("profile")),
            shown=True,
        ),
        "schedule": Column(
            "Schedule",
            "%",
            "Share of requests that clash with an appointment where the answer says so.",
            _RESULT,
            _published("schedule", "schedule.value"),
            cells.rate_cell(lambda row: row.schedule, _theirs("schedule")),
            shown=True,
        ),
        **{name: column for name, column in _STAGES.items() if not name.startswith("gap-")},
        "lc": Column(
            "Long-context gap",
            "points",
            "Persona score with the whole history less that with the needed dialogues alone: below 0 where a long "
            "history costs the model.",
            _GAPS,
            _figure("desiderata.lc.value"),
            cells.gap_cell(lambda row: row.desiderata.lc),
            shown=True,
        ),
        "generalisation": Column(
            "Generalisation",
            "points",
            "Total for users never seen in training less that for seen ones.",
            _GAPS,
            _figure("desiderata.generalisation.value"),
            cells.gap_cell(lambda row: row.desiderata.generalisation),
        ),
        **{name: column for name, column in _STAGES.items() if name.startswith("gap-")},
        "size": Column(
            "Size",
            "parameters",
            "Parameters, counted in the headers of the model's weight files.",
            _OF_MODEL,
            _fact("parameters"),
            cells.size_cell,
            shown=True,
            first="",
        ),
        "licence": Column(
            "Licence",
            "",
            "As the model's card names it.",
            _OF_MODEL,
            _text(_licence),
            cells.told_cell(_licence),
            shown=True,
            kind="text",
            first="",
        ),
        "length": Column(
            "Context",
            "tokens",
            "Tokens of prompt and answer together that the model takes, as it declares.",
            _OF_MODEL,
            _fact("context_length"),
            cells.context_cell,
        ),
        "family": Column(
            "Family",
            "architecture",
            "The line of models that it comes from, by its name and what it declares, and the class that its "
            "config.json names.",
            _OF_MODEL,
            _text(lambda entry: entry.family),
            cells.family_cell,
            kind="text",
            first="",
        ),
        "trained": Column(
            "Trained on HiCUPID",
            "",
            "Which part of HiCUPID the model was trained on, as its submitter declares; telling costs no rank.",
            _OF_MODEL,
            _text(_trained),
            cells.trained_cell,
            shown=True,
            kind="text",
            first="",
        ),
        "submitter": Column(
            "Submitter",
            "",
            "Who handed the model in.",
            _OF_MODEL,
            _text(_of_row("submitter")),
            cells.told_cell(_of_row("submitter")),
            kind="text",
            first="",
        ),
        "date": Column("Date", "", "When the result was made.", _OF_MODEL, _date, cells.date_cell, kind="text"),
        "bleu": Column(
            "BLEU",
            "0 to 100",
            "Mean sentence BLEU against gold; it tells how alike the words are, not how good the answer is.",
            _TEXT,
            _figure("bleu.value"),
            cells.rate_cell(lambda row: row.bleu),
        ),
        "rouge": Column(
            "ROUGE-L",
            "0 to 100",
            "Mean ROUGE-L F1 against gold; likewise of words alone.",
            _TEXT,
            _figure("rouge_l.value"),
            cells.rate_cell(lambda row: row.rouge_l),
        ),
        "evidence": Column(
            "Evidence shown",
            "%",
            "Share of the dialogues that a question needs which the context showed the model.",
            _TEXT,
            _figure("evidence_recall.value"),
            cells.rate_cell(lambda row: row.evidence_recall),
        ),
        "judge": Column(
            "Judge",
            "",
            "The model that reads answers and decides; marked unless it decides official ranks.",
            _RUN,
            _text(_of_row("judge")),
            cells.judge_cell,
            kind="text",
            first="",
        ),
        "verdicts": Column(
            "Verdicts",
            "count",
            "Verdicts that were asked for and read; answers with a defect lose without one.",
            _RUN,
            _figure("verdicts"),
            cells.verdicts_cell,
        ),
        "missing": Column(
            "Missing",
            "verdicts",
            "Verdicts that the judge or the machine failed to give; they never count as a tie or a loss.",
            _RUN,
            _figure("missing"),
            cells.missing_cell,
        ),
        "consistency": Column(
            "Consistency",
            "% of pairs",
            "Share of pairs whose verdicts agree whichever answer the judge reads first.",
            _RUN,
            _figure("position_consistency.value"),
            cells.consistency_cell,
        ),
        "efficiency": Column(
            "Prefill efficiency",
            "0 to 1",
            "Distinct prompt tokens over prompt tokens computed: 1 where nothing was computed twice.",
            _RUN,
            _figure("prefill_efficiency"),
            cells.efficiency_cell,
        ),
    }
)
"""All columns by name, in their order."""
AGREEMENT = frozenset(_STAGES)
"""Those that are there only where people's labels are part of the site."""
SHOWN_UNASKED = tuple(name for name, column in COLUMNS.items() if column.shown and not column.always)
TIPS: Mapping[str, str] = MappingProxyType({name: column.tip for name, column in COLUMNS.items()})
"""What each column means."""
