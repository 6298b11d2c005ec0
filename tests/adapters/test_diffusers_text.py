"""A text-to-image pipeline of diffusers, and what its adapter promises."""

from types import SimpleNamespace

import pytest
import torch

pytest.importorskip("diffusers", reason="needs diffusers")
pytest.importorskip("transformers", reason="needs transformers")

from diffusers import DDIMScheduler, DDPMScheduler

from conceptspace.adapters.diffusers_text import DiffusersTextAdapter
from conceptspace.adapters.protocol import GuidableAdapter
from conceptspace.adapters.tables import ClassTable, PromptTable
from conceptspace.data.dropping import no_condition
from conceptspace.data.streams import torch_stream
from conceptspace.elicitation.arms import intervention_of
from conceptspace.elicitation.directions import steering_directions
from conceptspace.elicitation.patching import EmbeddingPatch
from conceptspace.elicitation.settings import LatentSteering, OverPrompt
from conceptspace.measure.measurement import Instrument, measure_checkpoint
from conceptspace.measure.sampling import elicit
from named_worlds import (
    MEASUREMENT,
    METHODS,
    PROMPTER,
    SPACE,
    SPLIT,
    BrightnessProbe,
    prompt_of,
    seeded,
)
from tiny_diffusers import TABLE, class_unet, text_encoder, text_pipeline, text_unet, tokenizer

PROMPTS = {c: "a {1} {0} circle".format(*SPACE.describe(c).split()) for c in SPACE.classes}


def adapter_of(pipeline, **options):
    return DiffusersTextAdapter.from_pipeline(pipeline, TABLE, num_steps=3, **options)


def drawn(adapter, concept_class, num=2):
    return adapter.sample(adapter.encode(prompt_of(concept_class, num)), seeded())


def by_hand(pipeline, weight=7.5, generator=None, **told):
    """What a user writes: the pipeline itself."""
    return pipeline(
        num_inference_steps=3,
        guidance_scale=weight,
        generator=generator or seeded(),
        output_type="pt",
        **told,
    ).images


@pytest.mark.parametrize("weight", [1.0, 7.5])
@pytest.mark.parametrize("where", ["text", "attention"])
def test_naive_prompting_draws_what_the_pipeline_draws(weight, where):
    pipeline = text_pipeline()
    adapter = adapter_of(pipeline, guidance_weight=weight, where=where)
    expected = by_hand(pipeline, weight, prompt=[PROMPTS["01"]] * 2)
    torch.testing.assert_close(drawn(adapter, "01"), expected)
    assert (drawn(adapter, "00") - expected).abs().max() > 0.003


@pytest.mark.parametrize("checkpoint", [1, 2])
def test_what_is_found_is_what_calling_the_pipeline_by_hand_finds(checkpoint):
    scheduler = DDPMScheduler(steps_offset=1, clip_sample=False)  # one whose steps draw noise
    pipeline = text_pipeline(checkpoint, scheduler)
    instrument = Instrument(PROMPTER, SPLIT, (), BrightnessProbe(), None, MEASUREMENT)
    measured = measure_checkpoint(adapter_of(pipeline), instrument, seed=0, step=checkpoint)
    prompts = [PROMPTS[c] for c in SPACE.classes for _ in range(MEASUREMENT.num_samples)]
    noise = torch_stream(0, "sampling", checkpoint)
    images = by_hand(pipeline, prompt=prompts, generator=noise)
    expected = torch.stack(BrightnessProbe().read(images), 1).view(4, -1, 2, 2)
    found = measured.probability.sel({"method": "naive"}).isel(seed=0, step=0, strength=0)
    torch.testing.assert_close(torch.tensor(found.values), expected)


def test_over_prompting_extrapolates_the_encoded_prompt():
    pipeline = text_pipeline()
    adapter = adapter_of(pipeline)
    push = intervention_of(OverPrompt(concept="colour", strengths=(1.0,)), adapter, PROMPTER, "01")
    nothing = elicit(adapter, prompt_of("01"), push, torch.zeros(2))
    assert torch.equal(adapter.sample(nothing, seeded()), drawn(adapter, "01"))
    pushed = elicit(adapter, prompt_of("01"), push, torch.ones(2))
    own, other, empty = (
        pipeline.encode_prompt(text, "cpu", 2, False)[0]
        for text in (PROMPTS["01"], PROMPTS["11"], "")
    )
    expected = by_hand(pipeline, prompt_embeds=2 * own - other, negative_prompt_embeds=empty)
    torch.testing.assert_close(adapter.sample(pushed, seeded()), expected)
    assert (expected - drawn(adapter, "01")).abs().max() > 0.003


def test_what_is_not_said_is_dropped_from_the_prompt():
    pipeline = text_pipeline()
    adapter = adapter_of(pipeline)
    masked = prompt_of("01")
    masked[:, PROMPTER.slice_of("colour")] = 0.0
    images = adapter.sample(adapter.encode(masked), seeded())
    torch.testing.assert_close(images, by_hand(pipeline, prompt=["a small circle"] * 2))


@pytest.mark.parametrize("where", ["text", "attention"])
def test_steering_changes_its_sites_by_the_direction_and_nothing_else(where):
    adapter = adapter_of(text_pipeline(), where=where)
    method = LatentSteering(concept="colour", strengths=(1.0,))
    steer = intervention_of(method, adapter, PROMPTER, "01")
    plain = adapter.encode(prompt_of("01"))
    steered = elicit(adapter, prompt_of("01"), steer, torch.tensor([0.0, 2.0]))
    toward = steering_directions(adapter, PROMPTER, "01", "colour")
    assert set(steered) == set(adapter.sites()) == set(toward)
    for site, value in steered.items():
        assert torch.equal(value[0], plain[site][0])
        torch.testing.assert_close(value[1] - plain[site][1], 2 * toward[site])
    images = adapter.sample(steered, seeded())
    assert torch.equal(images[0], drawn(adapter, "01")[0])
    assert (images[1] - drawn(adapter, "01")[1]).abs().max() > 0.003


def test_guidance_multiplies_the_weight_of_naive_prompting():
    pipeline = text_pipeline()
    adapter = adapter_of(pipeline, guidance_weight=2.0)
    given, hidden = adapter.encode(prompt_of("10")), adapter.encode(no_condition(4))
    guided = adapter.sample_guided(given, hidden, torch.tensor([1.0, 3.0]), seeded())
    expected = by_hand(pipeline, 6.0, prompt=[PROMPTS["10"]] * 2)
    torch.testing.assert_close(guided[0], drawn(adapter, "10")[0])
    torch.testing.assert_close(guided[1], expected[1])
    assert isinstance(adapter, GuidableAdapter)


def test_patching_swaps_all_from_the_words_to_keys_and_values():
    donor, recipient = adapter_of(text_pipeline(1)), adapter_of(text_pipeline(2))
    patched = adapter_of(text_pipeline(2))
    own = EmbeddingPatch(recipient.conditioning_parameters()).into(recipient.model)
    patched.model.load_state_dict(own)
    assert torch.equal(drawn(patched, "10"), drawn(recipient, "10"))
    patch = EmbeddingPatch(donor.conditioning_parameters())
    patched.model.load_state_dict(patch.into(recipient.model))
    assert (drawn(patched, "10") - drawn(recipient, "10")).abs().max() > 0.003
    # With keys and values as sites, a donor's sites in the recipient say the same.
    donor, recipient = (adapter_of(text_pipeline(i), where="attention") for i in (1, 2))
    weights = 7.5 * torch.ones(2)
    plain = adapter_of(text_pipeline(2), where="attention", guidance_weight=1.0)
    hidden = donor.encode(no_condition(4))
    images = plain.sample_guided(donor.encode(prompt_of("10")), hidden, weights, seeded())
    torch.testing.assert_close(images, drawn(patched, "10"))


def test_modes_and_noise_are_as_before():
    pipeline = text_pipeline()
    pipeline.unet.train()
    pipeline.text_encoder.train()
    adapter = adapter_of(pipeline, where="attention")
    state = torch.get_rng_state()
    drawn(adapter, "10")
    assert pipeline.unet.training
    assert pipeline.text_encoder.training
    assert not pipeline.vae.training
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(module._forward_hooks for module in pipeline.unet.modules())


@pytest.mark.parametrize("where", ["text", "attention"])
def test_a_checkpoint_is_measured_with_every_method(where):
    instrument = Instrument(PROMPTER, SPLIT, METHODS, BrightnessProbe(), None, MEASUREMENT)
    adapter = adapter_of(text_pipeline(), where=where)
    measured = measure_checkpoint(adapter, instrument, seed=0, step=1)
    held_out = measured.correct.sel({"concept_class": "11"}).isel(strength=0, sample=0)
    assert (held_out >= 0).all()
    assert tuple(measured.site.values) == adapter.sites()
    assert ((measured.decodability >= 0) & (measured.decodability <= 1)).all()


def test_a_model_of_pixels_needs_no_pipeline():
    adapter = DiffusersTextAdapter(
        text_unet(), DDIMScheduler(), TABLE, text_encoder(), tokenizer(), num_steps=3
    )
    assert drawn(adapter, "10", 3).shape == (3, 3, 8, 8)
    half = DiffusersTextAdapter(
        text_unet().to(torch.bfloat16),
        DDIMScheduler(),
        TABLE,
        text_encoder().to(torch.bfloat16),
        tokenizer(),
        num_steps=3,
        batch_size=2,
    )
    assert drawn(half, "10", 3).dtype == torch.float32


def text_adapter(unet=None, template="a {size} {colour} circle", max_length=8, where="text"):
    words, table = tokenizer(), PromptTable(SPACE, template)
    words.model_max_length = max_length
    parts = (unet or text_unet(), DDIMScheduler(), table, text_encoder(), words)
    return DiffusersTextAdapter(*parts, where=where)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: text_adapter(where="words"), "where must be 'text' or 'attention', not 'words'"),
        (lambda: text_adapter(text_unet(num_class_embeds=2)), r"wants more than text \(num_class"),
        (lambda: text_adapter(text_unet(time_cond_proj_dim=4)), "has its guidance distilled into"),
        (lambda: text_adapter(max_length=10**30), "tokenizer.model_max_length is not set"),
        (
            lambda: text_adapter(text_unet(encoder_hid_dim=8), where="attention"),
            "changes the text before its keys and values",
        ),
        (
            lambda: text_adapter(template="a a a a {size} {colour} circle").encode(prompt_of("10")),
            "'a a a a large blue circle' has 9 tokens and the text encoder reads 8",
        ),
        (
            lambda: DiffusersTextAdapter.from_pipeline(SimpleNamespace(unet=1), TABLE),
            "pipeline: SimpleNamespace has no scheduler, so it is no StableDiffusionPipeline",
        ),
        (
            lambda: DiffusersTextAdapter.from_pipeline(
                SimpleNamespace(
                    unet=1, scheduler=1, text_encoder=1, tokenizer=1, vae=1, text_encoder_2=1
                ),
                TABLE,
            ),
            "has two text encoders",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_arguments_of_another_kind_are_refused():
    with pytest.raises(TypeError, match=r"read it by load_pipeline\(folder\)"):
        DiffusersTextAdapter.from_pipeline("stable-diffusion", TABLE)
    with pytest.raises(TypeError, match="table must be a PromptTable, not ClassTable"):
        DiffusersTextAdapter.from_pipeline(text_pipeline(), ClassTable(SPACE))


def test_a_unet_without_words_is_refused():
    with pytest.raises(ValueError, match="unet has no cross-attention"):
        text_adapter(class_unet(num_class_embeds=None))
