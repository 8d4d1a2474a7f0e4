"""Words that nobody should be able to do anything with, and models that are called by them."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from benchmarks.site_models import SiteModel, site_model
from benchmarks.site_rows import Said

DONE = "owned"
"""What a page is called once one of these words has done something."""
_SCRIPT = f"document.title='{DONE}'"
HOSTILE = (
    f'</td></table></script><script>{_SCRIPT};alert(1)</script><img src=x onerror="{_SCRIPT}">',
    f'"\'><svg/onload={_SCRIPT}> <style>body{{display:none}}</style> <a href="javascript:{_SCRIPT}">here</a>',
    "# Heading **bold** [link](javascript:alert(1)) ![x](http://192.0.2.1/x.png) `code` | a | b |\n|---|---|",
    "\u202eright to left\u202c \u2067\u0645\u0631\u062d\u0628\u0627\u2069 \u200b\u200f\u2066 {{7*7}} {% raw %} ${7*7}",
    "w" * 10_000,
    "many words " * 909,
)
"""HTML, Markdown, marks of direction, templates, and 10,000 characters without a space and with."""
NAMED = 9
"""Number of the first model that is called by one of them; those before it have rows, whose paths follow from names."""


def hostile_models(models: int) -> Sequence[SiteModel]:
    """Returns models that are called by hostile words wherever a submitter or an owner says something."""
    return [_hostile(site_model(number, models)) for number in range(models)]


def hostile_said() -> Said:
    """Returns answers and judges' words."""
    return Said(HOSTILE, HOSTILE)


@functools.cache
def shown() -> Sequence[str]:
    """The beginnings of these words, by which they are found on a page."""
    return [" ".join(words.split())[:40] for words in HOSTILE]


def _hostile(model: SiteModel) -> SiteModel:
    words = HOSTILE[model.number % len(HOSTILE)]
    facts = model.facts and model.facts.model_copy(
        update={"licence": words[:100], "architecture": words, "quantisation": words[:100]}
    )
    declaration = model.declaration.model_copy(update={"base_model": words[:200], "publish_answers": True})
    changed = model._replace(submitter=words, facts=facts, declaration=declaration)
    if model.number < NAMED:
        return changed
    return changed._replace(name=f"{words}/{model.number}", adapter=words if model.number % 2 else None)
