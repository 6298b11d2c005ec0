import dataclasses
import hashlib
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from conceptspace.figures import draw_all, save_figures, trajectory_figure
from conceptspace.figures.accuracy import accuracy_figure
from conceptspace.figures.evidence import Evidence
from conceptspace.figures.gallery import save_figure
from figures.example import example_evidence


def has_ink(path: Path) -> bool:
    """Whether more than a thousandth of a picture is not its background."""
    pixels = np.asarray(Image.open(path).convert("L"))
    return (pixels < 200).mean() > 1e-3


def test_every_figure_of_a_run_is_drawn(evidence: Evidence):
    assert set(draw_all(evidence)) == {
        "trajectories", "accuracy", "concept_accuracy", "comparison", "off_manifold", "samples",
        "samples_classes", "losses", "speed", "signal", "probe", "decodability",
    }  # fmt: skip


def test_each_held_out_class_has_its_own_figures(three_concepts: Evidence):
    names = set(draw_all(three_concepts))
    assert {f"accuracy_{name}" for name in ("011", "101", "110", "111")} <= names


@pytest.mark.parametrize(
    "missing",
    [
        {"held_out": False},
        {"elicitation": False},
        {"concepts": ("colour",)},
        {"num_steps": 3},
    ],
)
def test_a_run_with_little_in_it_is_drawn_too(missing: dict, tmp_path: Path):
    sparse = {"num_seeds": 1, "num_steps": 4, "num_samples": 4} | missing
    for name, figure in draw_all(example_evidence(**sparse)).items():
        save_figure(figure, tmp_path / f"{name}.png", "png", 40)
        assert has_ink(tmp_path / f"{name}.png")


def test_a_run_with_nothing_but_paths_is_drawn(evidence: Evidence, tmp_path: Path):
    kept = {"seeds", "steps", "classes"}
    bare = {key: value for key, value in evidence.findings.items() if key in kept}
    bare["classes"] = {
        name: {"held_out": found["held_out"], "coordinate": found["coordinate"]}
        for name, found in evidence.findings["classes"].items()
    }
    nothing = dataclasses.replace(evidence, findings=bare, pictures={}, corners={}, examples={})
    for name, figure in draw_all(nothing).items():
        save_figure(figure, tmp_path / f"{name}.png", "png", 40)
        assert has_ink(tmp_path / f"{name}.png")


def test_steps_where_nothing_was_measured_are_left_out(evidence: Evidence, tmp_path: Path):
    holes = evidence.trajectory.copy(deep=True)
    holes["coordinate"][:, 5] = np.nan
    holes["correct"][:, 5] = -1
    found = {**evidence.findings, "classes": {}}
    for name, of_class in evidence.findings["classes"].items():
        path = [list(point) for point in of_class["coordinate"]["mean"]]
        path[5] = [None, None]
        coordinate = of_class["coordinate"] | {"mean": path}
        found["classes"][name] = of_class | {"coordinate": coordinate}
    gap = dataclasses.replace(evidence, trajectory=holes, findings=found)
    save_figure(trajectory_figure(gap), tmp_path / "gap.png", "png", 40)
    assert has_ink(tmp_path / "gap.png")


def test_saved_figures_have_the_same_bytes_every_time(evidence: Evidence, tmp_path: Path):
    digests = []
    for folder in ("first", "second"):
        figures = {"path": trajectory_figure(evidence), "accuracy": accuracy_figure(evidence, "11")}
        files = save_figures(figures, tmp_path / folder)
        digests.append([hashlib.sha256(file.read_bytes()).hexdigest() for file in files])
    assert digests[0] == digests[1]


def test_saved_figures_hold_no_date_and_no_version(evidence: Evidence, tmp_path: Path):
    save_figures({"path": trajectory_figure(evidence)}, tmp_path)
    svg = (tmp_path / "path.svg").read_text()
    assert not re.search(r"dc:date|dc:creator|Matplotlib v", svg)
    with Image.open(tmp_path / "path.png") as picture:
        assert set(picture.info) <= {"dpi"}


def test_only_whole_figures_are_left_in_the_folder(evidence: Evidence, tmp_path: Path, monkeypatch):
    figure = trajectory_figure(evidence)

    def full(*_, **__):
        raise OSError("no space left on device")

    monkeypatch.setattr("conceptspace.figures.gallery.os.replace", full)
    with pytest.raises(OSError, match="no space left"):
        save_figures({"path": figure}, tmp_path)
    assert not (tmp_path / "path.png").exists()


def test_drawing_leaves_matplotlibs_settings_as_they_were(evidence: Evidence, tmp_path: Path):
    before = dict(matplotlib.rcParams)
    save_figures({"path": trajectory_figure(evidence)}, tmp_path)
    assert dict(matplotlib.rcParams) == before
