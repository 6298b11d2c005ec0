import pytest
import torch

from conceptspace.adapters.native import NativeAdapter
from conceptspace.adapters.protocol import Adapter, GuidableAdapter
from conceptspace.elicitation.directions import steering_directions
from conceptspace.elicitation.intervention import AddDirections
from conceptspace.elicitation.patching import EmbeddingPatch
from conceptspace.measure.sampling import elicit
from conceptspace.models.execution import Execution
from conceptspace.models.mlp import MLP
from conceptspace.models.network import ConditionalNetwork, placed
from conceptspace.models.regression import Regression
from conceptspace.models.settings import DiffusionSettings, MLPSettings, RegressionSettings
from conceptspace.models.vdm import VDM
from vectors import small_run

EXPERIMENT = small_run()
PROMPTER = EXPERIMENT.prompter
SETTINGS = EXPERIMENT.model


def network(settings=SETTINGS):
    made = MLP(2, PROMPTER.width, settings)
    torch.nn.init.normal_(made.layer_out.weight)  # zero at the start, which would hide everything
    return made


def vdm(settings=SETTINGS):
    return VDM(network(settings), EXPERIMENT.diffusion)


def adapter(model=None, batch_size=256):
    return NativeAdapter(model or vdm(), EXPERIMENT.world.image_shape, batch_size)


def prompts(num=5):
    return torch.from_numpy(PROMPTER.class_mean("11", num))


def test_it_is_a_network_like_the_others():
    assert isinstance(network(), ConditionalNetwork)
    assert isinstance(adapter(), Adapter)
    assert isinstance(adapter(), GuidableAdapter)


def test_the_published_network_has_a_hidden_layer_of_1024():
    assert MLP(2, 4, MLPSettings()).layer_in.weight.shape == (1024, 2)


def test_it_starts_with_no_correction():
    fresh = MLP(2, PROMPTER.width, SETTINGS)
    sites = fresh.condition(prompts())
    assert not fresh.denoise(torch.randn(5, 2), torch.rand(5), sites).any()


def test_all_its_parameters_scale_with_the_initial_scale():
    torch.manual_seed(0)
    plain = MLP(2, 4, SETTINGS)
    torch.manual_seed(0)
    scaled = MLP(2, 4, SETTINGS.replace(initial_scale=0.5))
    for one, other in zip(plain.parameters(), scaled.parameters()):
        torch.testing.assert_close(other, 0.5 * one)


@pytest.mark.parametrize("num_times", [1, 5])
def test_time_and_condition_both_matter(num_times):
    made = network()
    z, sites = torch.randn(5, 2), made.condition(prompts())
    early = made.denoise(z, torch.full((num_times,), 0.1), sites)
    late = made.denoise(z, torch.full((num_times,), 0.9), sites)
    other = made.denoise(z, torch.full((num_times,), 0.1), made.condition(0 * prompts()))
    assert early.shape == (5, 2)
    assert not torch.allclose(early, late)
    assert not torch.allclose(early, other)


def test_the_condition_enters_at_its_one_site():
    made = adapter()
    assert made.sites() == ("hidden",)
    assert {site: value.shape for site, value in made.encode(prompts()).items()} == {
        "hidden": (5, 16)
    }


def test_samples_come_in_batches_of_any_size():
    made = adapter(batch_size=2)
    samples = made.sample(made.encode(prompts()), torch.Generator().manual_seed(0))
    assert samples.shape == (5, 2)


def test_steering_moves_the_site_by_the_difference_of_the_means():
    made = adapter()
    directions = steering_directions(made, PROMPTER, "11", "weak")
    means = {c: made.encode(torch.from_numpy(PROMPTER.class_mean(c)))["hidden"][0] for c in
             PROMPTER.space.classes}  # fmt: skip
    expected = (means["10"] + means["11"] - means["00"] - means["01"]) / 2
    torch.testing.assert_close(directions["hidden"], expected)
    push = AddDirections({"hidden": directions["hidden"][None]})
    steered = elicit(made, prompts(2), push, torch.tensor([0.0, 2.0]))["hidden"]
    torch.testing.assert_close(steered[0], means["11"])
    torch.testing.assert_close(steered[1], means["11"] + 2 * expected)


def test_a_patched_model_is_conditioned_like_the_donor_and_else_like_the_recipient():
    donor, recipient, patched = vdm(), vdm(), vdm()
    parameters = adapter(donor).conditioning_parameters()
    patched.load_state_dict(EmbeddingPatch(parameters).into(recipient))
    assert torch.equal(adapter(patched).encode(prompts())["hidden"],
                       adapter(donor).encode(prompts())["hidden"])  # fmt: skip
    for name, value in recipient.state_dict().items():
        assert (name in parameters) != torch.equal(patched.state_dict()[name], value)


def test_a_regression_of_vectors_has_samples_of_their_shape():
    model = Regression(network(), RegressionSettings())
    made = adapter(model)
    assert made.sample(made.encode(prompts()), torch.Generator()).shape == (5, 2)
    bound = model.bound(torch.zeros(5, 2), prompts(), torch.Generator())
    assert bound.total.shape == (5,)


def test_it_is_computed_as_it_is_told():
    model = placed(VDM(network(), DiffusionSettings()), Execution(micro_batch=3))
    assert model.network.execution.micro_batch == 3
