"""Whatever a stranger writes into a repository, every check answers, in words that can be shown."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from evaluator.model_checks import MODEL_FILE, TEMPLATE_FILE, TOKENIZER_FILE
from evaluator.safetensors_headers import INDEX_FILE
from leaderboard.checks.findings import Surroundings
from leaderboard.checks.records import CheckName, CheckReport, CheckRequest
from leaderboard.checks.run import report
from leaderboard.pages.checking import live_checks
from leaderboard.submissions.needs import Need
from tests.announcements import make_announcement
from tests.model_folders import CONFIG, make_adapter_folder, make_model_folder
from tests.safetensors_files import with_header

NUMBERS = st.one_of(st.integers(), st.just(10**400), st.just(-1), st.just(2**63), st.floats(allow_nan=False))
TEXTS = st.one_of(st.text(max_size=20), st.sampled_from(["\ud800", "<script>", "../x.safetensors", "a" * 5000, "\0"]))
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=8
)
NAMES = [*CONFIG, "quantization_config", "text_config", "rope_scaling", "rope_parameters", "layer_types", "auto_map"]
NAMES += ["kv_lora_rank", "qk_rope_head_dim", "head_dim", "model_max_length", "n_positions", "torch_dtype"]
CONFIGS = st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=4)
TENSORS = st.dictionaries(
    TEXTS,
    ANYTHING
    | st.fixed_dictionaries(
        {"dtype": st.sampled_from(["BF16", "I32"]) | ANYTHING, "shape": ANYTHING, "data_offsets": ANYTHING}
    ),
    max_size=3,
)


def looked_over(files: dict[str, bytes], adapter: dict[str, bytes] | None = None) -> CheckReport:
    """Looks over a good model some of whose files were replaced."""
    with tempfile.TemporaryDirectory(prefix="rapport-") as folder:
        models = Path(folder)
        make_model_folder(models)
        make_adapter_folder(models)
        for name, content in files.items():
            (models / "tiny" / name).write_bytes(content)
        for name, content in (adapter or {}).items():
            (models / "lora" / name).write_bytes(content)
        surroundings = Surroundings(
            models,
            alive=lambda: [make_announcement(), make_announcement(gpus=())],
            need=lambda protocol: Need(protocol=protocol, data_sha="0", longest_characters=50_000, items=100, users=10),
        )
        request = CheckRequest("local/tiny", adapter="local/lora" if adapter else None)
        for shown in live_checks(request, surroundings):
            shown.html.encode()
        return report(request, surroundings)


def answers(found: CheckReport) -> None:
    """Sees that every check has said something that can be stored and shown."""
    assert [check.name for check in found.checks] == list(CheckName)
    for check in found.checks:
        assert len(check.message) < 2000
        assert f"{check.message}{check.remedy}".isprintable()
        assert not check.refuses or (check.cause and check.remedy)
    assert CheckReport.model_validate_json(found.model_dump_json()) == found


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


@settings(max_examples=150)
@given(changes=CONFIGS)
@example(changes={"num_hidden_layers": 10**400, "hidden_size": 10**400})
@example(changes={"num_hidden_layers": 2**39, "num_attention_heads": 2**39, "hidden_size": 2**39})
@example(changes={"rope_scaling": {"factor": 1e308, "type": "linear"}})
@example(changes={"rope_scaling": {"factor": True, "type": ["linear"]}})
@example(changes={"architectures": ["\ud800"]})
@example(changes={"quantization_config": {"quant_method": "\ud800<script>"}})
@example(changes={"text_config": {"quantization_config": "x", "layer_types": [{"a": 1}] * 1000}})
def test_whatever_stands_in_its_settings(changes):
    answers(looked_over({MODEL_FILE: dumped(CONFIG | changes)}))


@settings(max_examples=80)
@given(content=ANYTHING)
@example(content={"chat_template": [{"name": ["default"], "template": {}}]})
@example(content={"chat_template": {"default": "x"}})
@example(content={"auto_map": "\ud800"})
def test_whatever_stands_in_its_tokenizers_settings(content):
    answers(looked_over({TOKENIZER_FILE: dumped(content)}))


@settings(max_examples=80)
@given(content=ANYTHING | st.fixed_dictionaries({"weight_map": ANYTHING}))
@example(content={"weight_map": {"a": "\ud800.safetensors"}})
@example(content={"weight_map": {"a": "model.safetensors\0"}})
def test_whatever_stands_in_its_index(content):
    answers(looked_over({INDEX_FILE: dumped(content)}))


@settings(max_examples=150)
@given(header=TENSORS, data=st.integers(0, 40))
def test_whatever_stands_in_the_header_of_its_weights(header, data):
    answers(looked_over({"model.safetensors": with_header(header, data)}))


@settings(max_examples=80)
@given(content=st.binary(max_size=200))
def test_whatever_bytes_its_files_are(content):
    for name in ("model.safetensors", MODEL_FILE, TOKENIZER_FILE, INDEX_FILE, TEMPLATE_FILE, "README.md"):
        answers(looked_over({name: content}))


@settings(max_examples=80)
@given(content=ANYTHING, header=TENSORS)
@example(content={"peft_type": "LORA", "r": 4, "base_model_name_or_path": "\ud800"}, header={})
@example(content={"peft_type": "LORA", "r": 10**30}, header={})
@example(content={"peft_type": "\ud800" * 5000, "r": 1}, header={})
@example(content={"peft_type": "LORA", "r": 4, "init_lora_weights": "\x1b[31m"}, header={})
@example(content={}, header={"\ud800": {"dtype": "BF16", "shape": [0], "data_offsets": [0, 0]}})
@example(content={}, header={"\ud800.lora_A.": {"dtype": "BF16", "shape": [0, 7], "data_offsets": [0, 0]}})
def test_whatever_stands_in_an_adapter(content, header):
    answers(looked_over({}, {"adapter_config.json": dumped(content)}))
    answers(looked_over({}, {"adapter_model.safetensors": with_header(header)}))
