import numpy as np
from matplotlib.figure import Figure

from conceptspace.figures import signal_figure, trajectories
from conceptspace.figures.evidence import Evidence

PICTURE = np.zeros((4, 4, 3), dtype=np.uint8)


def _texts(figure: Figure) -> list[str]:
    return [text.get_text().strip() for axes in figure.axes for text in axes.texts]


def test_bars_are_as_long_as_the_signals():
    figure = signal_figure({"colour": {"signal": 1.5, "finite": 2.0}}, {})
    lengths = [bar.get_width() for axes in figure.axes for bar in axes.patches]
    assert lengths == [1.5, 2.0]


def test_a_form_that_was_not_computed_is_named():
    signals = {"colour": {"signal": None, "finite": 2.0}, "size": {"signal": 1.0, "finite": 3.0}}
    assert "not computed" in _texts(signal_figure(signals, {}))


def test_without_any_signal_the_figure_says_so():
    assert _texts(signal_figure({"colour": None}, {})) == ["the concept signal was not computed"]
    assert _texts(signal_figure({}, {})) == ["the concept signal was not computed"]


def test_of_many_values_the_first_and_last_are_shown():
    figure = signal_figure({"size": {"signal": 1.0, "finite": 2.0}}, {"size": [PICTURE] * 5})
    figure.draw_without_rendering()
    shown = [axes for parent in figure.axes for axes in parent.child_axes]
    assert len(shown) == 2


def test_of_many_classes_the_nearest_and_farthest_are_shown(three_concepts: Evidence, monkeypatch):
    monkeypatch.setattr(trajectories, "MOST_CLASSES", 6)
    shown = trajectories.shown_classes(three_concepts)
    assert len(shown) == 6
    assert "111" in shown
    assert set(shown) & set(three_concepts.training)
