"""Figures of the theory: what they show, and that every text can be read."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from conceptspace.figures.gallery import save_figure
from conceptspace.figures.landscape import LandscapePath, landscape_figure
from conceptspace.figures.prediction import prediction_figure
from conceptspace.figures.sim import sim_figure
from conceptspace.theory.landscape import Landscape
from conceptspace.theory.prediction import predict_other_half
from conceptspace.theory.settings import IdentityTask, Start
from conceptspace.theory.sim import effective_signal, ood_loss, outputs, starting_weights
from conceptspace.theory.swing import swing_by
from conceptspace.theory.two_layer import flow_terms, two_layer
from figures.test_gallery import has_ink
from figures.test_layout import SMALLEST, _cut_off, _overlaps, _texts

TIMES = np.linspace(0, 20, 801)


def sim(mu=(1.0, 2.0), **start):
    task = IdentityTask(mu=mu)
    weights = two_layer(task, starting_weights(task, Start(**start)), TIMES)
    swing = swing_by(TIMES, ood_loss(task, outputs(task, weights)))
    return task, weights, swing


def path(label, goal, origin=None, held_out=False, measured=True, axes=2):
    steps, goal = np.linspace(100, 4000, 60), np.array(goal, dtype=float)
    origin = goal if origin is None else np.array(origin, dtype=float)
    rates = np.linspace(0.002, 0.005, axes)
    model = Landscape(
        rates, np.full(axes, 0.5), origin, goal, np.array(2000.0), np.array(150.0)
    )  # fmt: skip
    seen = model.path(steps) + 0.03 * np.random.default_rng(0).standard_normal((60, axes))
    target = model.target(steps) if held_out else None
    return LandscapePath(
        label, steps, model.path(steps), target, seen if measured else None, None, held_out
    )


def four_classes():
    return [
        path("11", [1, 1], [0, 1], held_out=True),
        *(path(name, [int(digit) for digit in name]) for name in ("00", "01", "10")),
    ]


def prediction(never=True):
    rng = np.random.default_rng(0)
    signal = np.exp(rng.uniform(-1, 1, (16, 2)))
    times = 3000 * signal[..., None] ** -1.2 * np.exp(0.3 * rng.standard_normal((16, 2, 5)))
    end = 5000.0 if never else 1e6
    times[times > end] = np.inf
    return predict_other_half(signal, times, end, rng)


def draw_sim(**kind):
    task, weights, swing = sim(**kind)
    return sim_figure(task, TIMES, weights, swing)


FIGURES = {
    "swing-by": draw_sim,
    "no swing-by": lambda: draw_sim(off_diagonal=0.0),
    "three concepts": lambda: draw_sim(mu=(1.0, 2.0, 3.0)),
    "one concept": lambda: draw_sim(mu=(1.0,)),
    "landscape": lambda: landscape_figure(four_classes(), ["colour", "size"], "R² 0.98"),
    "simulated": lambda: landscape_figure(
        [path("11", [1, 1], [0, 1], held_out=True, measured=False)], ["colour", "size"]
    ),
    "one axis": lambda: landscape_figure([path("1", [1], [0], True, axes=1)], ["colour"]),
    "nothing": lambda: landscape_figure([], ["colour", "size"]),
    "prediction": lambda: prediction_figure(prediction(), ["colour", "size"]),
    "all learned": lambda: prediction_figure(prediction(never=False), ["colour", "size"]),
}


@pytest.fixture(scope="module")
def figures() -> dict[str, Figure]:
    return {name: draw() for name, draw in FIGURES.items()}


@pytest.mark.parametrize("name", FIGURES)
def test_every_text_can_be_read(figures: dict[str, Figure], name: str):
    figure = figures[name]
    assert _cut_off(figure) == []
    assert _overlaps(figure) == []
    sizes = {text.get_text(): text.get_fontsize() for text in _texts(figure)}
    assert {text: size for text, size in sizes.items() if size < SMALLEST} == {}


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("ending", ["png", "svg"])
def test_each_is_written(figures: dict[str, Figure], name: str, ending: str, tmp_path: Path):
    save_figure(figures[name], tmp_path / f"it.{ending}", ending, 40)
    assert (tmp_path / f"it.{ending}").stat().st_size > 1000
    if ending == "png":
        assert has_ink(tmp_path / "it.png")


def line(figure: Figure, label: str) -> np.ndarray:
    found = [ln for axes in figure.axes for ln in axes.lines if ln.get_label() == label]
    return np.asarray(found[0].get_ydata())


def test_the_losses_and_terms_drawn_are_those_computed(figures: dict[str, Figure]):
    task, weights, _ = sim()
    drawn = figures["swing-by"]
    np.testing.assert_array_equal(line(drawn, "at the probe"), ood_loss(task, weights @ task.mu))
    terms = flow_terms(effective_signal(task), weights)
    np.testing.assert_array_equal(line(drawn, "suppression"), -terms.suppression[:, 0, 0])
    np.testing.assert_array_equal(line(drawn, "change"), terms.total[:, 0, 0])


def titles(figure: Figure) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes]


def test_the_title_is_the_verdict(figures: dict[str, Figure]):
    assert "Swing-by" in titles(figures["swing-by"])
    assert "No swing-by" in titles(figures["no swing-by"])


def test_only_so_much_time_is_shown_as_was_asked_for():
    task, weights, swing = sim()
    drawn = sim_figure(task, TIMES, weights, swing, until=5.0)
    assert len(line(drawn, "at the probe")) == (TIMES <= 5).sum()


def test_what_was_never_learned_lies_on_the_upper_edge():
    found = prediction()
    axes = prediction_figure(found, ["colour", "size"]).axes[0]
    edge = [ln.get_ydata() for ln in axes.lines if ln.get_marker() == r"$\uparrow$"]
    assert sum(map(len, edge)) == np.isinf(found.measured).sum() > 0
    assert set(np.concatenate(edge)) == {axes.get_ylim()[1]}
