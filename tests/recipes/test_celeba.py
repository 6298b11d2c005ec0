"""The paper's experiments on faces: their numbers, and one of them all the way on a miniature."""

import re

import pytest

from celeba import make_celeba
from conceptspace.build import build_model
from conceptspace.cli import main
from conceptspace.derived import derive
from conceptspace.experiment import Experiment
from conceptspace.folder import open_run
from conceptspace.models.settings import SharedEmbedding
from conceptspace.opening import ensure_probe
from conceptspace.options import BAD_USAGE, DONE, FAILED
from conceptspace.progress import Silent
from conceptspace.recipes import recipe, settings
from conceptspace.sweeps import sweep as sweeping
from conceptspace.sweeps.directory import read_plan
from conceptspace.sweeps.sweep import sweep
from conceptspace.worker import run_seeds
from recipes.reduced import reduced
from sweeps.fake import Pretending

PAIRS = settings("celeba")


@pytest.mark.parametrize("pair", PAIRS)
def test_the_numbers_are_the_published(pair):
    made = PAIRS[pair]
    assert made.scale == "paper"
    assert made.world.image_shape == (3, 64, 64)
    assert made.split.held_out(made.space) == ("11",)
    assert made.prompter.width == 4
    assert made.model.embedding == SharedEmbedding(width=64, starts_at_zero=True)
    assert (made.model.num_groups, made.model.initial_scale) == (4, 0.02)
    assert made.training.weight_decay == 1e-5
    assert made.training.images_per_class == 30_000
    assert len(made.steps) == 61
    assert (made.steps[1], made.steps[-1]) == (500, 2_000_000)
    assert made.probe.widths == (64, 64, 128)
    assert Experiment.from_json(made.to_json()) == made


def test_thirty_thousand_are_left_beside_those_that_judge():
    world = PAIRS["male-smiling"].world
    assert world.images_per_class - round(world.judged_share * world.images_per_class) == 30_000
    assert PAIRS["male-wearing_hat"].world.images_per_class is None


def test_the_network_starts_small_with_linear_maps_of_zero():
    network = build_model(PAIRS["male-smiling"], seed=0).network
    assert [layer.out_features for layer in network.shared_embedding if hasattr(layer, "bias")] == [
        64,
        64,
    ]
    for block in network.blocks().values():
        assert block.condition.weight.shape[1] == 64
        assert not block.condition.weight.any()
        assert block.norm1.num_groups == 4


def shrunken(name, path):
    made = reduced(recipe(name), steps=2)
    return made.replace(
        world=made.world.replace(path=str(path), image_size=16),
        model=made.model.replace(widths=(8, 16), num_blocks=1, num_heads=0),
        training=made.training.replace(images_per_class=30),
    )


def test_faces_with_hats_go_all_the_way_to_the_report(tmp_path):
    data, out = make_celeba(tmp_path / "celeba", 400), tmp_path / "run"
    made = shrunken("celeba:male-wearing_hat", data).identified()
    assert made.world.fingerprint is not None
    open_run(out, made)
    ensure_probe(out, made, Silent())
    run_seeds(made, out, [0])
    found = derive(out)
    assert "female hat" in (out / "report.html").read_text()
    assert {claim["verdict"] for claim in found["claims"]} == {"inconclusive"}


def test_a_recipe_without_the_data_says_what_to_give(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["run", "celeba:male-smiling"]) == FAILED
    message = capsys.readouterr().err
    assert "say where it is, as in --world.path DIR" in message
    assert not list(tmp_path.iterdir())


def test_the_command_line_takes_the_path(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["run", "celeba:male-smiling", "--world.path", "nowhere"]) == FAILED
    assert "nowhere must be the folder with img_align_celeba" in capsys.readouterr().err


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """A list of two pairs without a path, in a working directory with the data."""
    monkeypatch.chdir(tmp_path)
    make_celeba(tmp_path / "faces", 400)
    pairs = [shrunken(f"celeba:{pair}", "") for pair in ("male-smiling", "male-wearing_hat")]
    described = ", ".join(made.to_json() for made in pairs)
    (tmp_path / "pairs.json").write_text(f"[{described}]")
    return tmp_path


def test_a_sweep_takes_the_path_of_the_data_for_all_pairs(listed, monkeypatch, capsys):
    def pretend(entries, folder, **named):
        return sweep(entries, folder, seeds=named["seeds"], executor=Pretending())

    monkeypatch.setattr(sweeping, "sweep", pretend)
    line = ["sweep", "pairs.json", "--world.path", "faces", "--world.cache", "kept", "--seeds", "1"]
    assert main(line) == DONE
    runs = read_plan(listed / "sweeps/pairs").runs
    assert {run.experiment.world.path for run in runs} == {"faces"}
    assert {run.experiment.world.pair for run in runs} == {"male-smiling", "male-wearing_hat"}
    assert (listed / "kept").is_dir()
    assert "reading images: " in capsys.readouterr().out
    assert not (listed / "faces/conceptspace-cache").exists()
    assert main(["sweep", "sweeps/pairs"]) == DONE


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("sweep celeba", "male-smiling: world.path: CelebA is not part of this .*--world.path"),
        ("sweep celeba --world.path faces", "male-smiling: class .* set training.images_per_class"),
        ("sweep celeba --world.path no", "world.path: no must be the folder with img_align_celeba"),
        ("sweep celeba:male-smiling --world.path faces", "run celeba:male-smiling`"),
        ("sweep grid --world.path faces", "--world.path: no world of grid reads .*: leave it out"),
        ("sweep grid --world.cache faces", "--world.cache: no world of grid reads"),
    ],
)
def test_a_sweep_says_what_is_wrong_with_the_data_it_is_given(line, message, listed, capsys):
    assert main(line.split()) == BAD_USAGE
    assert re.search(message, capsys.readouterr().err)
    assert not (listed / "sweeps").exists()
