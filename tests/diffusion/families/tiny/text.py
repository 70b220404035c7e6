"""Text encoders with two layers, and tokenizers that know four words: made here, so that nothing is downloaded."""

from __future__ import annotations

import warnings
from typing import Any

with warnings.catch_warnings():  # others' deprecations
    warnings.simplefilter("ignore")
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import (
        CLIPTextConfig,
        CLIPTextModel,
        Gemma2Config,
        Gemma2Model,
        Gemma3Config,
        Gemma3ForConditionalGeneration,
        LlamaConfig,
        LlamaModel,
        PreTrainedTokenizerFast,
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLTextConfig,
        Qwen2_5_VLTextModel,
        T5Config,
        T5EncoderModel,
        UMT5Config,
        UMT5EncoderModel,
    )

WORDS = {"<pad>": 0, "</s>": 1, "<unk>": 2, "kitchen": 3, "robot": 4, "<s>": 5}
_SAID = """{% for one in messages %}{% if one.content is string %}{{ one.content }} {% else %}
{%- for part in one.content %}{{ part.text }} {% endfor %}{% endif %}{% endfor %}"""
"""What everybody in a chat says, one after the other."""


def tokenizer(longest: int | None = None) -> PreTrainedTokenizerFast:
    """Words, split at spaces."""
    words = Tokenizer(WordLevel(WORDS, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    named = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>", "bos_token": "<s>"}
    limits = {} if longest is None else {"model_max_length": longest}
    made = PreTrainedTokenizerFast(tokenizer_object=words, **named, **limits)
    made.chat_template = _SAID
    return made


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


def _decoder(width: int, layers: int) -> dict[str, Any]:
    """What all language models are told."""
    return {
        "vocab_size": 8,
        "hidden_size": width,
        "intermediate_size": 16,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "bos_token_id": 5,
        "eos_token_id": 1,
        "pad_token_id": 0,
    }


_QWEN_ROPE = {"rope_scaling": {"type": "default", "mrope_section": [1, 1, 2]}}


def llama(width: int = 16, layers: int = 2) -> LlamaModel:
    """As HunyuanVideo has it."""
    return LlamaModel(LlamaConfig(**_decoder(width, layers)))


def gemma2(width: int = 16, layers: int = 1) -> Gemma2Model:
    """As SANA-Video has it."""
    return Gemma2Model(Gemma2Config(**_decoder(width, layers), head_dim=8))


def gemma3(width: int = 16, layers: int = 2) -> Gemma3ForConditionalGeneration:
    """As LTX-2 has it."""
    vision = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 28}
    ids = {"image_token_index": 6, "boi_token_index": 6, "eoi_token_index": 7, "mm_tokens_per_image": 4}
    text = _decoder(width, layers) | {"head_dim": 8}
    return Gemma3ForConditionalGeneration(Gemma3Config(text_config=text, vision_config={**vision, "patch_size": 14}, **ids))


def qwen_text(width: int = 16, layers: int = 2) -> Qwen2_5_VLTextModel:
    """As HunyuanVideo 1.5 has it."""
    return Qwen2_5_VLTextModel(Qwen2_5_VLTextConfig(**_decoder(width, layers), **_QWEN_ROPE))


def qwen_vl(width: int = 16, layers: int = 2) -> Qwen2_5_VLForConditionalGeneration:
    """As Cosmos 2.5 has it."""
    vision = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": width}
    ids = {"image_token_id": 6, "video_token_id": 7, "vision_start_token_id": 6, "vision_end_token_id": 7}
    text = _decoder(width, layers) | _QWEN_ROPE
    return Qwen2_5_VLForConditionalGeneration(Qwen2_5_VLConfig(text_config=text, vision_config=vision, **ids))
