"""A `UNet2DModel` with class embedding, and what its adapter promises."""

import pytest
import torch

pytest.importorskip("diffusers", reason="needs diffusers")

from diffusers import (
    DDIMScheduler,
    DDPMPipeline,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    PNDMScheduler,
)

from conceptspace.adapters.diffusers import DiffusersClassAdapter
from conceptspace.adapters.protocol import GuidableAdapter
from conceptspace.adapters.tables import ClassTable
from conceptspace.data.dropping import no_condition
from conceptspace.elicitation.arms import intervention_of
from conceptspace.elicitation.intervention import Naive
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
from tiny_diffusers import TABLE as PROMPTS
from tiny_diffusers import autoencoder, class_unet

TABLE = ClassTable(SPACE, null_class=4)
SCHEDULERS = (
    DDPMScheduler,
    DDIMScheduler,
    EulerDiscreteScheduler,
    EulerAncestralDiscreteScheduler,
    DPMSolverMultistepScheduler,
    PNDMScheduler,
    FlowMatchEulerDiscreteScheduler,
)


def adapter_of(unet, **options):
    scheduler = options.pop("scheduler", None) or DDIMScheduler()
    return DiffusersClassAdapter(unet, scheduler, TABLE, num_steps=4, **options)


def drawn(adapter, concept_class, num=2, method=None, strength=0.0):
    """Images of a class, under an elicitation method if there is one."""
    what = Naive() if method is None else intervention_of(method, adapter, PROMPTER, concept_class)
    strengths = torch.full((num,), strength)
    given = elicit(adapter, prompt_of(concept_class, num), what, strengths)
    return adapter.sample(given, seeded())


@torch.no_grad()
def by_hand(unet, scheduler, classes, steps=4, generator=None):
    """What a user writes: diffusers' loop, with class ids."""
    generator = generator or seeded()
    scheduler.set_timesteps(steps)
    shape = (len(classes), unet.config.in_channels, 8, 8)
    image = torch.randn(shape, generator=generator) * getattr(scheduler, "init_noise_sigma", 1.0)
    takes_noise = {} if isinstance(scheduler, PNDMScheduler) else {"generator": generator}
    for t in scheduler.timesteps:
        scaled = image
        if hasattr(scheduler, "scale_model_input"):
            scaled = scheduler.scale_model_input(image, t)
        estimate = unet(scaled, t, class_labels=torch.tensor(classes)).sample
        image = scheduler.step(estimate, t, image, **takes_noise).prev_sample
    return (image / 2 + 0.5).clamp(0, 1)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers' own
@pytest.mark.parametrize("kind", SCHEDULERS, ids=lambda kind: kind.__name__)
def test_naive_prompting_draws_what_the_loop_by_hand_draws(kind):
    unet = class_unet()
    images = drawn(adapter_of(unet, scheduler=kind()), "10")
    torch.testing.assert_close(images, by_hand(unet, kind(), [2, 2]))
    assert images.std() > 0.05


def test_another_class_draws_another_image():
    adapter = adapter_of(class_unet())
    assert (drawn(adapter, "10") - drawn(adapter, "00")).abs().max() > 0.05


def test_every_random_number_is_the_generators():
    adapter = adapter_of(class_unet(), scheduler=DDPMScheduler())
    first = drawn(adapter, "10")
    state = torch.get_rng_state()
    assert torch.equal(drawn(adapter, "10"), first)
    assert torch.equal(torch.get_rng_state(), state)


def test_model_and_scheduler_come_back_as_they_were():
    unet, scheduler = class_unet().train(), DDPMScheduler()
    unet.mid_block.eval()
    before = scheduler.timesteps.clone()
    drawn(adapter_of(unet, scheduler=scheduler), "10")
    assert torch.equal(scheduler.timesteps, before)
    assert scheduler.num_inference_steps is None
    assert (unet.training, unet.mid_block.training) == (True, False)
    assert not unet.class_embedding._forward_hooks
    with torch.no_grad():
        unet(torch.zeros(1, 3, 8, 8), 1, class_labels=torch.tensor([4]))


def test_over_prompting_at_strength_0_is_naive_prompting():
    adapter = adapter_of(class_unet())
    method = OverPrompt(concept="colour", strengths=(1.0,))
    assert torch.equal(drawn(adapter, "11", method=method), drawn(adapter, "11"))
    pushed = drawn(adapter, "11", method=method, strength=0.5)
    unet = class_unet()
    with torch.no_grad():  # class 11 is class id 3, and 01, which it is pushed away from, 1
        table = unet.class_embedding.weight
        table[3] = 1.5 * table[3] - 0.5 * table[1]
    torch.testing.assert_close(pushed, by_hand(unet, DDIMScheduler(), [3, 3]))


def test_steering_adds_to_the_class_embedding_and_to_nothing_else():
    adapter = adapter_of(class_unet())
    method = LatentSteering(concept="colour", strengths=(1.0,))
    steered = drawn(adapter, "01", method=method, strength=2.0)
    unet = class_unet()
    with torch.no_grad():
        table = unet.class_embedding.weight
        toward_red = table[:2].mean(0) - table[2:4].mean(0)
        table[1] += 2.0 * toward_red
    torch.testing.assert_close(steered, by_hand(unet, DDIMScheduler(), [1, 1]))


def test_guidance_leads_away_from_the_hidden_class_row_by_row():
    unet = class_unet()
    adapter = adapter_of(unet)
    given, hidden = adapter.encode(prompt_of("10")), adapter.encode(no_condition(4))
    guided = adapter.sample_guided(given, hidden, torch.tensor([1.0, 3.0]), seeded())
    plain = drawn(adapter, "10")
    assert torch.equal(guided[0], plain[0])
    assert (guided[1] - plain[1]).abs().max() > 0.01
    ignored = adapter.sample_guided(given, hidden, torch.zeros(2), seeded())
    torch.testing.assert_close(ignored, by_hand(unet, DDIMScheduler(), [4, 4]))
    assert isinstance(adapter, GuidableAdapter)


def test_an_adapters_own_weight_of_guidance_is_what_the_others_multiply():
    unet = class_unet()
    own, plain = adapter_of(unet, guidance_weight=2.0), adapter_of(unet)
    given, hidden = plain.encode(prompt_of("10")), plain.encode(no_condition(4))
    at_2 = plain.sample_guided(given, hidden, torch.full((2,), 2.0), seeded())
    assert torch.equal(own.sample(given, seeded()), at_2)
    assert torch.equal(own.sample_guided(given, hidden, torch.ones(2), seeded()), at_2)


def test_patching_swaps_the_table_of_classes():
    donor, recipient, patched = class_unet(1), class_unet(2), class_unet(3)
    patch = EmbeddingPatch(adapter_of(donor).conditioning_parameters())
    patched.load_state_dict(patch.into(recipient))
    with torch.no_grad():
        recipient_sites = adapter_of(donor).encode(prompt_of("10"))
    through_sites = adapter_of(recipient).sample(recipient_sites, seeded())
    assert torch.equal(drawn(adapter_of(patched), "10"), through_sites)
    assert not torch.equal(through_sites, drawn(adapter_of(recipient), "10"))
    own = EmbeddingPatch(adapter_of(recipient).conditioning_parameters())
    patched.load_state_dict(own.into(recipient))
    assert torch.equal(drawn(adapter_of(patched), "10"), drawn(adapter_of(recipient), "10"))


def test_latents_are_decoded_by_the_autoencoder():
    unet, vae = class_unet(channels=4, size=4), autoencoder()
    adapter = adapter_of(unet, vae=vae)
    images = drawn(adapter, "10")
    raw = adapter_of(unet)
    latents = raw._denoised(raw.encode(prompt_of("10")), None, torch.ones(2), seeded())
    with torch.no_grad():
        decoded = vae.decode(latents / 0.5).sample
    torch.testing.assert_close(images, (decoded / 2 + 0.5).clamp(0, 1).detach())
    assert images.shape == (2, 3, 8, 8)


def test_half_precision_gives_images_in_single_precision():
    adapter = adapter_of(class_unet().to(torch.bfloat16))
    given = adapter.encode(prompt_of("10"))
    assert given["class"].dtype == torch.float32
    images = adapter.sample(given, seeded())
    assert images.dtype == torch.float32
    assert images.std() > 0.01


def test_a_checkpoint_is_measured_with_every_method():
    instrument = Instrument(PROMPTER, SPLIT, METHODS, BrightnessProbe(), None, MEASUREMENT)
    measured = measure_checkpoint(adapter_of(class_unet()), instrument, seed=0, step=1)
    held_out = measured.correct.sel({"concept_class": "11"}).isel(strength=0, sample=0)
    assert (held_out >= 0).all()
    assert list(measured.site.values) == ["class"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: adapter_of(class_unet(num_class_embeds=None)), "unet has no table of classes"),
        (lambda: adapter_of(class_unet(num_class_embeds=4)), "the id 4, and .* knows 4 classes"),
        (lambda: adapter_of(class_unet(size=None)), "sample_size: the U-Net does not state its"),
        (lambda: adapter_of(class_unet(), batch_size=0), "batch_size must be at least 1, not 0"),
        (
            lambda: DiffusersClassAdapter(
                class_unet(), DDIMScheduler(), ClassTable(SPACE), guidance_weight=2.0
            ),
            "guidance_weight 2.0 needs the id of the hidden class",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_table_of_prompts_is_refused():
    with pytest.raises(TypeError, match="table must be a ClassTable, not PromptTable"):
        DiffusersClassAdapter(class_unet(), DDIMScheduler(), PROMPTS)


def test_an_unconditional_pipeline_draws_the_same_with_a_class_that_adds_nothing():
    unet = class_unet(num_class_embeds=None)
    pipeline = DDPMPipeline(unet, DDPMScheduler())
    pipeline.set_progress_bar_config(disable=True)
    images = pipeline(2, seeded(), num_inference_steps=4, output_type="np").images
    conditional = class_unet()
    conditional.load_state_dict(unet.state_dict(), strict=False)
    with torch.no_grad():
        conditional.class_embedding.weight.zero_()
    ours = drawn(adapter_of(conditional, scheduler=DDPMScheduler()), "10")
    torch.testing.assert_close(ours.permute(0, 2, 3, 1).numpy(), images, atol=1e-5, rtol=0)
