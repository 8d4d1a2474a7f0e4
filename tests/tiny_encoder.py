"""A real, tiny BERT with random weights, made on the spot: for what needs an encoder but not its sense."""

from __future__ import annotations

import string
from pathlib import Path

from evaluator.demo_model import open_to_all

WINDOW = 32
"""Tokens that it takes at once, two special ones among them; a token is one letter, digit or sign."""


def make_tiny_encoder(folder: Path, *, seed: int = 0) -> Path:
    """Writes a two-layer BERT whose tokenizer spells every word; returns its folder."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    signs = string.ascii_lowercase + string.digits + string.punctuation
    vocabulary = {token: number for number, token in enumerate([*special, *signs, *(f"##{sign}" for sign in signs)])}
    core = Tokenizer(models.WordPiece(vocab=vocabulary, unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer()
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=WINDOW,
        initializer_range=0.5,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    open_to_all(folder)
    return folder
