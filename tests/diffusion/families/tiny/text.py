"""Text encoders with two layers, and tokenizers that know four words: made here, so that nothing is downloaded."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():  # others' deprecations
    warnings.simplefilter("ignore")
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import (
        CLIPTextConfig,
        CLIPTextModel,
        PreTrainedTokenizerFast,
        T5Config,
        T5EncoderModel,
        UMT5Config,
        UMT5EncoderModel,
    )

WORDS = {"<pad>": 0, "</s>": 1, "<unk>": 2, "kitchen": 3, "robot": 4, "<s>": 5}


def tokenizer(longest: int | None = None) -> PreTrainedTokenizerFast:
    """Words, split at spaces."""
    words = Tokenizer(WordLevel(WORDS, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    named = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>", "bos_token": "<s>"}
    limits = {} if longest is None else {"model_max_length": longest}
    return PreTrainedTokenizerFast(tokenizer_object=words, **named, **limits)


def umt5(width: int = 16) -> UMT5EncoderModel:
    """As Wan has it."""
    return UMT5EncoderModel(UMT5Config(vocab_size=8, d_model=width, d_kv=8, d_ff=16, num_layers=1, num_heads=2))


def t5(width: int = 16) -> T5EncoderModel:
    """As CogVideoX and LTX have it."""
    return T5EncoderModel(T5Config(vocab_size=8, d_model=width, d_kv=8, d_ff=16, num_layers=1, num_heads=2))


def clip_text(width: int = 16) -> CLIPTextModel:
    """As Stable Diffusion has it."""
    config = CLIPTextConfig(
        vocab_size=8,
        hidden_size=width,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=77,
        bos_token_id=5,
        eos_token_id=1,
        pad_token_id=0,
    )
    return CLIPTextModel(config)
