"""From public rows to users' sums, in SQL: what `evaluator.hicupid.scoring` adds up, without a record for each row.

Which of several rows on one thing counts was decided when they were published (`which_count`); here it is only read.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluator.hicupid.scoring import User
from evaluator.metrics.intervals import Array

MEMORY_MB = 512
"""What DuckDB may hold; beyond that it writes to disk."""

TYPES = ("persona", "profile", "schedule")
FIGURES = (
    *(f"{type_}_{share}" for type_ in TYPES[:2] for share in ("win", "tie", "loss", "score")),
    "schedule_score",
    "bleu",
    "rouge_l",
    "evidence_recall",
    "position_consistency",
    "slot_a_share",
)
"""Rates that a scorecard tells, each summed by user."""

_ENTRIES = """
create temp table answers as
    select run_id, model, protocol, question_id, split, user_id, type, orders, has_evidence, counts, content_hash,
        defect, failure, bleu, rouge_l, evidence_recall, prompt_tokens, cached_tokens, shared_tokens
    from read_parquet($generations, union_by_name = true);
create temp table words as
    select run_id, question_id, content_hash, slot_order, outcome, failure, counts
    from read_parquet($verdicts, union_by_name = true);
create temp table said as
    select run_id, question_id, count(*) as rows, count(outcome) as read, count(distinct outcome) as different,
        count_if(outcome = 'win') as wins, count_if(outcome = 'tie') as ties, count_if(outcome = 'loss') as losses,
        sum(case outcome when 'win' then 1.0 when 'satisfied' then 1.0 when 'tie' then 0.5 else 0.0 end) as earned,
        count_if(outcome <> 'tie') as slots,
        count_if(outcome <> 'tie' and (outcome = 'win') = (slot_order = 'answer_first')) as slots_a
    from words where counts group by all;
create temp table entries as
    select run_id, question_id, split, user_id, type, owed, has_evidence, defect, failure, answered, bleu, rouge_l,
        evidence_recall, owed = 2 and defect is null as paired, lost or read = owed as judged,
        case when lost then 0 else rows end as rows, case when lost then owed else read end as read,
        case when lost then 0.0 else earned end as earned, case when lost then 0 else wins end as wins,
        case when lost then 0 else ties end as ties, case when lost then owed else losses end as losses,
        different, slots, slots_a, lost
    from (
        select answers.*, len(orders) as owed, content_hash is not null as answered,
            content_hash is not null and defect is not null as lost,
            coalesce(said.rows, 0) as rows, coalesce(said.read, 0) as read, coalesce(said.different, 0) as different,
            coalesce(said.wins, 0) as wins, coalesce(said.ties, 0) as ties, coalesce(said.losses, 0) as losses,
            coalesce(said.earned, 0.0) as earned, coalesce(said.slots, 0) as slots,
            coalesce(said.slots_a, 0) as slots_a
        from answers left join said using (run_id, question_id) where answers.counts
    );
"""

_COUNTS = """
with asked as (select run_id, question_id, content_hash, outcome, failure from words where counts),
computed as (
    select run_id, prompt_tokens, cached_tokens, shared_tokens from answers
        where counts and failure is distinct from 'context_overflow'
)
select run_id, 'defects' as kind, defect as name, count(*) as number from entries where defect is not null group by all
union all
select run_id, 'failures', failure, count(*) from entries where failure is not null group by all
union all
select run_id, 'missing', failure, sum(owed) from entries where not answered group by all
union all
select run_id, 'missing', 'not_judged', sum(owed - rows) from entries where answered and not lost group by all
union all
select asked.run_id, 'missing', coalesce('judge_' || asked.failure, 'unparsed'), count(*)
    from asked where outcome is null group by all
union all
select run_id, 'clashes', '', sum(different - 1) from (
    select run_id, count(distinct content_hash) as different from answers where content_hash is not null
        group by run_id, question_id
    union all
    select run_id, count(distinct outcome) from words where outcome is not null
        group by run_id, question_id, content_hash, slot_order
) group by all
union all
select run_id, 'totals', 'items', count(*) from entries group by all
union all
select run_id, 'totals', 'generations', count(*) from entries where answered group by all
union all
select run_id, 'totals', 'judged', count(*) from entries where judged group by all
union all
select run_id, 'totals', 'verdicts', sum(read) from entries where defect is null group by all
union all
select run_id, 'prefill', 'untold', count(*) from computed
    where shared_tokens is null or cached_tokens is null group by all
union all
select run_id, 'prefill', 'distinct', sum(prompt_tokens - shared_tokens) from computed group by all
union all
select run_id, 'prefill', 'computed', sum(prompt_tokens - cached_tokens) from computed group by all
"""


class RunTally(NamedTuple):
    """What one run came to under one judge, by user."""

    run_id: str
    model: str
    protocol: str
    users: list[User]
    """Sorted."""
    totals: Array
    """(users, figures): sums of items' parts of each of `FIGURES`, in 0..100 each."""
    items: Array
    """(users, figures): items, or for the last figure words, in each sum."""
    asked: Array
    """(users, figures): items that the protocol asks, or words that it is owed."""
    earned: Array
    """(users, types): what items earned, in 0..1 each, if every missing verdict were a loss."""
    counts: Mapping[str, Mapping[str, int]]
    """Numbers by kind and name: `totals`, `defects`, `failures`, `missing`, `clashes` and `prefill`."""

    def sums_of(self, figure: str) -> tuple[Array, NDArray[np.int64]]:
        """Returns every user's sum of a figure, and the number of its items."""
        place = FIGURES.index(figure)
        return self.totals[:, place], self.items[:, place].astype(np.int64)


def tally_rows(generations: Sequence[Path], verdicts: Sequence[Path], memory_mb: int = MEMORY_MB) -> list[RunTally]:
    """Adds up the rows of some runs under one judge.

    Args:
        generations: Files of `OpenGeneration`s.
        verdicts: Files of `OpenVerdict`s of the same runs.
        memory_mb: What DuckDB may hold.

    Returns:
        One tally a run, by run id.

    Raises:
        duckdb.Error: If a file cannot be read or lacks a column.
    """
    with database(memory_mb) as connection:
        files = {"generations": list(map(str, generations)), "verdicts": list(map(str, verdicts))}
        for statement in _ENTRIES.split(";\n")[:-1]:
            given = {name: paths for name, paths in files.items() if f"${name}" in statement}
            connection.execute(statement, given or None)
        counts: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
        for run_id, kind, name, number in connection.execute(_COUNTS).fetchall():
            if number:
                found = counts[run_id][kind]
                found[name] = found.get(name, 0) + int(number)
        whose = {
            run_id: (model, protocol)
            for run_id, model, protocol in connection.execute(
                "select distinct run_id, model, protocol from answers order by all"
            ).fetchall()
        }
        columns = connection.execute(_by_user()).fetchnumpy()
    return [_tally(run_id, whose[run_id], columns, counts[run_id]) for run_id in sorted(set(columns["run_id"]))]


@contextmanager
def database(memory_mb: int = MEMORY_MB) -> Iterator[Any]:
    """Yields a database in memory.

    Args:
        memory_mb: What it may hold.
    """
    import duckdb  # Pages read boards without it, and it takes its time and some memory.

    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{memory_mb}MB",
        "threads": 2,
        "temp_directory": tempfile.gettempdir(),
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with duckdb.connect(":memory:", config=settings) as connection:
        yield connection


def _by_user() -> str:
    """Writes the query for each user's sums: three columns a figure, and what was earned by type."""
    parts = {f"{type_}_score": ("100 * earned / owed", f"type = '{type_}'", "judged") for type_ in TYPES}
    for type_ in TYPES[:2]:
        for share, plural in (("win", "wins"), ("tie", "ties"), ("loss", "losses")):
            parts[f"{type_}_{share}"] = (f"100 * {plural} / owed", f"type = '{type_}'", "judged")
    parts |= {name: (name, "true", f"answered and {name} is not null") for name in ("bleu", "rouge_l")}
    parts["evidence_recall"] = ("100 * evidence_recall", "has_evidence", "answered and evidence_recall is not null")
    parts["position_consistency"] = ("case when different = 1 then 100.0 else 0.0 end", "paired", "judged")
    sums = []
    for name in FIGURES[:-1]:
        value, asked, there = parts[name]
        sums.append(f"coalesce(fsum({value}) filter ({asked} and {there}), 0.0) as {name}_total")
        sums.append(f"count(*) filter ({asked} and {there}) as {name}_items")
        sums.append(f"count(*) filter ({asked}) as {name}_asked")
    sums.append("100.0 * coalesce(sum(slots_a) filter (paired and judged), 0) as slot_a_share_total")
    sums.append("coalesce(sum(slots) filter (paired and judged), 0) as slot_a_share_items")
    sums.append("2 * count(*) filter (paired) as slot_a_share_asked")
    sums += [f"coalesce(sum(earned / owed) filter (type = '{type_}'), 0.0) as {type_}_earned" for type_ in TYPES]
    return f"select run_id, split, user_id, {', '.join(sums)} from entries group by all order by run_id, split, user_id"  # noqa: S608


def _tally(
    run_id: str, whose: tuple[str, str], columns: Mapping[str, Any], counts: Mapping[str, Mapping[str, int]]
) -> RunTally:
    """Takes one run out of all users' sums."""
    mine = np.flatnonzero(columns["run_id"] == run_id)

    def some(names: Sequence[str], what: str) -> Array:
        return np.array([columns[f"{name}_{what}"][mine] for name in names], dtype=np.float64).T

    return RunTally(
        run_id=run_id,
        model=whose[0],
        protocol=whose[1],
        users=list(zip(columns["split"][mine].tolist(), columns["user_id"][mine].tolist(), strict=True)),
        totals=some(FIGURES, "total"),
        items=some(FIGURES, "items"),
        asked=some(FIGURES, "asked"),
        earned=some(TYPES, "earned"),
        counts={kind: dict(sorted(numbers.items())) for kind, numbers in counts.items()},
    )
