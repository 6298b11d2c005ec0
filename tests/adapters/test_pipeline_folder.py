"""A pipeline from disk: no network, no pickle, no code."""

import json
import sys

import pytest
import torch

pytest.importorskip("diffusers", reason="needs diffusers")
pytest.importorskip("transformers", reason="needs transformers")

from conceptspace.adapters.diffusers_text import DiffusersTextAdapter
from conceptspace.adapters.pipeline_folder import load_pipeline
from named_worlds import prompt_of, seeded
from tiny_diffusers import TABLE, text_pipeline


@pytest.fixture
def folder(tmp_path):
    text_pipeline().save_pretrained(tmp_path / "tiny", safe_serialization=True)
    return tmp_path / "tiny"


def images(pipeline):
    adapter = DiffusersTextAdapter.from_pipeline(pipeline, TABLE, num_steps=2)
    return adapter.sample(adapter.encode(prompt_of("10")), seeded())


def test_a_pipeline_from_disk_draws_the_same(folder):
    loaded = load_pipeline(folder)
    assert torch.equal(images(loaded), images(text_pipeline()))
    half = load_pipeline(folder, dtype=torch.bfloat16)
    assert half.unet.dtype == half.vae.dtype == half.text_encoder.dtype == torch.bfloat16


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_pickled_weights_are_refused(folder, part):
    (weights,) = (folder / part).glob("*.safetensors")
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(ValueError, match=r"pickled weights are not loaded; .*save_pretrained"):
        load_pipeline(folder)


def test_pickled_weights_beside_others_are_not_touched(folder):
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"not even a pickle")
    assert torch.equal(images(load_pipeline(folder)), images(text_pipeline()))


def test_code_is_refused(folder):
    (folder / "unet" / "mine.py").write_text("raise SystemExit")
    with pytest.raises(ValueError, match=r"mine\.py: a pipeline with code of its own is not load"):
        load_pipeline(folder)


def change_index(folder, **changes):
    file = folder / "model_index.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_parts_of_other_packages_are_refused(folder):
    change_index(folder, vae=["antigravity", "Autoencoder"])
    with pytest.raises(ValueError, match="vae: made by 'antigravity', and not by diffusers or"):
        load_pipeline(folder)
    assert "antigravity" not in sys.modules


def test_what_is_no_pipeline_is_refused(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no model_index\.json: give the folder"):
        load_pipeline(tmp_path / "runwayml" / "stable-diffusion")
    change_index(folder, _class_name=["mine", "Mine"])
    with pytest.raises(ValueError, match="names no class of diffusers"):
        load_pipeline(folder)
    (folder / "model_index.json").write_text("{")
    with pytest.raises(ValueError, match=r"model_index\.json is no JSON"):
        load_pipeline(folder)


def test_a_missing_package_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r"pip install 'conceptspace\[diffusers\]'"):
        load_pipeline(folder)
