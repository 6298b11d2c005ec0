"""Sites by module name, on models that are no diffusion models: a GAN and a transformer."""

import pytest
import torch
from torch import nn

from conceptspace.adapters.modules import ModuleAdapter
from conceptspace.adapters.protocol import Adapter, GuidableAdapter
from conceptspace.adapters.tables import ClassTable
from conceptspace.elicitation.intervention import AddDirections
from conceptspace.elicitation.patching import EmbeddingPatch
from conceptspace.measure.measurement import Instrument, measure_checkpoint
from conceptspace.measure.sampling import elicit
from foreign_models import (
    CLASS_TABLE,
    Generator,
    PixelTransformer,
    VectorGenerator,
    sample_gan,
    sample_transformer,
    sample_vectors,
)
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
from variational_autoencoder import ConditionalVAE, VAEAdapter


def gan_adapter(model=None):
    return ModuleAdapter(model or Generator(), ["embedding"], sample_gan, CLASS_TABLE)


def transformer_adapter(model=None):
    return ModuleAdapter(model or PixelTransformer(), ["prefix"], sample_transformer, CLASS_TABLE)


def vector_adapter(model=None):
    return ModuleAdapter(model or VectorGenerator(), ["first", "second"], sample_vectors, width=4)


FOREIGN = pytest.mark.parametrize(
    ("make", "kind"),
    [(gan_adapter, Generator), (transformer_adapter, PixelTransformer)],
    ids=["GAN", "autoregressive transformer"],
)


@FOREIGN
def test_naive_prompting_draws_what_the_model_draws(make, kind):
    model = kind()
    adapter = make(model)
    drawn = adapter.sample(adapter.encode(prompt_of("10", 4)), seeded())
    by_hand = adapter._sample(model, torch.tensor([2, 2, 2, 2]), seeded())
    assert torch.equal(drawn, by_hand)
    assert drawn.min() >= 0
    assert drawn.max() <= 1


@FOREIGN
def test_it_is_measured_with_every_method_and_control(make, kind):
    methods = METHODS[:2]  # neither can be guided
    instrument = Instrument(PROMPTER, SPLIT, methods, BrightnessProbe(), None, MEASUREMENT)
    adapter = make()
    assert isinstance(adapter, Adapter)
    assert not isinstance(adapter, GuidableAdapter)
    measured = measure_checkpoint(adapter, instrument, seed=0, step=1)
    held_out = measured.correct.sel({"concept_class": "11"}).isel(strength=0, sample=0)
    assert (held_out >= 0).all()
    assert {"latent-steering/random-direction"} < set(measured.method.values)
    again = measure_checkpoint(make(adapter.model), instrument, seed=0, step=1)
    assert again.identical(measured)


@FOREIGN
def test_patching_swaps_the_embedding_of_the_condition(make, kind):
    donor, recipient, patched = kind(seed=1), kind(seed=2), kind(seed=3)
    patch = EmbeddingPatch(make(donor).conditioning_parameters())
    patched.load_state_dict(patch.into(recipient))
    given = make(donor).encode(prompt_of("01"))
    through_sites = make(recipient).sample(given, seeded())
    drawn = make(patched).sample(make(patched).encode(prompt_of("01")), seeded())
    assert torch.equal(drawn, through_sites)
    own = make(recipient).sample(make(recipient).encode(prompt_of("01")), seeded())
    assert not torch.equal(drawn, own)


def test_steering_goes_in_at_the_site_alone():
    model = Generator()
    adapter = gan_adapter(model)
    push = AddDirections({"embedding": torch.ones(1, 6)})
    steered = elicit(adapter, prompt_of("00"), push, torch.full((2,), 2.0))
    with torch.no_grad():
        model.embedding.weight += 2.0
    by_hand = sample_gan(model, torch.tensor([0, 0]), seeded())
    torch.testing.assert_close(adapter.sample(steered, seeded()), by_hand)


def test_a_model_that_is_told_the_vector_needs_no_table():
    model = VectorGenerator()
    adapter = vector_adapter(model)
    vectors = prompt_of("11", 3)
    given = adapter.encode(vectors)
    assert set(given) == {"first", "second"}
    by_hand = sample_vectors(model, vectors, seeded())
    assert torch.equal(adapter.sample(given, seeded()), by_hand)
    assert torch.equal(vector_adapter(model).sample(given, seeded()), by_hand)
    with pytest.raises(ValueError, match=r"width is 4, and vectors are \(2, 3\)"):
        adapter.encode(torch.zeros(2, 3))
    assert set(adapter.conditioning_parameters()) == {
        f"{layer}.{kind}" for layer in ("first", "second") for kind in ("weight", "bias")
    }


def test_an_autoencoder_by_module_name_is_the_one_by_hand():
    def sample(model, vectors, generator):
        latent = torch.randn((len(vectors), 8), generator=generator)
        return model.decode(latent, model.embedding(vectors))

    model = ConditionalVAE((3, 4, 4), 4)
    by_name, by_hand = ModuleAdapter(model, ["embedding"], sample, width=4), VAEAdapter(model)
    given = by_name.encode(prompt_of("01"))
    assert torch.equal(given["embedding"], by_hand.encode(prompt_of("01"))["embedding"])
    assert torch.equal(by_name.sample(given, seeded()), by_hand.sample(given, seeded()))
    assert set(by_name.conditioning_parameters()) == set(by_hand.conditioning_parameters())


def test_the_model_comes_back_as_it_was():
    model = Generator().train()
    model.layers.eval()
    adapter = gan_adapter(model)
    random_state = torch.get_rng_state()
    adapter.sample(adapter.encode(prompt_of("10")), seeded())
    assert (model.training, model.layers.training) == (True, False)
    assert torch.equal(torch.get_rng_state(), random_state)
    assert not any(module._forward_hooks for module in model.modules())


def test_the_model_comes_back_when_sampling_fails():
    def failing(model, classes, generator):
        images = sample_gan(model, classes, generator)
        if failing.now:
            raise RuntimeError("out of memory")
        return images

    failing.now = False
    model = Generator().train()
    adapter = ModuleAdapter(model, ["embedding"], failing, CLASS_TABLE)
    given = adapter.encode(prompt_of("10"))
    failing.now = True
    with pytest.raises(RuntimeError, match="out of memory"):
        adapter.sample(given, seeded())
    assert model.training
    assert not any(module._forward_hooks for module in model.modules())


def test_small_batches_draw_the_same_number_of_images():
    adapter = ModuleAdapter(Generator(), ["embedding"], sample_gan, CLASS_TABLE, batch_size=2)
    assert adapter.sample(adapter.encode(prompt_of("10", 5)), seeded()).shape == (5, 3, 4, 4)


def test_sites_that_the_condition_gets_around_are_refused():
    adapter = ModuleAdapter(VectorGenerator(), ["first"], sample_vectors, width=4)
    with pytest.raises(ValueError, match=r"told .* at first alone, the model draws another image"):
        adapter.encode(prompt_of("11"))


def test_sites_that_hold_noise_are_refused():
    adapter = ModuleAdapter(Generator(), ["layers"], sample_gan, CLASS_TABLE)
    with pytest.raises(ValueError, match="a site's output depends on more than the condition"):
        adapter.encode(prompt_of("11"))


def test_noise_from_elsewhere_than_the_generator_is_refused():
    def careless(model, classes, generator):
        return model(torch.randn(len(classes), 8), classes)

    adapter = ModuleAdapter(Generator(), ["embedding"], careless, CLASS_TABLE)
    with pytest.raises(ValueError, match="or sample draws noise that is not its generator's"):
        adapter.encode(prompt_of("11"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sites": []}, r"sites must list at least one submodule, not \[\]"),
        ({"sites": "embedding"}, "sites must list at least one submodule, not 'embedding'"),
        ({"sites": ["embeding"]}, "sites: Generator has no submodule 'embeding'"),
        ({"sites": ["embedding"], "path": ["text"]}, "path: Generator has no submodule 'text'"),
        ({"sites": ["embedding"], "width": 4}, "table: give a ClassTable or a PromptTable, or els"),
        ({"sites": ["embedding"], "batch_size": 0}, "batch_size must be at least 1, not 0"),
    ],
)
def test_what_does_not_fit_the_model_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ModuleAdapter(Generator(), sample=sample_gan, table=CLASS_TABLE, **arguments)


def test_a_space_is_no_table():
    with pytest.raises(TypeError, match="table must be a ClassTable or a PromptTable, not Concept"):
        ModuleAdapter(Generator(), ["embedding"], sample_gan, SPACE)


def test_a_submodule_that_is_never_called_is_refused():
    model = Generator()
    model.spare = nn.Linear(2, 2)
    adapter = ModuleAdapter(model, ["spare"], sample_gan, ClassTable(SPACE))
    with pytest.raises(ValueError, match="sites: sample never calls 'spare'"):
        adapter.encode(prompt_of("11"))
