"""Images from any checkpoint: the size, the same pixels twice, and that prompting harder shows."""

import numpy as np
import pytest
from PIL import Image

from conceptspace.cli import main
from conceptspace.drawing import draw_samples
from conceptspace.load import load_run


@pytest.fixture(scope="module")
def opened(finished_run):
    return load_run(finished_run)


def test_the_command_writes_a_picture_of_the_right_size(finished_run, tmp_path, capsys):
    out = tmp_path / "new" / "grid.png"
    status = main(["sample", str(finished_run), "--num", "5", "--step", "0", "--out", str(out)])
    assert status == 0
    # 5 images of 8 x 8 in 3 columns and 2 rows, a pixel between them, enlarged 12 times
    with Image.open(out) as image:
        assert image.size == (12 * (3 * 9 - 1), 12 * (2 * 9 - 1))
    assert capsys.readouterr().out == (
        f"5 images of class 11 (blue small), seed 0, step 0, naive prompting\n{out}\n"
    )


def test_the_same_random_seed_gives_the_same_pixels(opened):
    first, again, other = (
        draw_samples(opened, num=2, random_seed=seed).images.numpy() for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("method", ["over-prompting", "latent-steering"])
def test_an_intervention_changes_the_pixels_of_the_same_noise(opened, method):
    naive = draw_samples(opened, num=2).images
    nothing = draw_samples(opened, num=2, method=method, strength=0.0).images
    pushed = draw_samples(opened, num=2, method=method)
    assert (naive - nothing).abs().max() < 1e-5
    assert (naive - pushed.images).abs().max() > 1e-4
    assert pushed.description.endswith(
        {"over-prompting": "strength 0.3", "latent-steering": "strength 2"}[method]
    )


def test_another_checkpoint_gives_other_pixels(opened):
    assert not np.array_equal(
        draw_samples(opened, num=1, step=0).images, draw_samples(opened, num=1).images
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"concept_class": "99"}, "concept class '99' is not in this space; it has 00, 01, 10, 11"),
        ({"concept_class": ""}, "concept class '' is not in this space"),
        ({"method": "magic"}, "method 'magic' is not one of this run's: naive, over-prompting, "),
        ({"strength": 1.0}, "strength=1.0 has no meaning for naive prompting"),
        (
            {"method": "over-prompting", "strength": float("nan")},
            "must be a finite number, not nan",
        ),
        ({"num": 0}, "num must be at least 1, not 0"),
        ({"random_seed": -1}, "random_seed must be 0 or more, not -1"),
        ({"seed": 7}, "seed 7 is not in"),
    ],
)
def test_what_cannot_be_drawn_is_refused(opened, wrong, message):
    with pytest.raises(ValueError, match=message):
        draw_samples(opened, **wrong)
