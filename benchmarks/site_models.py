"""Models of a site that nobody trained: names, facts, declarations, submitters and dates, all from their numbers."""

from __future__ import annotations

import datetime
from typing import NamedTuple

import numpy as np

from evaluator.facts import ModelFacts
from leaderboard.records import Declaration, Relation, TrainingData

NEWEST = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
"""When the newest submission was handed in, unless told otherwise."""
_APART = datetime.timedelta(hours=23, minutes=17)
_DAYS = 400
"""Over which submissions are spread, however many there are."""


class _Family(NamedTuple):
    """What models of one descent have in common."""

    name: str
    architecture: str
    base: str | None
    licence: str | None
    context: int | None


_FAMILIES = (
    _Family("Llama", "LlamaForCausalLM", "meta-llama/Llama-3.1-8B", "llama3.1", 131_072),
    _Family("Qwen", "Qwen2ForCausalLM", "Qwen/Qwen2.5-7B", "apache-2.0", 32_768),
    _Family("Mistral", "MistralForCausalLM", "mistralai/Mistral-7B-v0.3", "apache-2.0", 32_768),
    _Family("Gemma", "Gemma3ForCausalLM", "google/gemma-3-4b-pt", "gemma", 131_072),
    _Family("SmolLM", "LlamaForCausalLM", None, "mit", 8_192),
    _Family("Phi", "Phi3ForCausalLM", None, "cc-by-nc-4.0", None),
    _Family("Own", "OwnForCausalLM", None, None, 16_384),
)
_BILLIONS = (0.135, 0.36, 0.6, 1.7, 3.0, 4.0, 8.0, 14.0, 32.0, 70.0)
_KINDS = ("Instruct", "Chat", "Memory", "Persona", "DPO")
_TRAINED = (TrainingData.NEITHER, TrainingData.UNKNOWN, TrainingData.TRAIN, TrainingData.NEITHER, TrainingData.TEST)
_QUALITY_BY_SIZE, _QUALITY_SPREAD = 0.35, 0.4
"""Latent quality by a tenfold size, and its standard deviation at one size."""


class SiteModel(NamedTuple):
    """One model, as it was handed in once."""

    number: int
    name: str
    revision: str
    adapter: str | None
    submission_id: str
    submitter: str
    declaration: Declaration
    facts: ModelFacts | None
    quality: float
    """Its truth: what answers are drawn from. As good as gold at 0."""
    handed_in: datetime.datetime


def site_model(number: int, models: int, newest: datetime.datetime = NEWEST) -> SiteModel:
    """Returns a model; equal numbers give equal ones but for their dates.

    Args:
        number: The model's, from 0, the newest.
        models: How many there are: they are spread over 400 days.
        newest: When the newest was handed in.

    Example:
        >>> site_model(7, 300).name, site_model(7, 300).facts.parameters
        ('lab-07/Llama-14B-Memory-00007', 14000000000)
    """
    random = np.random.default_rng([3, number])
    family, billions = _FAMILIES[number % len(_FAMILIES)], _BILLIONS[number % len(_BILLIONS)]
    kind = _KINDS[number % len(_KINDS)]
    told = number % 11 != 10
    handed_in = newest - number * min(_APART, datetime.timedelta(days=_DAYS) / max(1, models))
    facts = ModelFacts(
        architecture=family.architecture,
        parameters=round(billions * 1e9) if told else None,
        weight_bytes=round(billions * 2e9),
        context_length=family.context,
        licence=family.licence,
        quantisation="gptq" if number % 13 == 12 else None,
    )
    declaration = Declaration(
        relation=tuple(Relation)[number % len(Relation)],
        base_model=family.base,
        training_data=_TRAINED[number % len(_TRAINED)],
        thinking=number % 8 == 5,
        publish_answers=number % 6 != 3,
    )
    return SiteModel(
        number=number,
        name=f"lab-{number % 37:02}/{family.name}-{billions:g}B-{kind}-{number:05}",
        revision=f"{number:040x}",
        adapter=f"lab-{number % 37:02}/adapter-{number:05}" if number % 17 == 16 else None,
        submission_id=f"s-{handed_in:%Y%m%d}-{number:08x}",
        submitter=f"author-{number % 41:02}",
        declaration=declaration,
        facts=facts,
        quality=_QUALITY_BY_SIZE * float(np.log10(billions / 8)) + random.normal(-0.2, _QUALITY_SPREAD),
        handed_in=handed_in,
    )


def earlier(model: SiteModel) -> SiteModel:
    """Returns the same model as it was handed in before: another revision, some weeks ago, and not as good."""
    handed_in = model.handed_in - datetime.timedelta(days=45)
    return model._replace(
        revision=f"{model.number + 2**32:040x}",
        submission_id=f"s-{handed_in:%Y%m%d}-{model.number + 2**31:08x}",
        quality=model.quality - 0.3,
        handed_in=handed_in,
    )


def reference(name: str, number: int, quality: float, newest: datetime.datetime = NEWEST) -> SiteModel:
    """Returns answers that no model gave, which a maintainer handed in.

    Args:
        name: What they are called, such as `reference/gold`.
        number: Of the submission; no model has it.
        quality: Their truth.
        newest: As of `site_model`.
    """
    handed_in = newest - datetime.timedelta(days=_DAYS)
    declaration = Declaration(
        relation=Relation.NONE, training_data=TrainingData.NEITHER, thinking=False, publish_answers=True
    )
    return SiteModel(
        number=number,
        name=name,
        revision="0" * 40,
        adapter=None,
        submission_id=f"s-{handed_in:%Y%m%d}-{number:08x}",
        submitter="maintainer",
        declaration=declaration,
        facts=None,
        quality=quality,
        handed_in=handed_in,
    )
