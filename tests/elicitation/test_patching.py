import pytest
import torch

from conceptspace.adapters.native import NativeAdapter
from conceptspace.elicitation.patching import EmbeddingPatch
from conceptspace.models.settings import PerBlockEmbedding
from conceptspace.models.unet import UNet
from conceptspace.models.vdm import VDM
from small import DIFFUSION, PROMPTER, UNET, WORLD


def model(settings=UNET):
    return VDM(UNet(3, PROMPTER.width, settings), DIFFUSION)


def adapter(vdm):
    return NativeAdapter(vdm, WORLD.image_shape)


@pytest.mark.parametrize("embedding", [UNET.embedding, PerBlockEmbedding()])
def test_a_patched_model_is_conditioned_like_the_donor(embedding):
    settings = UNET.replace(embedding=embedding)
    donor, recipient, patched = model(settings), model(settings), model(settings)
    patch = EmbeddingPatch(adapter(donor).conditioning_parameters())
    patched.load_state_dict(patch.into(recipient))
    h = torch.rand(4, PROMPTER.width)
    for site, value in adapter(donor).encode(h).items():
        assert torch.equal(adapter(patched).encode(h)[site], value)


def test_the_rest_of_the_network_stays_the_recipients():
    donor, recipient = model(), model()
    state = EmbeddingPatch(adapter(donor).conditioning_parameters()).into(recipient)
    swapped = set(adapter(donor).conditioning_parameters())
    assert swapped
    for name, value in recipient.state_dict().items():
        assert name in swapped or torch.equal(state[name], value)


def test_patching_leaves_the_recipient_as_it_was():
    donor, recipient = model(), model()
    before = {name: value.clone() for name, value in recipient.state_dict().items()}
    EmbeddingPatch(adapter(donor).conditioning_parameters()).into(recipient)
    assert all(torch.equal(before[name], v) for name, v in recipient.state_dict().items())


def test_a_donor_of_another_size_is_refused():
    wide = model(UNET.replace(widths=(8, 8)))
    patch = EmbeddingPatch(adapter(wide).conditioning_parameters())
    with pytest.raises(ValueError, match=r"has shape .* in the donor and .* in the recipient"):
        patch.into(model())


def test_a_donor_of_another_kind_is_refused():
    patch = EmbeddingPatch({"nowhere": torch.zeros(1)})
    with pytest.raises(ValueError, match="the recipient has no parameter 'nowhere'"):
        patch.into(model())
