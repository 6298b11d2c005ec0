"""Foreign models on another device: all that a GPU would refuse is refused there."""

import copy

import pytest
import torch

from conceptspace.adapters.modules import ModuleAdapter
from conceptspace.elicitation.arms import intervention_of
from conceptspace.elicitation.intervention import Guided
from conceptspace.elicitation.settings import LatentSteering
from conceptspace.measure.sampling import generate
from foreign_models import CLASS_TABLE, Generator, VectorGenerator
from named_worlds import PROMPTER, prompt_of, seeded
from pretend_device import pretended_device


def sample_gan(model, classes, generator):
    noise = torch.randn((len(classes), 8), generator=generator, device=generator.device)
    return model(noise, classes)


def images(adapter, generator, guided=False):
    steering = LatentSteering(concept="colour", strengths=(1.0,))
    steer = intervention_of(steering, adapter, PROMPTER, "01")
    parts = [(steer, prompt_of("01"), torch.tensor([0.0, 2.0]))]
    if guided:
        parts.append((Guided(), prompt_of("10"), torch.tensor([1.0, 3.0])))
    return generate(adapter, parts, generator)


def assert_the_same_there(make, model, guided=False):
    """The adapter of a copy of the model on the pretended device draws what it draws here."""
    here = images(make(model), seeded(), guided)
    with pretended_device() as pretended:
        adapter = make(copy.deepcopy(model).to(pretended.device))
        there = images(adapter, torch.Generator(pretended.device).manual_seed(0), guided)
        assert there.device == pretended.device
        there = there.cpu()
    torch.testing.assert_close(there, here, atol=1e-5, rtol=1e-4)


def test_a_generator_of_classes():
    assert_the_same_there(
        lambda model: ModuleAdapter(model, ["embedding"], sample_gan, CLASS_TABLE), Generator()
    )


def test_a_generator_that_is_told_vectors():
    def sample(model, vectors, generator):
        noise = torch.randn((len(vectors), 8), generator=generator, device=generator.device)
        return model(noise, vectors)

    assert_the_same_there(
        lambda model: ModuleAdapter(model, ["first", "second"], sample, width=4), VectorGenerator()
    )


def test_a_class_conditional_unet():
    pytest.importorskip("diffusers", reason="needs diffusers")
    from diffusers import DDPMScheduler

    from conceptspace.adapters.diffusers import DiffusersClassAdapter
    from conceptspace.adapters.tables import ClassTable
    from tiny_diffusers import class_unet

    table = ClassTable(PROMPTER.space, null_class=4)

    def make(unet):
        return DiffusersClassAdapter(unet, DDPMScheduler(), table, num_steps=2)

    assert_the_same_there(make, class_unet(), guided=True)


def test_a_text_to_image_model():
    pytest.importorskip("transformers", reason="needs transformers")
    from diffusers import DDIMScheduler

    from conceptspace.adapters.diffusers_text import DiffusersTextAdapter
    from tiny_diffusers import TABLE, text_encoder, text_unet, tokenizer

    parts = torch.nn.ModuleDict({"unet": text_unet(), "text_encoder": text_encoder()})

    def make(model):
        return DiffusersTextAdapter(
            model["unet"], DDIMScheduler(), TABLE, model["text_encoder"], tokenizer(), num_steps=2
        )

    assert_the_same_there(make, parts, guided=True)
