"""`conceptspace theory`: what it says, and that it writes its figure."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from conceptspace import load
from conceptspace.cli import main
from conceptspace.equations import sim
from conceptspace.recipes.quick import quick
from figures.example import example_evidence
from figures.test_gallery import has_ink


def said(line, tmp_path, capsys, picture="picture.png"):
    """The output of a theory command that draws a picture."""
    out = tmp_path / picture
    assert main(["theory", *line, "--out", str(out)]) == 0
    if out.suffix == ".png":
        assert has_ink(out)
    return capsys.readouterr().out


def test_sim_tells_verdict_order_turn_and_times(tmp_path, capsys):
    told = said(["sim", "--mu", "1", "2", "--sigma", "0.05"], tmp_path, capsys)
    assert told.startswith("swing-by: the loss at the probe falls, rises by 7.8 %")
    assert "order of learning, by signal: concept 2, concept 1\n" in told
    assert "turn expected at t = 1.45, where w_12 peaks" in told
    times = re.search(r"concept 1 learned at (.+), expected at (.+);", told)
    assert float(times[1]) == pytest.approx(float(times[2]), rel=0.01)
    assert "in the end the loss at the probe falls as exp(-2.01 t)" in told


def test_sim_from_the_diagonal_alone_does_not_swing_by(tmp_path, capsys):
    told = said(["sim", "--off-diagonal", "0"], tmp_path, capsys, "deep/picture.svg")
    assert told.startswith("no swing-by")
    assert "turn expected" not in told


def test_sim_says_what_a_start_of_rank_one_cannot_learn(tmp_path, capsys):
    told = said(["sim", "--nudge", "0"], tmp_path, capsys)
    assert "W(0) has rank 1: only 1 of 2 concepts can ever be learned" in told
    assert "concept 1 learned never, expected never" in told


def test_sim_trains_networks_besides(tmp_path, capsys, monkeypatch):
    small = sim.NetworkSettings(num_points=200, num_epochs=2)
    monkeypatch.setattr(sim, "NetworkSettings", lambda: small)
    told = said(["sim", "--networks", "2", "--dimension", "8"], tmp_path, capsys)
    assert re.search(r"network 1: .*last loss at the probe", told)
    assert re.search(r"\d of 2 networks swing by", told)


def test_landscape_simulates_from_signals(tmp_path, capsys):
    told = said(["landscape", "--signal", "1", "2"], tmp_path, capsys)
    assert "order of learning, by signal: concept 2, concept 1" in told
    assert "class 11 heads for 01 first; its target shifts at 3 (width 0.3)" in told
    assert "concept 1 turns round at" in told
    # rate 2 from .5 to within .2 of 1: log(.5 / .2) / 2
    assert "concept 2: rate 2, learned at 0.475" in told


def test_landscape_of_one_concept_or_of_a_shift_long_past_has_no_detour(tmp_path, capsys):
    for line in (["--signal", "2"], ["--shift", "-100"]):
        told = said(["landscape", *line], tmp_path, capsys)
        assert "heads for" not in told
        assert "never" not in told


def test_landscape_never_shifts_if_told_so(tmp_path, capsys):
    told = said(["landscape", "--shift", "inf"], tmp_path, capsys)
    assert "concept 1: rate 1, learned never" in told


def write_table(path, slope):
    rng = np.random.default_rng(0)
    lines = ["setting,concept,seed,signal,time,end"]
    for setting in range(12):
        for concept in ("colour", "size"):
            signal = np.exp(rng.uniform(-1, 1))
            for seed in range(5):
                time = 1000 * signal**slope * np.exp(0.3 * rng.standard_normal())
                shown = f"{time:.1f}" if time < 2500 else ""
                lines.append(f"{setting},{concept},{seed},{signal:.4f},{shown},2500")
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(("slope", "verdict"), [(-1.2, "holds"), (0.0, "does not hold")])
def test_prediction_tells_whether_the_signal_orders_the_times(slope, verdict, tmp_path, capsys):
    write_table(tmp_path / "times.csv", slope)
    told = said(["prediction", str(tmp_path / "times.csv")], tmp_path, capsys)
    assert told.splitlines()[-2] == f"the signal orders learning times: {verdict}"
    assert re.search(r"intervals of 95 % hold \d+\.\d % of the scored times", told)


@pytest.fixture
def measured(monkeypatch):
    """A made-up run in place of one that was loaded."""
    evidence = example_evidence(num_seeds=2, num_steps=25)
    run = SimpleNamespace(
        findings=evidence.findings, experiment=SimpleNamespace(space=quick().space)
    )
    monkeypatch.setattr(load, "load_run", lambda folder: run)
    return run


def test_landscape_is_fitted_to_the_classes_of_a_run(measured, tmp_path, capsys):
    told = said(["landscape", "--run", "made-up"], tmp_path, capsys)
    fits = dict(re.findall(r"class (\d\d): R² (\S+),", told))
    assert set(fits) == {"11", "00", "01", "10"}
    # two seeds of 32 samples leave noise of up to 0.06 beside a rise of about 0.5
    assert min(map(float, fits.values())) > 0.8
    assert "a shifting target (evidence" in told
    assert "class 11 heads for 01 first" in told


def test_a_class_that_was_trained_has_no_target_that_shifts(measured, tmp_path, capsys):
    out = str(tmp_path / "picture.png")
    line = ["theory", "landscape", "--run", "made-up", "--class", "01", "--out", out]
    assert main(line) == 2
    assert "--class 01: the held-out classes of made-up are 11" in capsys.readouterr().err


def test_a_run_without_signals_is_refused(measured, tmp_path, capsys):
    measured.findings = measured.findings | {"signal": None}
    assert main(["theory", "landscape", "--run", "made-up", "--out", str(tmp_path / "p.png")]) == 2
    assert "--run made-up: its findings have no concept signal" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("num_steps", "message"),
    [
        (4, "--run: class 11 cannot be fitted: measured has 6 numbers with weight"),
        (1, "--run made-up: nothing was measured after step 0 yet"),
    ],
)
def test_a_run_of_few_checkpoints_is_told_so(num_steps, message, measured, tmp_path, capsys):
    whole = measured.findings
    classes = {
        name: {"held_out": found["held_out"], "coordinate": {
            "mean": found["coordinate"]["mean"][:num_steps]
        }}
        for name, found in whole["classes"].items()
    }  # fmt: skip
    measured.findings = whole | {"steps": whole["steps"][:num_steps], "classes": classes}
    assert main(["theory", "landscape", "--run", "made-up", "--out", str(tmp_path / "p.png")]) == 2
    assert message in capsys.readouterr().err
