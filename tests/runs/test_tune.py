"""How a run is computed: chosen once, recorded, and kept."""

import json

import pytest
import torch

from conceptspace import opening, runner, tune
from conceptspace.build import build_model
from conceptspace.concepts.settings import SettingsError
from conceptspace.folder import RunError, WrongFolder, read_execution
from conceptspace.load import load_run
from conceptspace.models.execution import Execution
from conceptspace.recipes.quick import quick
from conceptspace.tune import Trial, best_of, choose_execution, operations_per_step
from runs.tiny import DERIVED, SAME_BITS, contents, tiny_experiment

PLAIN, LAST = Execution(), Execution(channels_last=True)
HALF = Execution(precision="bfloat16", channels_last=True)


def test_the_operations_of_a_step_are_those_counted_by_hand():
    # 3 x 3 convolutions on 8 x 8 pixels: 3 to 8 channels and back, and two in each of four blocks.
    experiment = tiny_experiment()
    ends = 2 * 2 * 9 * 3 * 8 * 64
    blocks = 4 * 2 * 2 * 9 * 8 * 8 * 64
    counted = operations_per_step(experiment) / (3 * experiment.training.batch_size)
    assert counted == pytest.approx(ends + blocks, rel=0.05), "embeddings add little"


def test_a_small_model_is_plain_float32_and_nothing_is_timed(monkeypatch):
    monkeypatch.setattr(tune, "measure_trials", lambda *given: pytest.fail("was timed"))
    assert choose_execution(quick(), 2) == (Execution(), [])


def test_a_large_model_gets_an_equal_share_of_the_cores(monkeypatch):
    monkeypatch.setattr(tune, "SMALL_STEP", 0.0)
    monkeypatch.setattr(tune, "num_cores", lambda: 6)
    monkeypatch.setattr(
        tune, "measure_trials", lambda e, threads, p: [Trial(Execution(threads=threads), 1.0)]
    )
    assert choose_execution(quick(), 2)[0].threads == 3
    assert choose_execution(quick(), 12)[0].threads == 1


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [((1.0, 0.95, 0.85), PLAIN), ((1.0, 0.9, 0.8), LAST), ((1.0, 1.3, 0.5), HALF)],
)
def test_another_layout_or_precision_must_pay(seconds, chosen):
    trials = [Trial(way, each) for way, each in zip((PLAIN, LAST, HALF), seconds)]
    assert best_of(trials) == chosen


def test_a_gpu_that_is_not_there_is_refused():
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(SettingsError, match="torch sees no GPU here"):
        choose_execution(quick(), 1, device="cuda")
    with pytest.raises(SettingsError, match="tf32 is a GPU's"):
        choose_execution(quick(), 1, precision="tf32")


def test_a_gpu_captures_every_step_and_halves_large_models_alone():
    small, large = (tune.on_gpu(is_small, None) for is_small in (True, False))
    assert small.captured
    assert large.captured
    assert (small.precision, large.precision) == ("float32", "bfloat16")
    assert tune.on_gpu(False, "float32").precision == "float32"


@pytest.mark.parametrize(
    ("seeds", "per_process", "workers", "groups"),
    [
        (3, 1, 2, [(0,), (1,), (2,)]),
        (5, 20, 1, [(0, 1, 2, 3, 4)]),
        (5, 20, 2, [(0, 2, 4), (1, 3)]),
        (5, 2, 1, [(0, 3), (1, 4), (2,)]),
    ],
)
def test_seeds_share_processes_as_the_execution_says(seeds, per_process, workers, groups):
    way = Execution(seeds_per_process=per_process)
    assert runner.in_groups(range(seeds), way, workers) == groups


def test_seeds_that_share_a_process_are_the_same_bits_as_alone(tmp_path, monkeypatch):
    experiment = tiny_experiment()
    alone = runner.run(experiment, tmp_path / "alone", seeds=2)
    together = Execution(seeds_per_process=2)
    monkeypatch.setattr(opening, "choose_execution", lambda *given, **wanted: (together, []))
    shared = runner.run(experiment, tmp_path / "shared", seeds=2)
    assert contents(shared, [*SAME_BITS, *DERIVED]) == contents(alone, [*SAME_BITS, *DERIVED])


def test_a_run_of_a_gpu_does_not_go_on_without_one(tmp_path, monkeypatch):
    if torch.cuda.is_available():
        pytest.skip("there is one")
    monkeypatch.setattr(
        opening, "choose_execution", lambda *given, **wanted: (tune.on_gpu(True, None), [])
    )
    with pytest.raises(RunError, match=r"made on a GPU and goes on only on one.*--device cpu"):
        runner.run(tiny_experiment(), tmp_path / "run", seeds=1)


def test_every_way_is_timed_and_leaves_the_threads_as_they_were():
    threads = torch.get_num_threads()
    trials = tune.measure_trials(tiny_experiment(), 1, "float32")
    assert [trial.execution.channels_last for trial in trials] == [True, False]
    assert all(trial.seconds_per_image > 0 for trial in trials)
    assert torch.get_num_threads() == threads


def test_initial_weights_do_not_depend_on_how_they_are_computed_with():
    first, second = (build_model(tiny_experiment(), 0, way).state_dict() for way in (PLAIN, HALF))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_records_its_precision_and_keeps_it(tmp_path):
    experiment = tiny_experiment()
    run = runner.run(experiment, tmp_path / "run", seeds=1, precision="bfloat16")
    recorded = json.loads((run / "environment.json").read_text())["execution"]
    assert recorded == Execution(precision="bfloat16").model_dump(mode="json")
    assert load_run(run).model().network.execution.precision == "bfloat16"
    before = (run / "claims.json").read_bytes()
    runner.run(experiment, run, seeds=1)
    assert read_execution(run) == Execution(precision="bfloat16")
    assert (run / "claims.json").read_bytes() == before
    with pytest.raises(WrongFolder, match=r"was made with precision=bfloat16.*leave --precision"):
        runner.run(experiment, run, seeds=1, precision="float32")
    with pytest.raises(WrongFolder, match=r"threads=1.*not with threads=2"):
        runner.run(experiment, run, seeds=1, threads=2)
