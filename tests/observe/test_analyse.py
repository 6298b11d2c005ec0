import gc
import weakref

import pytest
import torch
from torch import nn

import conceptspace as cs
from conceptspace.cli import main
from conceptspace.observe.analyse import _spread
from observe.painter import MEASUREMENT, SPACE, Painter, batch, draw, read, train
from variational_autoencoder import ConditionalVAE, VAEAdapter

GIVEN = {
    "space": SPACE, "sample": draw, "probe": read, "measurement": MEASUREMENT,
    "findings": cs.FindingsSettings(num_resamples=100),
}  # fmt: skip


def load(path):
    model = Painter()
    model.load_state_dict(cs.read_weights(path))
    return model


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The checkpoints of a training that nobody watched."""
    folder = tmp_path_factory.mktemp("saved")

    def save(step, model):
        if step % 5 == 0:
            torch.save(model.state_dict(), folder / f"step={step}.pt")

    train(60, save)
    return folder


def measurements(folder):
    return {path.name: path.read_bytes() for path in folder.glob("seed=0/measurements/*.nc")}


@pytest.mark.usefixtures("without_figures")
def test_checkpoints_give_what_a_recorder_gives_in_the_loop(saved, tmp_path):
    recorder = cs.Recorder(
        SPACE, tmp_path / "run", sample=draw, probe=read, every=5,
        measurement=MEASUREMENT, findings=GIVEN["findings"],
    )  # fmt: skip
    train(60, recorder)
    cs.analyse(saved, tmp_path / "later", load=load, **GIVEN)
    assert measurements(tmp_path / "later") == measurements(tmp_path / "run")
    assert len(measurements(tmp_path / "run")) == 13


class StoppedHere(Exception):
    pass


@pytest.mark.usefixtures("without_figures")
def test_a_stopped_analysis_goes_on_and_ends_with_the_same_bits(saved, tmp_path):
    calls = []

    def load_some(path):
        calls.append(path.name)
        if len(calls) == 6:
            raise StoppedHere
        return load(path)

    with pytest.raises(cs.RunError, match=r"load failed at step \d+ \(.*\): StoppedHere"):
        cs.analyse(saved, tmp_path / "run", load=load_some, **GIVEN)
    cs.analyse(saved, tmp_path / "run", load=load_some, **GIVEN)
    assert len(calls) == 6 + 8  # five were measured, and are not loaded again
    cs.analyse(saved, tmp_path / "whole", load=load, **GIVEN)
    for name in ("trajectory.csv", "findings.json", "claims.json"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.usefixtures("without_figures")
def test_one_checkpoint_is_in_memory_at_a_time(tmp_path):
    alive = []

    def pairs():
        for step in range(0, 200, 25):
            gc.collect()
            assert sum(reference() is not None for reference in alive) <= 1
            model = Painter()
            alive.append(weakref.ref(model))
            yield step, model

    cs.analyse(pairs(), tmp_path / "run", load=lambda model: model, **GIVEN)
    assert len(alive) == 8


@pytest.mark.usefixtures("without_figures")
def test_raw_and_averaged_weights_lie_side_by_side(saved, tmp_path):
    def both(path):
        return {"raw": load(path), "ema": Painter()}

    pairs = cs.find_checkpoints(saved)[:4]
    folders = cs.analyse(pairs, tmp_path / "run", load=both, **GIVEN)
    assert [folder.name for folder in folders] == ["raw", "ema"]
    raw, ema = (cs.load_run(folder).trajectory for folder in folders)
    assert not raw.coordinate.equals(ema.coordinate)
    loads = []
    cs.analyse(pairs, tmp_path / "run", load=loads.append, **GIVEN)
    assert loads == []


@pytest.mark.usefixtures("without_figures")
def test_it_looks_again_where_the_held_out_class_moved_most(saved, tmp_path):
    pairs = cs.find_checkpoints(saved)
    (folder,) = cs.analyse(pairs, tmp_path / "run", load=load, first=4, look_again=3, **GIVEN)
    measured = [int(step) for step in cs.load_run(folder).trajectory.step]
    whole = cs.load_run(cs.analyse(pairs, tmp_path / "whole", load=load, **GIVEN)[0]).trajectory
    path = whole.coordinate.sel({"concept_class": "11", "method": "naive"}).isel(strength=0)
    path = path.mean(["seed", "sample"])
    moved = {
        (low, high): float(((path.sel(step=high) - path.sel(step=low)) ** 2).sum())
        for low, high in zip((0, 5, 25), (5, 25, 60))
    }
    low, high = max(moved, key=moved.get)
    assert len(measured) == 7
    assert {0, 60} <= set(measured)
    if high - low > 5:
        assert any(low < step < high for step in measured)


def test_a_coarse_look_has_the_ends_and_no_step_twice():
    assert _spread([0, 1, 2, 3, 100], 3) == [0, 3, 100]
    assert _spread(list(range(10)), 20) == list(range(10))
    for num in range(3, 9):
        chosen = _spread([0, 10, 11, 12, 500, 501, 1000, 9000, 9001], num)
        assert len(set(chosen)) == num
        assert chosen[0] == 0
        assert chosen[-1] == 9001


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"first": 2}, "first must be at least 3"),
        ({"look_again": 3}, "needs first"),
        ({"pattern": "epoch{step}"}, "nothing in"),
        ({"sample": None}, "either sample"),
    ],
)
def test_bad_arguments_are_refused(changes, message, saved, tmp_path):
    with pytest.raises((ValueError, cs.RunError), match=message):
        cs.analyse(saved, tmp_path / "run", load=load, **(GIVEN | changes))


@pytest.mark.parametrize(
    ("loaded", "message"),
    [
        ({"weight": torch.zeros(3)}, "dictionary of tensors: make a model"),
        ({"../up": None}, "'../up': each model's word names a folder"),
    ],
)
def test_what_load_returned_is_checked(loaded, message, tmp_path):
    with pytest.raises(cs.SettingsError, match=message):
        cs.analyse([(0, None)], tmp_path / "run", load=lambda path: loaded, **GIVEN)


def test_a_step_below_0_is_refused(tmp_path):
    with pytest.raises(cs.SettingsError, match="a step must be 0 or more"):
        cs.analyse([(-1, None)], tmp_path / "run", load=lambda path: path, **GIVEN)


class Generator(nn.Module):
    """A conditional generator as of a GAN."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Linear(4, 8)
        self.paint = nn.Linear(8, 3)

    def forward(self, embedded, noise):
        return self.paint(embedded + noise).sigmoid()[:, :, None, None].expand(-1, -1, 4, 4)


class GeneratorAdapter:
    """The whole adapter of a GAN."""

    def __init__(self, model):
        self.model = model

    def encode(self, vectors):
        return {"embedding": self.model.embedding(vectors).detach()}

    def sample(self, conditioning, generator):
        noise = torch.randn(conditioning["embedding"].shape, generator=generator)
        return self.model(conditioning["embedding"], noise).detach()

    def sites(self):
        return ("embedding",)

    def conditioning_parameters(self):
        return dict(self.model.embedding.named_parameters())

    def sample_noise(self):
        return 0.0


def test_a_gan_is_steered_and_reported(tmp_path):
    def train_gan():
        """Both nets learn in turns; what the discriminator sees is the patch's colour."""
        generator, discriminator = Generator(), nn.Linear(3 + 4, 1)
        learns = torch.optim.Adam(generator.parameters(), 0.02)
        judges = torch.optim.Adam(discriminator.parameters(), 0.02)
        for step in range(4):
            yield step, generator
            vectors, colours = batch(step)
            made = generator(generator.embedding(vectors), torch.randn(len(vectors), 8))[..., 0, 0]
            for optimiser, shown, sign in ((judges, colours, -1), (judges, made.detach(), 1),
                                           (learns, made, -1)):  # fmt: skip
                optimiser.zero_grad()
                (sign * discriminator(torch.cat([shown, vectors], 1)).mean()).backward()
                optimiser.step()

    steering = (cs.LatentSteering(concept="colour", strengths=(1.0, 2.0)),)
    given = {**GIVEN, "sample": None, "adapt": GeneratorAdapter, "elicitation": steering}
    (folder,) = cs.analyse(train_gan(), tmp_path / "gan", load=lambda model: model, **given)
    run = cs.load_run(folder)
    assert "latent-steering/random-direction" in run.trajectory.method
    assert (folder / "report.html").stat().st_size > 10_000


@pytest.mark.usefixtures("without_figures")
def test_a_variational_autoencoder_is_steered_from_its_checkpoints(tmp_path):
    def train_autoencoder():
        model = ConditionalVAE((3, 4, 4), 4)
        optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
        for step in range(4):
            yield step, model
            vectors, colours = batch(step)
            images = colours[:, :, None, None].expand(-1, -1, 4, 4)
            optimiser.zero_grad()
            model.loss(images, vectors, torch.Generator().manual_seed(step)).backward()
            optimiser.step()

    steering = (cs.LatentSteering(concept="light", strengths=(1.0,)),)
    given = {**GIVEN, "sample": None, "adapt": VAEAdapter, "elicitation": steering}
    (folder,) = cs.analyse(train_autoencoder(), tmp_path / "vae", load=lambda m: m, **given)
    path = cs.load_run(folder).trajectory.coordinate.sel({"concept_class": "11"}).isel(strength=0)
    steered, naive = (path.sel({"method": m}) for m in ("latent-steering", "naive"))
    assert path.step.values.tolist() == [0, 1, 2, 3]
    assert not steered.equals(naive)


def test_the_command_takes_an_adapter_from_a_module(saved, tmp_path, monkeypatch, capsys):
    (tmp_path / "mine.py").write_text(
        "from observe.test_analyse import GIVEN, load\n"
        "adapter = dict(GIVEN, load=load)\n"
        "wrong = 3\n"
        "strange = dict(GIVEN, lode=load)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    command = ["analyse", str(saved), "--adapter", "mine:adapter", "--out", "run", "--first", "4"]
    assert main(command) == 0
    assert "run/report.html" in capsys.readouterr().out
    for adapter, message in (
        ("mine", "a module and a name in it"),
        ("missing:adapter", "no module 'missing'"),
        ("missing.py:adapter", "write missing:adapter"),
        ("mine:other", "has no 'other'"),
        ("mine:wrong", "must be a dictionary"),
        ("mine:strange", "lode"),
    ):
        assert main(["analyse", str(saved), "--adapter", adapter, "--out", "other"]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "other").exists()
