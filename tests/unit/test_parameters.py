"""Parameters are counted in headers, packed ones unpacked."""

from __future__ import annotations

import pytest

from evaluator.parameters import Quantisation, count, quantisation
from evaluator.safetensors_headers import Tensor


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"quant_method": "gptq", "bits": 4}, Quantisation("gptq", 4)),
        ({"quant_method": "awq", "bits": 8}, Quantisation("awq", 8)),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, Quantisation("bitsandbytes", 4)),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, Quantisation("bitsandbytes", 8)),
        ({"quant_method": "mxfp4"}, Quantisation("mxfp4", 4)),
        ({"quant_method": "fp8"}, Quantisation("fp8", None)),
        (
            {"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {"num_bits": 4}}}},
            Quantisation("compressed-tensors", 4),
        ),
        ({"quant_method": 3, "bits": "four"}, Quantisation("of an unknown kind", None)),
        ({"quant_method": "\ud800", "bits": True}, Quantisation("of an unknown kind", None)),
        ({"quant_method": "gptq", "bits": 10**30}, Quantisation("gptq", None)),
        ("4 bits", Quantisation("of an unknown kind", None)),
        ({"quant_method": "x" * 500, "config_groups": {"a": [1]}}, Quantisation("x" * 50, None)),
    ],
)
def test_the_quantisation_is_read_from_settings_whatever_stands_there(settings, found):
    assert quantisation({"quantization_config": settings}) == found
    assert quantisation({"text_config": {"quantization_config": settings}}) == found


@pytest.mark.parametrize("config", [{}, {"quantization_config": None}, {"text_config": []}, {"text_config": "x"}])
def test_what_was_not_quantised_is_not_said_to_be(config):
    assert quantisation(config) is None


def test_plain_weights_are_counted_by_type_and_counters_are_not_parameters():
    tensors = {"a": Tensor("BF16", (4, 4), 32), "b": Tensor("F32", (2,), 8), "steps": Tensor("I64", (1,), 8)}
    assert count(tensors, None) == (18, (("BF16", 16), ("F32", 2), ("I64", 1)))


@pytest.mark.parametrize(
    ("quantised", "tensors"),
    [
        (
            Quantisation("gptq", 4),
            {
                "q.qweight": Tensor("I32", (8, 64), 2048),
                "q.qzeros": Tensor("I32", (1, 8), 32),
                "q.scales": Tensor("F16", (1, 64), 128),
                "q.g_idx": Tensor("I32", (64,), 256),
            },
        ),
        (
            Quantisation("bitsandbytes", 4),
            {
                "q.weight": Tensor("U8", (2048, 1), 2048),
                "q.weight.absmax": Tensor("U8", (64,), 64),
                "q.weight.quant_map": Tensor("F32", (16,), 64),
                "q.weight.quant_state.bitsandbytes__nf4": Tensor("U8", (80,), 80),
            },
        ),
        (
            Quantisation("fp8", None),
            {
                "q.weight": Tensor("F8_E4M3", (64, 64), 4096),
                "q.weight_scale_inv": Tensor("F32", (1, 1), 4),
            },
        ),
        (
            Quantisation("compressed-tensors", 4),
            {
                "q.weight_packed": Tensor("I32", (8, 64), 2048),
                "q.weight_scale": Tensor("BF16", (64, 1), 128),
                "q.weight_shape": Tensor("I64", (2,), 16),
            },
        ),
    ],
)
def test_quantised_weights_are_counted_one_by_one_without_what_belongs_to_them(quantised, tensors):
    norm = {"norm.weight": Tensor("BF16", (64,), 128)}
    assert count(tensors | norm, quantised).parameters == 64 * 64 + 64


def test_packed_weights_of_unknown_width_are_not_guessed():
    assert count({"q": Tensor("I32", (8, 64), 2048)}, Quantisation("new", None)).parameters is None
