"""Runs of the world without images: to the report, to the same bits, with nothing to learn."""

import json
import shutil

import pytest
import torch

from conceptspace.data.signal import concept_signal
from conceptspace.derived import derive, read_measurements
from conceptspace.drawing import draw_samples, save_grid
from conceptspace.dynamics.findings import findings
from conceptspace.estimate import seconds_per_seed
from conceptspace.folder import open_run
from conceptspace.load import load_run
from conceptspace.measure.files import DamagedFile
from conceptspace.measure.store import join
from conceptspace.models.execution import Execution
from conceptspace.opening import ensure_probe
from conceptspace.progress import Silent
from conceptspace.report.claims import claims
from conceptspace.tune import SMALL_STEP, operations_per_step
from conceptspace.worker import load_probe, run_seeds
from runs.tiny import contents
from vectors import small_run


def train_and_measure(experiment, folder, seeds):
    open_run(folder, experiment)
    ensure_probe(folder, experiment, Silent())
    run_seeds(experiment, folder, seeds)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run; not to be changed."""
    folder = tmp_path_factory.mktemp("vectors") / "run"
    train_and_measure(small_run(), folder, [0])
    assert derive(folder, second_process=False)["notes"] == []
    return folder


def test_a_run_comes_to_its_claims_and_its_report(finished):
    claims = json.loads((finished / "claims.json").read_bytes())
    assert {claim["verdict"] for claim in claims} == {"inconclusive"}  # one seed settles nothing
    assert (finished / "figures/samples_classes.png").exists()
    assert "small-vectors" in (finished / "report.html").read_text()


def test_a_run_that_was_cut_off_ends_with_the_same_bits(finished, tmp_path):
    run = shutil.copytree(finished, tmp_path / "run")
    steps = load_run(run).steps(0)
    for step in steps[2:]:
        for kind, ending in (("checkpoints", "safetensors"), ("measurements", "nc")):
            (run / f"seed=0/{kind}/step={step:07d}.{ending}").unlink()
    for state in sorted(run.glob("seed=0/state/*"))[1:]:
        state.unlink()
    (run / "probe.safetensors").unlink()
    ensure_probe(run, small_run(), Silent())
    run_seeds(small_run(), run, [0])
    assert contents(run) == contents(finished)


def test_the_probe_of_a_run_is_read_back_and_its_damage_noticed(finished, tmp_path):
    assert load_probe(finished).axes == [(0, (0.35, 0.65)), (1, (0.2, 0.8))]
    run = shutil.copytree(finished, tmp_path / "run")
    (run / "probe.safetensors").write_bytes(b"torn")
    with pytest.raises(DamagedFile):
        load_probe(run)


def test_samples_of_a_run_are_drawn_as_dots(finished, tmp_path):
    drawn = draw_samples(load_run(finished), num=3, method="latent-steering", strength=1.0)
    assert drawn.images.shape == (3, 2)
    assert drawn.pictures.shape == (3, 24, 24, 3)
    assert drawn.pictures.dtype == torch.uint8
    save_grid(drawn.pictures, tmp_path / "samples.png")
    assert (tmp_path / "samples.png").stat().st_size > 0


def test_how_long_it_takes_is_estimated_and_the_step_is_small():
    experiment = small_run()
    assert 0 < seconds_per_seed(experiment, Execution()) < 60
    assert 0 < operations_per_step(experiment) < SMALL_STEP


def test_where_a_concept_changes_nothing_no_capability_and_no_memorisation_is_claimed(tmp_path):
    """The null world: the two values of an axis share a point, so there is nothing to learn."""
    experiment, folder = small_run((0.5, 0.5), steps=200), tmp_path / "run"
    train_and_measure(experiment, folder, range(5))
    trajectory = join(read_measurements(folder, experiment).measurements)
    signals = concept_signal(experiment.world, experiment.space)
    plain = {name: {"signal": s.derivative, "finite": s.finite} for name, s in signals.items()}
    found = findings(trajectory, experiment.findings, signal=plain)
    verdicts = {claim.id: claim.verdict for claim in claims(found, trajectory)}
    assert verdicts["C3"] in ("does not hold", "inconclusive")
    assert verdicts["C5"] in ("does not hold", "inconclusive")
