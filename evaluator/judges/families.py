"""Families of models: a registry, in which a model stands by its id, its base, or an architecture of one maker alone.

No family is ever taken from how a model is called: anybody may call a model anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml

from evaluator.records import Record

_FILE = files("evaluator") / "judges" / "families.yaml"


class Family(Record):
    """A line of models that one maker trained from the same ground and gives one name."""

    title: str
    """For readers."""
    models: tuple[str, ...]
    """Ids on the Hub of models that belong to it, and of bases from which others are made."""
    architectures: tuple[str, ...]
    """Classes of models that its maker alone trains from the ground, as `config.json` names them."""


@cache
def families() -> Mapping[str, Family]:
    """Returns all families, by name.

    Raises:
        ValueError: If a model or an architecture stands in two of them.

    Example:
        >>> families()["qwen"].title
        'Qwen, by Alibaba'
    """
    found = {name: Family.model_validate(told) for name, told in yaml.safe_load(_FILE.read_text("utf-8")).items()}
    every = [each for family in found.values() for each in {*family.models, *family.architectures}]
    if twice := {each for each in every if every.count(each) > 1}:
        raise ValueError(f"{sorted(twice)} stand in two families")
    return found


def family_of(model: str | None, base_model: str | None = None, architecture: str | None = None) -> str | None:
    """Returns the family of a model, by the first of what is known of it that tells; None where nothing does.

    Args:
        model: Its id on the Hub.
        base_model: What it was made from, as its submitter declared.
        architecture: Its class, as its `config.json` names it.

    Example:
        >>> family_of("org/mine", "meta-llama/Llama-3.2-3B-Instruct"), family_of("org/mine", None, "Qwen3ForCausalLM")
        ('llama', 'qwen')
        >>> family_of("org/qwen-killer", None, "LlamaForCausalLM") is None
        True
    """
    for named in (model, base_model):
        for name, family in families().items():
            if named in family.models:
                return name
    return next((name for name, family in families().items() if architecture in family.architectures), None)
