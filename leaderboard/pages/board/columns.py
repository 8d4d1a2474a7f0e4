"""The columns of the board: what each is called and means, by what it is sorted, and how its cells are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

from markupsafe import Markup

from leaderboard.pages.about.terms import tip_of
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
    """Returns what finds a figure of agreement."""
    return lambda entry: entry.agreement[stage].value(gap=gap) if entry.agreement else None


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
            f"{tip_of(task.value)} Beside it stands what one more human would reach; {told.unit}.",
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
                tip_of(f"gap-{task.value}"),
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
            tip_of("rank"),
            _RESULT,
            _figure("rank"),
            cells.rank_cell,
            first="",
            always=True,
        ),
        MODEL: Column(
            "Model",
            "revision · date",
            tip_of(MODEL),
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
            tip_of("total") + " Drawn with its 95 % interval; the thin line marks 50.",
            _RESULT,
            _published("total", "total.value"),
            cells.total_cell,
            shown=True,
        ),
        "persona": Column(
            "Persona",
            _WIN_TIE_LOSS,
            tip_of("persona") + " Sorted by the score, in which a tie counts half.",
            _RESULT,
            _published("persona", "persona.score.value"),
            cells.beside_gold(lambda row: row.persona, _theirs("persona")),
            shown=True,
        ),
        "profile": Column(
            "Profile",
            _WIN_TIE_LOSS,
            tip_of("profile"),
            _RESULT,
            _published("profile", "profile.score.value"),
            cells.beside_gold(lambda row: row.profile, _theirs("profile")),
            shown=True,
        ),
        "schedule": Column(
            "Schedule",
            "%",
            tip_of("schedule"),
            _RESULT,
            _published("schedule", "schedule.value"),
            cells.rate_cell(lambda row: row.schedule, _theirs("schedule")),
            shown=True,
        ),
        **{name: column for name, column in _STAGES.items() if not name.startswith("gap-")},
        "lc": Column(
            "Long-context gap",
            "points",
            tip_of("lc"),
            _GAPS,
            _figure("desiderata.lc.value"),
            cells.gap_cell(lambda row: row.desiderata.lc),
            shown=True,
        ),
        "generalisation": Column(
            "Generalisation",
            "points",
            tip_of("generalisation"),
            _GAPS,
            _figure("desiderata.generalisation.value"),
            cells.gap_cell(lambda row: row.desiderata.generalisation),
        ),
        **{name: column for name, column in _STAGES.items() if name.startswith("gap-")},
        "size": Column(
            "Size",
            "parameters",
            tip_of("size"),
            _OF_MODEL,
            _fact("parameters"),
            cells.size_cell,
            shown=True,
            first="",
        ),
        "licence": Column(
            "Licence",
            "",
            tip_of("licence"),
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
            tip_of("length"),
            _OF_MODEL,
            _fact("context_length"),
            cells.context_cell,
        ),
        "family": Column(
            "Family",
            "architecture",
            tip_of("family"),
            _OF_MODEL,
            _text(lambda entry: entry.family),
            cells.family_cell,
            kind="text",
            first="",
        ),
        "trained": Column(
            "Trained on HiCUPID",
            "",
            tip_of("trained"),
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
            tip_of("submitter"),
            _OF_MODEL,
            _text(_of_row("submitter")),
            cells.told_cell(_of_row("submitter")),
            kind="text",
            first="",
        ),
        "date": Column("Date", "", tip_of("date"), _OF_MODEL, _date, cells.date_cell, kind="text"),
        "bleu": Column(
            "BLEU",
            "0 to 100",
            tip_of("bleu"),
            _TEXT,
            _figure("bleu.value"),
            cells.rate_cell(lambda row: row.bleu),
        ),
        "rouge": Column(
            "ROUGE-L",
            "0 to 100",
            tip_of("rouge"),
            _TEXT,
            _figure("rouge_l.value"),
            cells.rate_cell(lambda row: row.rouge_l),
        ),
        "evidence": Column(
            "Evidence shown",
            "%",
            tip_of("evidence"),
            _TEXT,
            _figure("evidence_recall.value"),
            cells.rate_cell(lambda row: row.evidence_recall),
        ),
        "judge": Column(
            "Judge",
            "",
            tip_of("judge"),
            _RUN,
            _text(_of_row("judge")),
            cells.judge_cell,
            kind="text",
            first="",
        ),
        "verdicts": Column(
            "Verdicts",
            "count",
            tip_of("verdicts"),
            _RUN,
            _figure("verdicts"),
            cells.verdicts_cell,
        ),
        "missing": Column(
            "Missing",
            "verdicts",
            tip_of("missing"),
            _RUN,
            _figure("missing"),
            cells.missing_cell,
        ),
        "consistency": Column(
            "Consistency",
            "% of pairs",
            tip_of("consistency"),
            _RUN,
            _figure("position_consistency.value"),
            cells.consistency_cell,
        ),
        "efficiency": Column(
            "Prefill efficiency",
            "0 to 1",
            tip_of("efficiency"),
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
