"""The benchmark of coverage, run small: it looks at what is published, and its fast figures are the real ones."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest

from benchmarks import coverage
from benchmarks import coverage_figures as fast
from benchmarks import report as reporting
from benchmarks.coverage import (
    LEAST,
    MADE_UP,
    MOST,
    SCENARIO,
    SCENARIOS,
    STAGES,
    Seen,
    main,
    measure,
    named,
    published,
    repeat,
    tables_of,
    told,
)
from benchmarks.coverage_raters import (
    RATING,
    RELEVANCE,
    SAME,
    SYNTHETIC,
    UNEVEN,
    VERIFICATION,
    Labels,
    new_annotators,
    new_prompts,
    simulate,
    table_of,
    write,
)
from benchmarks.coverage_tables import class_tables, rating_tables, response_tables, truth_tables, written_tables
from evaluator.human.figures import FIGURES
from evaluator.human.gap import COMPARED, gap_name, synthetic_gap
from evaluator.metrics import agreement as slow
from evaluator.metrics.alternative_annotator import (
    advantage_probability,
    alternative_annotator_test,
    duels,
    duels_tested,
)

PUBLISHED = {name for name, figure in FIGURES.items() if figure.method is not None}
SIZES = ("20", "12", "9")


@cache
def small():
    """A small run, with a size at which there is no interval."""
    return measure(repetitions=20, numbers_of_users=(20, 12, 9), population=5000, processes=1)


def test_every_published_figure_with_an_interval_is_simulated_and_no_other():
    assert set(small()["coverage_by_metric"]) == PUBLISHED
    names = published({name: stage.figures for name, stage in STAGES.items()}, lambda one, other: (one, other))
    assert set(names) == PUBLISHED


def test_a_figure_without_an_interval_says_why():
    assert small()["without_interval"] == {name: FIGURES[name].why for name in FIGURES if name not in PUBLISHED}
    assert all(small()["without_interval"].values())
    assert not any(FIGURES[name].why for name in PUBLISHED)


def test_a_small_run_tells_every_figure_by_number_of_users():
    found = small()
    assert found["repetitions"] == 20
    assert found["population"] == 5000
    assert found["seconds"] > 0
    for name in PUBLISHED:
        coverage, reach, width = (
            found[field][name] for field in ("coverage_by_metric", "coverage_interval_by_metric", "width_by_metric")
        )
        assert tuple(coverage) == tuple(reach) == tuple(width) == SIZES
        for users in ("20", "12"):
            assert 0 <= reach[users][0] <= coverage[users] <= reach[users][1] <= 1
        assert 0 < width["20"] < width["12"], name
        assert coverage["20"] >= 0.6, name


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_is_not_promised_is_told_of_every_figure_beside_and_decides_nothing(scenario):
    found = small()[scenario]
    assert set(found) == PUBLISHED
    for sizes in found.values():
        assert tuple(sizes) == SIZES
        assert 0 <= sizes["20"] <= 1
        assert sizes["9"] is None
    assert small()["repetitions_beside"] == 5
    assert not any(scenario in name for name in small()["outside"])


def test_below_ten_users_no_interval_is_told_as_null():
    for name in PUBLISHED:
        for field in ("coverage_by_metric", "coverage_interval_by_metric", "width_by_metric"):
            assert small()[field][name]["9"] is None
        assert small()["missing_by_metric"][name] == {"20": 0, "12": 0, "9": 20}


def test_the_command_prints_one_line_and_keeps_it(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(reporting, "RESULTS", tmp_path)
    monkeypatch.setattr(coverage, "SCENARIOS", {})
    arguments = ["--repetitions", "20", "--users", "20", "--population", "5000", "--processes", "1"]
    monkeypatch.setattr("sys.argv", ["coverage", *arguments])
    main()
    line = capsys.readouterr().out
    assert (tmp_path / "coverage.jsonl").read_text() == line
    found = json.loads(line)
    assert found["benchmark"] == "coverage"
    assert found["coverage_by_metric"] == {
        name: {"20": sizes["20"]} for name, sizes in small()["coverage_by_metric"].items()
    }


def test_the_same_seeds_give_the_same_figures_in_any_number_of_processes(monkeypatch):
    monkeypatch.setattr(coverage, "SCENARIOS", {})
    again = measure(repetitions=20, numbers_of_users=(20, 12, 9), population=5000, processes=2)
    beside = {name: small()[name] for name in SCENARIOS}
    assert again | beside | {"seconds": 0} == small() | {"seconds": 0}


def test_a_repetition_hangs_on_its_number_alone():
    truth = small()["truth_by_metric"]
    assert repeat(20, 3, truth) == repeat(20, 3, truth)
    assert repeat(20, 3, truth) != repeat(20, 4, truth)


@pytest.mark.parametrize(("held", "outside"), [(880, True), (915, False), (960, False), (985, True)])
def test_what_does_not_meet_the_bounds_is_named(held, outside):
    seen = {20: [{"rating.bias": Seen(place < held, 1.0)} for place in range(1000)]}
    found = told(seen, {"rating.bias": 0.5})
    assert found["coverage_by_metric"] == {"rating.bias": {"20": held / 1000}}
    low, high = found["coverage_interval_by_metric"]["rating.bias"]["20"]
    assert (high < LEAST or low > MOST) == outside
    assert found["outside"] == (["rating.bias 20"] if outside else [])


def test_missing_intervals_are_counted_and_not_taken_for_misses():
    seen = {20: [{"rating.bias": Seen(place > 4, 1.0 if place > 4 else float("nan"))} for place in range(50)]}
    found = told(seen, {"rating.bias": 0.5})
    assert found["coverage_by_metric"]["rating.bias"]["20"] == 1
    assert found["missing_by_metric"]["rating.bias"]["20"] == 5


def sample(task, seed=0, users=24) -> Labels:
    return simulate(np.random.default_rng([seed, users]), task, users)


def left_of(labels: Labels, user: int | None) -> Labels:
    """All labels but those of a user."""
    return Labels(*(column[labels.user != user] for column in labels))


def of_the_others(held_out, figures_of):
    """The model's figures and one more human's."""
    comparisons = held_out.comparisons
    found = {}
    for labels, whose in ((comparisons.rater, ""), (comparisons.human, ".one_more_human")):
        found |= {f"{name}{whose}": value for name, value in figures_of(labels, comparisons).items()}
    return found


def advantage(labels: Labels, balanced: bool, scale="classes") -> float:
    """The advantage probability over the annotators that are tested."""
    found = duels(table_of(labels), labels.model.astype(float), scale)
    return advantage_probability(duels_tested(found, labels.user, balanced=balanced), balanced=balanced)


def of_classes(labels: Labels) -> dict[str, float]:
    """The figures of a stage of classes, by the library."""
    table, rater = table_of(labels), labels.model.astype(float)
    singles = slow.against_singles(table, rater)
    agreed = slow.class_agreement(table, rater, 1)
    return (
        of_the_others(
            slow.against_majority(table, rater),
            lambda own, all_: dict(slow.class_figures(own, all_, 1)),
        )
        | of_the_others(
            singles,
            lambda own, all_: {"single_kappa": slow.single_kappa(own, all_)},
        )
        | {
            "alpha": slow.krippendorff_alpha(table),
            "f1.always_yes": agreed.always_yes.f1,
            "f1_majority": agreed.f1_majority.rater,
            "f1_majority.always_yes": agreed.f1_majority.always_yes,
            "selection_ratio": slow.selection_ratio(rater, table, 1),
            "advantage_probability": advantage(labels, balanced=False),
            "advantage_probability_balanced": advantage(labels, balanced=True),
        }
    )


def of_ratings(labels: Labels) -> dict[str, float]:
    """The figures of ratings, by the library."""
    table, rater, openly = table_of(labels), labels.model.astype(float), labels.open.astype(bool)
    figures = of_the_others(
        slow.against_mean(table, rater),
        lambda own, all_: dict(slow.rating_figures(own, all_)),
    )
    assert figures.pop("bias.one_more_human") == pytest.approx(0, abs=1e-12)
    agreed = slow.rating_agreement(table, rater)
    return figures | {
        "alpha": slow.krippendorff_alpha(table, "ordinal"),
        "advantage_probability": advantage(labels, False, "ratings"),
        "spearman_mean": agreed.spearman_mean,
        "kendall_mean": agreed.kendall_mean,
        "mention_effect": rater[openly].mean() - rater[~openly].mean(),
        "mention_effect.one_more_human": labels.human[openly].mean() - labels.human[~openly].mean(),
    }


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("left_out", [None, 5])
@pytest.mark.parametrize("task", [VERIFICATION, RELEVANCE])
def test_fast_figures_of_classes_are_those_of_the_library(task, left_out, seed):
    labels = left_of(sample(task, seed), left_out)
    found = fast.values(totals(class_tables(labels)), fast.CLASSES)
    assert found == pytest.approx(of_classes(labels), abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("left_out", [None, 5])
def test_fast_figures_of_ratings_are_those_of_the_library(left_out, seed):
    labels = left_of(sample(RATING, seed, users=60), left_out)
    found = fast.values(totals(rating_tables(labels)), fast.RATING)
    assert found == pytest.approx(of_ratings(labels), abs=1e-9)


def test_fast_figures_without_a_user_are_those_of_all_others():
    labels = sample(RATING, users=60)
    table = rating_tables(labels)["rater"]
    whole = table.sums.sum(axis=0)
    without = fast.RATING["spearman_within_annotators"].figure(whole - table.sums)
    for user in (0, 7, 59):
        assert without[user] == pytest.approx(of_ratings(left_of(labels, user))["spearman_within_annotators"], abs=1e-9)


@pytest.mark.parametrize("balanced", [False, True])
def test_the_advantage_is_over_the_annotators_that_can_be_tested(balanced):
    labels = sample(VERIFICATION, users=5)
    found = alternative_annotator_test(
        table_of(labels), labels.model.astype(float), epsilon=0.1, balanced=balanced, clusters=labels.user
    )
    assert 0 < found.tested < 9
    name = f"advantage_probability{'_balanced' * balanced}"
    quick = fast.values(totals(class_tables(labels)), {name: fast.CLASSES[name]})
    assert quick[name] == pytest.approx(found.advantage_probability, abs=1e-12)


def test_fast_figures_against_the_truth_are_those_of_the_library():
    labels = sample(SYNTHETIC[RELEVANCE])
    found = fast.values(totals(truth_tables(labels)), fast.TRUTH)
    model, truth = labels.model.astype(float), labels.truth.astype(float)
    assert found == pytest.approx(
        {
            "f1_majority": slow.f1(model, truth, 1),
            "f1_majority.always_yes": slow.f1(np.ones_like(truth), truth, 1),
        },
        abs=1e-12,
    )


def test_figures_of_a_writer_and_an_extractor_are_plain_means():
    labels, written = sample(RATING), write(np.random.default_rng(1), 24)
    tables = rating_tables(labels) | response_tables(labels) | written_tables(written)
    found = fast.values(totals(tables), fast.WRITING | fast.EXTRACTION)
    responses = written.verdicts.sum()
    assert found == pytest.approx(
        {
            "win": written.verdicts[:, 2].sum() / responses,
            "tie": written.verdicts[:, 1].sum() / responses,
            "uplift": labels.model.mean() - 2,
            "no_better_responses": np.mean(
                [labels.model[labels.part == part].mean() <= 2 for part in np.unique(labels.part)]
            ),
            "no_better_ratings": (labels.model <= 2).mean(),
            "mentioned": labels.open.mean(),
            "mention_effect": labels.model[labels.open == 1].mean() - labels.model[labels.open == 0].mean(),
            "inflation": labels.model.mean() - labels.human.mean(),
            "recall": written.recalled[:, 1].sum() / written.recalled.sum(),
            "accepted": written.accepted[:, 1].sum() / written.accepted.sum(),
            "attributes_per_user": written.accepted.sum() / 24,
        },
        abs=1e-12,
    )


def totals(tables):
    return {name: table.sums.sum(axis=0) for name, table in tables.items()}


@pytest.mark.parametrize(
    ("stage", "figure"), [(task.value, name) for task, names in COMPARED.items() for name in names]
)
def test_a_gaps_interval_is_the_one_that_a_scorecard_shows(stage, figure):
    truth, seed, name = small()["truth_by_metric"], [20, 3], f"{stage}.{gap_name(figure)}"
    made_up, people = (
        named(f"{stage}.{figure}", fast.spreads(tables_of(SCENARIO, each, 20, seed), STAGES[each].figures)[figure])
        for each in (f"{stage}{MADE_UP}", stage)
    )
    gap = synthetic_gap(made_up, people)
    seen = repeat(20, 3, truth)[name]
    assert seen.width == pytest.approx(gap.interval.high - gap.interval.low, abs=1e-12)
    assert seen.covered == (gap.interval.low <= truth[name] <= gap.interval.high)
    apart = truth[name]
    assert abs(apart) < 0.05 if figure.endswith("always_yes") else apart > 0.05, "made-up users are easier, not rarer"


@pytest.mark.parametrize("task", [VERIFICATION, RELEVANCE, RATING])
@pytest.mark.parametrize("share", [0.5, 1, 4])
def test_sizes_are_as_published(task, share):
    users = round(task.users * share)
    labels = sample(task, users=users)
    assert len(labels.user) == round(task.items * users / task.users)
    assert set(labels.user) == set(range(users))
    assert all(len(set(row)) == 3 for row in labels.annotator.tolist())


def test_rates_are_as_published():
    relevance, rating = sample(RELEVANCE, users=2000), sample(RATING, users=4000)
    assert (relevance.human.sum(axis=1) >= 2).mean() == pytest.approx(0.18, abs=0.01)
    people = slow.single_agreement(table_of(relevance), relevance.model.astype(float), 1)
    assert people.one_more_human == pytest.approx(0.43, abs=0.03)
    assert people.rater == pytest.approx(0.30, abs=0.05)
    assert 2 < people.selection_ratio < 3
    assert 1 + rating.human.mean() == pytest.approx(3.18, abs=0.05)
    assert slow.spearman(*rating.human[:, :2].T.astype(float)) == pytest.approx(0.325, abs=0.03)


@pytest.mark.parametrize("task", [VERIFICATION, RELEVANCE, RATING])
def test_uneven_users_vary_by_about_their_mean_and_are_as_many(task):
    found = [simulate(np.random.default_rng(seed), task, 50, UNEVEN) for seed in range(10)]
    sizes = [np.bincount(labels.user, minlength=50) for labels in found]
    assert np.mean([size.std() / size.mean() for size in sizes]) == pytest.approx(1, abs=0.25)
    assert {len(labels.user) for labels in found} == {round(task.items * 50 / task.users)}


def test_new_annotators_and_new_prompts_are_others_of_the_same_kind():
    random = np.random.default_rng(0)
    crews, sets = ([new(random) for _ in range(400)] for new in (new_annotators, new_prompts))
    assert np.std([crew.bias for crew in crews]) == pytest.approx(SAME.bias.std(), rel=0.05)
    assert np.std([one.prompts for one in sets]) == pytest.approx(1, rel=0.05)
    assert not np.array_equal(crews[0].bias, crews[1].bias)
    assert np.array_equal(crews[0].prompts, SAME.prompts)
    assert np.array_equal(sets[0].bias, SAME.bias)


def test_items_of_a_user_go_together():
    labels = sample(RELEVANCE, users=2000)
    means = np.bincount(labels.user, labels.model) / np.bincount(labels.user)
    share = labels.model.mean()
    alone = share * (1 - share) / np.bincount(labels.user).mean()
    assert means.var() > 3 * alone
