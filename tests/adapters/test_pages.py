"""The code of the pages about adapters runs as it stands, on tiny models."""

import re
from pathlib import Path

import pytest
import torch

pytest.importorskip("diffusers", reason="needs diffusers")
pytest.importorskip("transformers", reason="needs transformers")

from transformers import CLIPConfig, CLIPModel

import conceptspace as cs
from tiny_diffusers import (
    WORDS,
    class_unet,
    lively,
    text_encoder,
    text_pipeline,
    text_unet,
    tokenizer,
)

DOCS = Path(__file__).parents[2] / "docs"


def run(page, changes, **given):
    """The names that a page's Python defines; what it says to replace is replaced."""
    code = "\n".join(re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(), re.DOTALL))
    for old, new in changes.items():
        assert old in code
        code = code.replace(old, new)
    names = {"__name__": page, **given}
    exec(compile(code, page, "exec"), names)
    return names


def test_the_page_about_adapters(capsys):
    names = run(
        "adapters.md",
        {},
        unet=class_unet(),
        text_unet=text_unet(),
        text_encoder=text_encoder(),
        tokenizer=tokenizer(),
        pipeline=text_pipeline(),
    )
    assert names["image"].shape == (1, 3, 8, 8)
    assert "embedding Embedding (4, 16) True" in capsys.readouterr().out
    for kind, draw, site in (("GAN", "gan", "embedding"), ("PixelTransformer", "pixels", "prefix")):
        model, sample = names[kind](), names[f"sample_{draw}"]
        adapter = cs.ModuleAdapter(model, [site], sample, names["classes"])
        drawn = adapter.sample(adapter.encode(names["h"]), torch.Generator().manual_seed(0))
        assert drawn.shape[:2] == (1, 3)


def clip(folder):
    """A tiny CLIP on disk, with the tokenizer of the tiny pipelines."""
    text = {
        "vocab_size": len(WORDS),
        "hidden_size": 8,
        "intermediate_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "max_position_embeddings": 8,
        "eos_token_id": 2,
    }
    vision = {
        "hidden_size": 8,
        "intermediate_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 8,
        "patch_size": 4,
    }
    model = lively(CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=8)))
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer().save_pretrained(folder)


def test_the_page_about_prompts(tmp_path, capsys):
    text_pipeline().save_pretrained(tmp_path / "tiny", safe_serialization=True)
    clip(tmp_path / "clip")
    names = run(
        "your-prompts.md",
        {
            "path/to/stable-diffusion": str(tmp_path / "tiny"),
            "path/to/clip": str(tmp_path / "clip"),
            "num_steps=20": "num_steps=1",
            "num_samples=16, num_control_samples=8": "num_samples=2, num_control_samples=2",
        },
    )
    assert names["images"].shape == (4, 3, 8, 8)
    assert names["table"].prompt(fruit="strawberry") == "a photo of a strawberry"
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.startswith("over-prompting/")]) == 2
    distributions = names["probe"].read(torch.rand(5, 3, 8, 8))
    for part in distributions:
        torch.testing.assert_close(part.sum(1), torch.ones(5))
