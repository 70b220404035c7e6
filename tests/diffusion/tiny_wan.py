"""A Wan-VACE of the true structure that fits into a test."""

from __future__ import annotations

import warnings
from pathlib import Path

with warnings.catch_warnings():  # others' deprecations
    warnings.simplefilter("ignore")
    import torch
    from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanVACEPipeline, WanVACETransformer3DModel
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel


def save_tiny_wan(folder: Path) -> Path:
    """Random weights, saved as the hub has them; the one word that it knows is ``kitchen``."""
    words = Tokenizer(WordLevel({"<pad>": 0, "</s>": 1, "<unk>": 2, "kitchen": 3}, unk_token="<unk>"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        text = UMT5EncoderModel(UMT5Config(vocab_size=8, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2))
        vae = AutoencoderKLWan(base_dim=4, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1)
        transformer = WanVACETransformer3DModel(
            num_attention_heads=2, attention_head_dim=12, text_dim=16, freq_dim=16, ffn_dim=16, num_layers=1, vace_layers=[0]
        )
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    pipeline = WanVACEPipeline(tokenizer=tokenizer, text_encoder=text, vae=vae, scheduler=scheduler, transformer=transformer)
    pipeline.save_pretrained(folder)
    return folder
