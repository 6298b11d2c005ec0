import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import lsq_linear

from conceptspace.probes.colours import fit_colours


def test_exact_colours_are_found_inside_of_the_boxes():
    generator = torch.Generator().manual_seed(0)
    mask = torch.rand(6, 64, generator=generator)
    colour, background = torch.rand(2, 6, 3, generator=generator)
    pixels = mask[:, None] * colour[:, :, None] + (1 - mask[:, None]) * background[:, :, None]
    box = (torch.full((3,), -1.0), torch.full((3,), 2.0))
    found_colour, found_background = fit_colours(pixels, mask, box, box)
    torch.testing.assert_close(found_colour, colour, atol=1e-4, rtol=0)
    torch.testing.assert_close(found_background, background, atol=1e-4, rtol=0)


@given(st.integers(0, 10_000))
def test_bounded_fit_is_as_good_as_scipys(seed):
    rng = np.random.default_rng(seed)
    mask, pixels = rng.uniform(size=20), rng.uniform(-0.5, 1.5, size=20)
    low, high = np.array([0.2, 0.7]), np.array([0.6, 0.9])
    design = np.stack([mask, 1 - mask], axis=1)
    expected = lsq_linear(design, pixels, (low, high), tol=1e-12)
    colour, background = fit_colours(
        torch.tensor(pixels)[None, None],
        torch.tensor(mask)[None],
        (torch.tensor(low[:1]), torch.tensor(high[:1])),
        (torch.tensor(low[1:]), torch.tensor(high[1:])),
    )
    solution = np.array([colour.item(), background.item()])
    assert ((solution >= low) & (solution <= high)).all()
    cost = 0.5 * np.square(design @ solution - pixels).sum()
    assert cost <= expected.cost + 1e-9


def test_a_silhouette_out_of_the_frame_gives_finite_colours():
    box = (torch.zeros(3), torch.ones(3))
    colour, background = fit_colours(torch.rand(2, 3, 16), torch.zeros(2, 16), box, box)
    assert colour.isfinite().all()
    assert background.isfinite().all()
