"""A scorecard in the schema of "Every Eval Ever", which many leaderboards share: one aggregate file.

The schema is version 0.3.0 of https://github.com/evaleval/every_eval_ever. It demands a number for each score, so a
figure without a value is no result but named under `missing_results`.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import to_json

from evaluator.errors import RapportError
from evaluator.identity import canonical_json
from evaluator.judges.spec import JudgeSpec, load_judge
from evaluator.protocol import hicupid_protocol
from leaderboard.exports.entry import Edition, Entry, hub_data_set, is_on_the_hub
from leaderboard.exports.scores import Score, scores_of
from leaderboard.exports.words import standing
from leaderboard.results import Scorecard

SCHEMA_VERSION = "0.3.0"

_OWN_ENGINES = frozenset({"vllm", "transformers"})
"""Those that run a model's weights here; of any other nobody knows what stands behind it."""


def encode_eee(entry: Entry, edition: Edition) -> bytes:
    """Returns a scorecard as one file."""
    return (json.dumps(eee_log(entry, edition), ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()


def eee_log(entry: Entry, edition: Edition) -> dict[str, Any]:
    """Returns a scorecard as the schema's object; equal scorecards give equal objects."""
    card = entry.card
    seconds = str(int(card.created_at.timestamp()))
    scores = list(scores_of(entry))
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluation_id": f"rapport-{card.protocol}/{card.model}/{seconds}",
        "evaluation_timestamp": card.created_at.isoformat(),
        "retrieved_timestamp": seconds,
        "source_metadata": _source(entry, edition, [score for score in scores if score.value is None]),
        "eval_library": {
            "name": "rapport",
            "version": "unknown",
            "additional_details": {
                "protocol": card.protocol,
                "protocol_config": card.protocol_config,
                "prompt_pack": card.prompt_pack,
                "prompt_pack_status": card.prompt_pack_status,
            },
        },
        "model_info": _model(card),
        "evaluation_results": [_result(card, score) for score in scores if score.value is not None],
    }


def _source(entry: Entry, edition: Edition, missing: list[Score]) -> dict[str, Any]:
    """Says who evaluated, and where the result stands."""
    card, result = entry.card, entry.card.result
    counts = ("items", "users", "generations", "judged", "verdicts", "missing", "clashes")
    return {
        "source_name": "Rapport",
        "source_type": "evaluation_run",
        "source_organization_name": "Rapport",
        **({"source_organization_url": edition.site} if edition.site else {}),
        "evaluator_relationship": "third_party",
        "additional_details": {
            "scorecard_id": card.id,
            "board_revision": edition.revision,
            **({"page": page} if (page := edition.page_of(card.submission_id)) else {}),
            "standing": standing(entry),
            "unranked_because": canonical_json(entry.row.unranked_because),
            "missing_results": canonical_json({each.id: each.coverage for each in missing}),
            **{name: str(getattr(result, name)) for name in counts},
            "missing_because": canonical_json(dict(result.missing_because)),
            "lost_by_defect": canonical_json(dict(result.defects)),
            "failures": canonical_json(dict(result.failures)),
            "rows_sha256": card.rows_sha,
            "submitter": card.submitter,
            "submitter_relation_as_declared": str(card.declaration.relation),
            "training_data_as_declared": str(card.declaration.training_data),
            "season": card.terms.season,
        },
    }


def _model(card: Scorecard) -> dict[str, Any]:
    """Says which model was asked, and what ran it."""
    return {
        "name": card.model if card.adapter is None else f"{card.model} with {card.adapter}",
        "id": card.model,
        **({"developer": card.model.partition("/")[0]} if is_on_the_hub(card.model) else {}),
        "inference_engine": {"name": card.engine, "version": card.engine_version},
        "additional_details": {
            **_deployment(card.engine, card.model),
            "revision": card.revision,
            **({"adapter": card.adapter} if card.adapter else {}),
            **({"adapter_revision": card.adapter_revision} if card.adapter_revision else {}),
            **({"base_model_as_declared": card.declaration.base_model} if card.declaration.base_model else {}),
            "dtype": card.dtype,
            "hardware": card.hardware,
            "engine_flags": canonical_json(dict(card.engine_flags)),
            "chat_template_arguments": canonical_json(dict(card.chat_template_arguments)),
        },
    }


def _deployment(engine: str, model: str) -> dict[str, str]:
    """Says who ran a model and whether its weights can be had; what is not known is said to be unknown."""
    return {
        "deployment_type": "self_deployed" if engine in _OWN_ENGINES else "unknown",
        "model_availability": "open_weights" if is_on_the_hub(model) else "unknown",
    }


def _result(card: Scorecard, score: Score) -> dict[str, Any]:
    """Returns one figure with its interval and counts."""
    low, high = score.range
    return {
        "evaluation_result_id": f"{card.id}#{score.id}",
        "evaluation_name": f"HiCUPID, {card.protocol}: {score.name}",
        "source_data": _data(card, score),
        "evaluation_timestamp": card.created_at.isoformat(),
        "metric_config": {
            "evaluation_description": score.about,
            "metric_id": f"rapport.hicupid.{score.id}",
            "metric_name": score.name,
            "metric_unit": score.unit,
            "lower_is_better": score.lower_is_better,
            "score_type": "continuous",
            "min_score": low,
            "max_score": high,
            **({"llm_scoring": _judging(card)} if score.by_judge else {}),
        },
        "score_details": {
            "score": score.value,
            "details": {
                "judged": score.coverage,
                **({} if score.interval else {"interval": "missing: fewer than ten users"}),
                **dict(score.details),
            },
            "uncertainty": _uncertainty(score),
        },
        **({"generation_config": found} if (found := _generation(card)) else {}),
    }


def _uncertainty(score: Score) -> dict[str, Any]:
    """Returns the interval, where there is one, and what it rests on."""
    if score.interval is None:
        return {"num_samples": score.judged}
    return {
        "confidence_interval": {
            "lower": score.interval.low,
            "upper": score.interval.high,
            "confidence_level": 0.95,
            "method": f"clustered by user, {score.interval.users} users",
        },
        "num_samples": score.judged,
    }


def _data(card: Scorecard, score: Score) -> dict[str, Any]:
    """Says which questions were asked."""
    on_hub = hub_data_set(card)
    return {
        "dataset_name": card.data_source,
        **({"source_type": "hf_dataset", "hf_repo": on_hub} if on_hub else {"source_type": "other"}),
        "additional_details": {
            "revision": card.data_sha,
            **({} if score.items is None else {"items": str(score.items)}),
            **({"split": score.split} if score.split else {}),
            "context": canonical_json(dict(card.context)),
            "redistributable": str(card.terms.redistributable).lower(),
        },
    }


def _judging(card: Scorecard) -> dict[str, Any]:
    """Says which judge decided, and how far it can be trusted."""
    spec, result = _judge_spec(card), card.result
    model = spec.model if spec else card.judge
    return {
        "judges": [
            {
                "model_info": {
                    "name": card.judge,
                    "id": model,
                    "inference_engine": {"name": card.judge_engine, "version": card.judge_engine_version},
                    "additional_details": {
                        **_deployment(card.judge_engine, model if spec else ""),
                        "revision": card.judge_revision,
                        "status": card.judge_status,
                        "configuration": card.judge_config,
                        "dtype": card.judge_dtype,
                        "hardware": card.judge_hardware,
                    },
                },
                **({"temperature": spec.sampling.temperature} if spec else {}),
            }
        ],
        "input_prompt": f"Not part of this record: prompt pack {card.prompt_pack} ({card.prompt_pack_status}).",
        "additional_details": {
            "position_consistency_percent": to_json(result.position_consistency).decode(),
            "slot_a_share_percent": to_json(result.slot_a_share).decode(),
        },
    }


def _judge_spec(card: Scorecard) -> JudgeSpec | None:
    """Returns the judge's configuration; None if it is another one by now."""
    try:
        spec = load_judge(card.judge)
    except RapportError:  # A judge that is no longer shipped.
        return None
    pinned = spec.model_copy(update={"revision": card.judge_revision})
    return spec if card.judge_config in (spec.digest(), pinned.digest()) else None


def _generation(card: Scorecard) -> dict[str, Any] | None:
    """Says how answers were drawn; None if the protocol is another one by now."""
    try:
        protocol = hicupid_protocol(card.protocol)
    except RapportError:  # A protocol that is no longer shipped.
        return None
    if protocol.digest() != card.protocol_config:
        return None
    sampling = protocol.sampling
    return {
        "generation_args": {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
            "reasoning": card.declaration.thinking,
        },
        "additional_details": {
            "seed": str(sampling.seed),
            "prompt_style": protocol.prompt_style,
            "context": protocol.context.model_dump_json(),
            "thought_tokens": str(protocol.thought_tokens if card.declaration.thinking else 0),
        },
    }
