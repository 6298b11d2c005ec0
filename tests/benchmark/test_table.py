"""The benchmark at a size that takes no time, beside a stand-in for the published code."""

import json

import numpy as np
import pytest
import torch

from conceptspace.benchmark import table, timing
from conceptspace.benchmark.contenders import Sizes, computing_as, official, our_step
from conceptspace.benchmark.table import Benchmark
from conceptspace.cli import main
from conceptspace.concepts.settings import SettingsError
from conceptspace.models.execution import Execution
from conceptspace.models.settings import UNetSettings
from conceptspace.tune import on_gpu

TINY = Sizes(
    network=UNetSettings(widths=(8, 16), num_blocks=1, num_groups=4, num_heads=2, time_features=8),
    image_size=8,
    batch=4,
    num_elicited=8,
)
WAYS = {"plain": Execution(), "fp32": Execution(channels_last=True), "best": Execution()}
MODELS = """
import torch


class GenVDiff(torch.nn.Module):
    def __init__(self, net, beta_settings, data_noise):
        super().__init__()
        self.net = net

    def get_loss(self, c, x):
        return (self.net(x) - x).square().mean()

    def generate(self, c, T):
        return self.net(torch.zeros(len(c), 3, 8, 8))
"""
NETWORKS = """
import torch


def CUNet(**settings):
    return torch.nn.Conv2d(3, 3, 1)
"""


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    networks = tmp_path / "mltools" / "networks"
    networks.mkdir(parents=True)
    (tmp_path / "models.py").write_text(MODELS)
    (networks / "networks.py").write_text(NETWORKS)
    for name in ("models", "mltools", "mltools.networks", "mltools.networks.networks"):
        monkeypatch.delitem(__import__("sys").modules, name, raising=False)
    return tmp_path


def test_every_job_has_a_row_and_its_ratio_is_that_of_its_times(checkout):
    timed = Benchmark(WAYS, TINY, checkout, rounds=1)
    rows = {row.row: row for row in timed.rows()}
    assert list(rows) == ["train_step", "train_step_fp32", "sampling", "elicitation", "run"]
    for row in rows.values():
        assert row.ratio == pytest.approx(row.official_s / row.ours_s)
        assert row.peak_memory_bytes is None
    assert rows["train_step"].eager_s == rows["train_step"].ours_s, "plain is the best here"
    assert rows["train_step_fp32"].way == "CPU, float32, channels last, 1 thread a process"
    assert 0 < rows["train_step"].utilisation < 1
    batches = 60 * 256 / 4 * 50 / 2
    whole = 20_000 * rows["train_step"].ours_s + batches * rows["sampling"].ours_s
    assert rows["run"].ours_s == pytest.approx(whole)


def test_without_the_published_code_there_are_no_ratios():
    timed = Benchmark(WAYS, TINY, None, rounds=1)
    rows = [*timed.rows(), *timed.ensemble((1, 2), None)]
    assert all(row.ratio is None and row.official_s is None for row in rows)
    assert [row.row for row in rows[-2:]] == ["ensemble_1", "ensemble"]


def test_contenders_take_turns_after_a_round_that_does_not_count():
    called = []
    calls = {name: lambda name=name: called.append(name) for name in "ab"}
    seconds = timing.timed_in_turn(calls, 2, "cpu", repeats=2)
    assert "".join(called) == "aabb" * 3
    assert {name: len(each) for name, each in seconds.items()} == {"a": 2, "b": 2}


def test_operations_of_the_published_size_are_those_that_are_known():
    step = our_step(Execution(), Sizes(batch=1))
    assert timing.operations(step) * 64 == pytest.approx(447e9, rel=0.01)


def test_a_folder_that_is_no_checkout_is_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"is no checkout .* must hold models.py"):
        official(tmp_path, TINY, "cpu")


def test_what_the_published_code_lacks_is_told(checkout):
    (checkout / "models.py").write_text("import a_package_that_nobody_has")
    with pytest.raises(SettingsError, match=r"a_package_that_nobody_has.*PYTHONPATH"):
        official(checkout, TINY, "cpu")


def test_the_command_prints_a_table_and_saves_it(checkout, tmp_path, monkeypatch, capsys):
    threads = torch.get_num_threads()
    monkeypatch.setattr("conceptspace.benchmark.contenders.Sizes", lambda: TINY)
    monkeypatch.setattr(table, "ways_here", lambda threads: WAYS)
    saved = tmp_path / "table.json"
    line = ["benchmark", "--official", str(checkout), "--json", str(saved), "--rounds", "1"]
    assert main([*line, "--members", "2"]) == 0
    rows = json.loads(saved.read_text())
    assert {row["row"] for row in rows} == {
        "train_step", "train_step_fp32", "sampling", "elicitation", "run", "ensemble",
    }  # fmt: skip
    assert all(np.isfinite(row["ours_s"]) for row in rows)
    assert "TF32" in capsys.readouterr().out
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rounds", "0"], "--rounds must be at least 1, not 0"),
        (["--members", "0"], "--members must be at least 1, not 0"),
        (["--official", "/no/such/place"], "/no/such/place is no checkout"),
        (["--json", "/no/such/place/table.json"], None),
    ],
)
def test_bad_options_are_refused_before_anything_is_timed(options, message, capsys, tmp_path):
    if message is None:
        (tmp_path / "file").write_text("")
        options, message = ["--json", str(tmp_path / "file" / "t.json")], "is not a folder"
    assert main(["benchmark", *options]) == 2
    assert message in capsys.readouterr().err


def test_ours_has_a_runs_settings_and_the_published_code_torchs_own(monkeypatch):
    def settings():
        backends = torch.backends
        return (
            torch.are_deterministic_algorithms_enabled(),
            torch.utils.deterministic.fill_uninitialized_memory,
            backends.cuda.matmul.allow_tf32,
            backends.cudnn.allow_tf32,
            torch.get_num_threads(),
        )

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    before = settings()
    with computing_as(on_gpu(False, "tf32")):
        assert settings()[:4] == (True, False, True, True)
    assert settings() == before
    with computing_as(on_gpu(False, "bfloat16")):
        assert settings()[:4] == (True, False, False, False)
    assert settings() == before
