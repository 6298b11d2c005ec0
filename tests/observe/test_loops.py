"""Loops of Lightning and of accelerate: they are recorded and not disturbed."""

import warnings

import pytest
import torch

import conceptspace as cs
from observe.painter import MEASUREMENT, SPACE, Painter, batch, draw, read


def make(out, **changes):
    given = {"sample": draw, "probe": read, "every": 2, "measurement": MEASUREMENT}
    return cs.Recorder(SPACE, out, **(given | changes))


def train_with_lightning(callbacks):
    lightning = pytest.importorskip("lightning.pytorch")

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.painter = Painter()

        def training_step(self, pair, index):
            vectors, colours = pair
            images = self.painter(vectors, torch.randn(len(vectors), 8))
            return (images[:, :, 0, 0] - colours).square().mean()

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), lr=0.05)

    torch.manual_seed(0)
    module = Module()
    data = torch.utils.data.TensorDataset(*batch(0, 48))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning has advice on loaders and loggers
        trainer = lightning.Trainer(
            max_epochs=2, accelerator="cpu", callbacks=callbacks, logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(module, torch.utils.data.DataLoader(data, batch_size=16, shuffle=True))
    return module.painter.state_dict()


def test_a_lightning_loop_is_recorded_and_trains_to_the_same_bits(tmp_path):
    plain = train_with_lightning([])
    recorder = make(tmp_path / "run")
    watched = train_with_lightning([cs.concept_callback(recorder, lambda module: module.painter)])
    assert recorder.steps == [0, 2, 4, 6]
    assert all(torch.equal(plain[name], watched[name]) for name in plain)


class Accelerator:
    """What the function uses of `accelerate.Accelerator`."""

    def __init__(self, is_main_process=True):
        self.is_main_process, self.waited = is_main_process, 0

    def unwrap_model(self, wrapped):
        return wrapped[0]

    def wait_for_everyone(self):
        self.waited += 1


def test_the_main_process_records_what_accelerate_has_wrapped(tmp_path):
    recorder, main, other = make(tmp_path / "run"), Accelerator(), Accelerator(False)
    wrapped = [Painter()]
    assert cs.record_accelerated(recorder, 2, wrapped, main)
    assert not cs.record_accelerated(recorder, 3, wrapped, main)
    assert not cs.record_accelerated(recorder, 4, wrapped, other)
    assert recorder.steps == [2]
    assert (main.waited, other.waited) == (2, 1)


def test_a_real_accelerator_and_averaged_weights(tmp_path):
    accelerate = pytest.importorskip("accelerate")
    training = pytest.importorskip("diffusers.training_utils")
    model = Painter()
    average = training.EMAModel(model.parameters(), decay=0.5)
    accelerator = accelerate.Accelerator(cpu=True)
    wrapped = accelerator.prepare(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    raw = {name: value.clone() for name, value in model.state_dict().items()}
    seen = []

    def draw_and_look(model, vectors, generator):
        seen.append(float(model.paint[0].bias[0].detach()))
        return draw(model, vectors, generator)

    recorder = make(tmp_path / "run", sample=draw_and_look)
    assert cs.record_accelerated(recorder, 2, wrapped, accelerator, average=average)
    assert all(torch.equal(raw[name], value) for name, value in model.state_dict().items())
    assert set(seen) == {float(average.shadow_params[3][0])}
