"""A run to measure: everything of a real one but a submitted model and a judge that is asked."""

from __future__ import annotations

from evaluator.hicupid.data import HicupidData
from evaluator.hicupid.prompts import builtin_pack
from evaluator.judges.spec import load_judge
from evaluator.models import PinnedModel
from evaluator.protocol import HicupidProtocol
from evaluator.setup import HicupidSetup


def bench_setup(data: HicupidData, protocol: HicupidProtocol) -> HicupidSetup:
    """Returns a run of a protocol on some data with the built-in prompts."""
    return HicupidSetup(
        model=PinnedModel("local/model", ""),
        adapter=None,
        thinking=False,
        data=data,
        protocol=protocol,
        pack=builtin_pack(),
        judge=load_judge("demo"),
        judge_revision="",
        terms=data.terms,
    )
