"""What a dry run works out: the size of a model off its settings, and tokens into memory and minutes."""

from __future__ import annotations

import shutil

import pytest

from evaluator.engines.tokenizer_only import TokenizerProcess, TokenizerSpec
from evaluator.errors import Cause, RapportError
from evaluator.estimate import GPU_BYTES, Work, cost, model_size, scaled
from evaluator.generate import generate
from evaluator.hicupid.contexts import FullContexts
from evaluator.hicupid.demo_data import DemoSize, write_demo_set
from evaluator.judges.spec import load_judge
from tests.scripted import users_in
from tests.tiny_model import make_tiny_model
from worker.local.cli import run
from worker.local.dry_run import Estimate

LLAMA = {
    "dtype": "bfloat16",
    "hidden_size": 4096,
    "max_position_embeddings": 131072,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
}
WORK = Work(
    prompts=1000, prompt_tokens=15_000_000, distinct_tokens=400_000, longest_prompt=16_000, answer_tokens=200_000
)


def test_an_eight_billion_model_is_read_off_its_settings():
    size = model_size(LLAMA, 16_060_000_000)
    assert (size.parameters, size.kv_bytes_per_token, size.context_length) == (8_030_000_000, 131_072, 131_072)


@pytest.mark.parametrize(
    ("changes", "kv"),
    [
        ({"head_dim": 64}, 65_536),
        ({"num_key_value_heads": None}, 524_288),
        ({"layer_types": ["full_attention", "linear_attention", "sliding_attention"]}, 3 * 4096 - 4096),
        ({"kv_lora_rank": 512, "qk_rope_head_dim": 64}, 2 * 32 * 576),
        ({"num_hidden_layers": None}, None),
        ({"hidden_size": "wide"}, None),
    ],
)
def test_the_cache_of_a_token_follows_layers_heads_and_kind(changes, kv):
    assert model_size(LLAMA | changes, 1).kv_bytes_per_token == kv


@pytest.mark.parametrize(
    ("changes", "context"),
    [
        ({}, 131_072),
        ({"rope_scaling": {"type": "linear", "factor": 4.0}}, 524_288),
        ({"rope_parameters": {"rope_type": "dynamic", "factor": 2}}, 262_144),
        ({"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}, 131_072),
        ({"rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, 131_072),
        ({"rope_scaling": {"type": "linear", "factor": 1e300}}, 131_072),
        ({"rope_scaling": {"type": "linear", "factor": "4"}}, 131_072),
        ({"rope_scaling": {"type": "linear", "factor": 4.0}, "model_type": "gemma3_text"}, 131_072),
        ({"n_positions": 1024}, 1024),
        ({"model_max_length": 2048}, 2048),
        ({"max_position_embeddings": None}, None),
        ({"max_position_embeddings": -1}, None),
        ({"max_position_embeddings": 10**20}, None),
        ({"max_position_embeddings": True}, None),
    ],
)
def test_the_context_is_what_vllm_derives_and_nonsense_is_passed_over(changes, context):
    assert model_size(LLAMA | changes, None).context_length == context


def test_counted_parameters_go_before_those_worked_out_from_bytes():
    assert model_size(LLAMA, 16_060_000_000, 8_030_261_248).parameters == 8_030_261_248


def test_older_settings_go_by_other_names():
    older = {"n_layer": 12, "n_head": 12, "n_embd": 768, "n_positions": 1024}
    assert model_size(older, None)[2:] == (2 * 2 * 12 * 768, 1024)


def test_a_model_of_text_and_images_is_read_off_its_text_part():
    assert model_size({"dtype": "bfloat16", "text_config": LLAMA}, 10).kv_bytes_per_token == 131_072


@pytest.mark.parametrize("changes", [{"quantization_config": {"bits": 4}}, {"dtype": None}])
def test_parameters_are_unknown_where_bytes_do_not_tell(changes):
    size = model_size(LLAMA | changes, 5_000_000_000)
    assert size.parameters is None
    assert cost(WORK, size).minutes is None


def test_time_grows_with_every_part_of_the_work():
    size = model_size(LLAMA, 16_060_000_000)
    usual = cost(WORK, size).minutes
    assert usual is not None
    for more in ({"distinct_tokens": 40_000_000}, {"answer_tokens": 2_000_000}, {"prompt_tokens": 60_000_000}):
        longer = cost(WORK.model_copy(update=more), size).minutes
        assert longer is not None
        assert longer > usual


def test_what_is_left_beside_the_weights_is_cache():
    size = model_size(LLAMA, 16_060_000_000)
    assert cost(WORK, size, 0.9).cache_tokens == int((GPU_BYTES * 0.9 - 16_060_000_000) / 131_072)
    assert cost(WORK, model_size(LLAMA, 200 * 10**9)).cache_tokens == 0


def test_all_prompts_are_taken_to_be_like_those_that_were_measured():
    whole = scaled(WORK, 10_000)
    assert (whole.prompts, whole.prompt_tokens, whole.longest_prompt) == (10_000, 150_000_000, 16_000)
    assert (
        scaled(Work(prompts=0, prompt_tokens=0, distinct_tokens=0, longest_prompt=0, answer_tokens=0), 7).prompts == 7
    )


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory):
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny", context=32768)


def test_a_tokenizer_alone_counts_prompts_and_what_they_share(tiny, tmp_path, setup):
    (tiny / "model.safetensors").rename(tiny / "put-away")
    with TokenizerProcess(TokenizerSpec(model_path=str(tiny)), tmp_path / "log") as tokenizer:
        rows = list(generate(setup, users_in(setup)[:1], tokenizer, FullContexts(), {}))
        history = setup.data.history(*users_in(setup)[0])
        (whole,) = tokenizer.count_tokens(
            [FullContexts().of(history, list(setup.data.questions("test_1", 1)))[0].messages]
        )
        assert tokenizer.peak_rss_mb() > 0
    (tiny / "put-away").rename(tiny / "model.safetensors")
    assert all(row.prompt_tokens > whole for row in rows)
    assert sorted(row.shared_tokens > whole - 100 for row in rows) == [False, *[True] * (len(rows) - 1)]


def test_a_base_model_is_named_before_anything_is_measured(tmp_path):
    base = make_tiny_model(tmp_path / "base", chat_template=None)
    with pytest.raises(RapportError) as caught:
        TokenizerProcess(TokenizerSpec(model_path=str(base)), tmp_path / "log")
    assert caught.value.cause is Cause.NO_CHAT_TEMPLATE


def test_a_dry_run_measures_a_sample_and_says_so(tiny, tmp_path, monkeypatch, capsys):
    import datasets

    judge = tiny.parent / load_judge("demo").model.removeprefix("local/")
    shutil.copytree(tiny, judge)
    write_demo_set(tmp_path / "set", DemoSize(12, 1, 1), 42)
    protocol = tmp_path / "all.yaml"
    protocol.write_text(
        "{id: all-of-it, title: For a test., suite: hicupid, official: false, splits: [test_2], orders: both,"
        " types: [persona, profile, schedule], limit: {users_per_split: 12, persona: 2, profile: 1, schedule: 1},"
        " prompt_style: zero/user, context: {mode: full}, sampling: {max_tokens: 20}, judge: demo}"
    )
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("RAPPORT_MODELS", str(tiny.parent))
    monkeypatch.setenv("RAPPORT_DATA", str(tmp_path / "data"))
    command = ["evaluate", "local/tiny", "--protocol", str(protocol), "--data", str(tmp_path / "set")]

    assert run([*command, "--dry-run", "--json"]) == 0
    told = Estimate.model_validate_json(capsys.readouterr().out)

    assert (told.items, told.users) == (48, 12)
    assert 0 < told.measured_users < told.users
    assert told.model is not None
    assert (told.model.prompts, told.model.answer_tokens) == (48, 48 * 20)
    assert told.model.distinct_tokens < told.model.prompt_tokens / 3
    assert (told.judge.prompts, told.judge_cost.weight_gb is not None) == (84, True)
    assert f"measured on {told.measured_users} of them" in told.describe()
    assert "context_overflow" not in told.describe()
    assert not (tmp_path / "data").exists(), "a dry run leaves nothing behind"

    assert run([*command, "--dry-run", "--json", "--context-tokens", str(told.model.longest_prompt)]) == 0
    short = Estimate.model_validate_json(capsys.readouterr().out)
    assert short.model_cost is not None
    assert short.model_cost.context_length == told.model.longest_prompt
    assert f"{told.model.longest_prompt + 20:,} tokens with the answer at most" in short.describe()
