"""Tiny models of diffusers with random weights; nothing is downloaded."""

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
    UNet2DModel,
)
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import CLIPTextConfig, CLIPTextModel, PreTrainedTokenizerFast

from conceptspace.adapters.tables import PromptTable
from named_worlds import SPACE

TABLE = PromptTable(SPACE, "a {size} {colour} circle")
WORDS = ("[PAD]", "[START]", "[END]", "[UNK]", "a", "circle", "red", "blue", "large", "small")


def lively(module, seed=0, std=0.5):
    """The module with weights under which its condition shows from the start."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) * std
    return module.eval()


def class_unet(seed=0, channels=3, size=8, **options):
    return lively(
        UNet2DModel(
            sample_size=size,
            in_channels=channels,
            out_channels=channels,
            block_out_channels=(8, 8),
            down_block_types=("DownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "UpBlock2D"),
            layers_per_block=1,
            norm_num_groups=4,
            **{"num_class_embeds": 5, **options},
        ),
        seed,
    )


def text_unet(seed=0, channels=3, size=8, **options):
    return lively(
        UNet2DConditionModel(
            sample_size=size,
            in_channels=channels,
            out_channels=channels,
            block_out_channels=(8, 8),
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
            layers_per_block=1,
            norm_num_groups=4,
            cross_attention_dim=8,
            attention_head_dim=4,
            **options,
        ),
        seed,
    )


def autoencoder(seed=0):
    return lively(
        AutoencoderKL(
            block_out_channels=(4, 4),
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            norm_num_groups=2,
            latent_channels=4,
            sample_size=8,
            scaling_factor=0.5,
        ),
        seed,
    )


def text_encoder(seed=0):
    config = CLIPTextConfig(
        vocab_size=len(WORDS),
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=8,
        projection_dim=8,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    return lively(CLIPTextModel(config), seed)


def tokenizer():
    words = Tokenizer(models.WordLevel({w: i for i, w in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.TemplateProcessing(
        single="[START] $A [END]", special_tokens=[("[START]", 1), ("[END]", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=words,
        model_max_length=8,
        pad_token="[PAD]",
        bos_token="[START]",
        eos_token="[END]",
        unk_token="[UNK]",
    )


def text_pipeline(seed=0, scheduler=None):
    pipeline = StableDiffusionPipeline(
        vae=autoencoder(seed),
        text_encoder=text_encoder(seed),
        tokenizer=tokenizer(),
        unet=text_unet(seed, channels=4, size=4),
        scheduler=scheduler or DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
