"""What can be read off a drawn figure: no text cut off, none on top of another, none too small."""

import itertools
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from conceptspace.figures import draw_all, trajectory_figure
from conceptspace.figures.accuracy import accuracy_figure, concept_accuracy_figure
from conceptspace.figures.evidence import Evidence
from conceptspace.figures.losses import comparison_figure
from conceptspace.figures.samples import elicitation_samples

SMALLEST = 8.0


@pytest.fixture(scope="module")
def figures(evidence: Evidence) -> dict[str, Figure]:
    return draw_all(evidence)


def _texts(figure: Figure) -> list[Text]:
    """The texts that are drawn; a tick label beyond the axis's end exists but is not."""
    drawn: dict[int, Text] = {}
    draw = Text.draw

    def note(self: Text, renderer: Any) -> None:
        if self.get_visible() and self.get_text().strip():
            drawn[id(self)] = self
        draw(self, renderer)

    with mock.patch.object(Text, "draw", note):
        FigureCanvasAgg(figure).draw()
    return list(drawn.values())


def _cut_off(figure: Figure) -> list[str]:
    wide, tall = figure.bbox.width, figure.bbox.height
    cut = []
    for text in _texts(figure):
        box = text.get_window_extent()
        if box.x0 < -1 or box.y0 < -1 or box.x1 > wide + 1 or box.y1 > tall + 1:
            cut.append(text.get_text())
    return cut


def _overlaps(figure: Figure) -> list[tuple[str, str]]:
    boxes = [(text.get_text(), text.get_window_extent()) for text in _texts(figure)]
    return [
        (first, second)
        for (first, a), (second, b) in itertools.combinations(boxes, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1.5 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1.5
    ]


NAMES = (
    "trajectories", "accuracy", "concept_accuracy", "comparison", "off_manifold", "samples",
    "samples_classes", "losses", "speed", "signal", "probe", "decodability",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_no_text_is_cut_off(figures: dict[str, Figure], name: str):
    assert _cut_off(figures[name]) == []


@pytest.mark.parametrize("name", NAMES)
def test_no_text_lies_on_another(figures: dict[str, Figure], name: str):
    assert _overlaps(figures[name]) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_text_is_large_enough_for_print(figures: dict[str, Figure], name: str):
    sizes = {text.get_text(): text.get_fontsize() for text in _texts(figures[name])}
    assert {text: size for text, size in sizes.items() if size < SMALLEST} == {}


@pytest.mark.parametrize(
    "draw",
    [
        trajectory_figure,
        lambda evidence: accuracy_figure(evidence, "111"),
        lambda evidence: concept_accuracy_figure(evidence, "111"),
        lambda evidence: comparison_figure(evidence, "111"),
        lambda evidence: elicitation_samples(evidence, "111", 0),
    ],
    ids=["trajectories", "accuracy", "concept_accuracy", "comparison", "samples"],
)
def test_three_concepts_fit_as_well(three_concepts: Evidence, draw: Callable[[Evidence], Figure]):
    figure = draw(three_concepts)
    assert _cut_off(figure) == []
    assert _overlaps(figure) == []
