import torch

from conceptspace.data.dataset import draw_dataset
from conceptspace.data.streams import numpy_stream
from conceptspace.measure.recorder import CheckpointRecorder
from conceptspace.measure.store import join
from small import PROMPTER, WORLD
from variational_autoencoder import ConditionalVAE, VAEAdapter


def train_autoencoder(recorder=None, num_steps=6):
    """A loop that knows nothing of this package, but for the recorder's line."""
    torch.manual_seed(3)
    data = draw_dataset(WORLD, PROMPTER, ("00", "01", "10"), 32, numpy_stream(0, "data"))
    model = ConditionalVAE(WORLD.image_shape, PROMPTER.width)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for step in range(1, num_steps + 1):
        rows = torch.randperm(len(data))[:16]
        noise = torch.Generator().manual_seed(step)
        loss = model.loss(data.images[rows], data.vectors[rows], noise)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if recorder is not None:
            recorder(step, model)
    return model


def make_recorder(instrument, folder, steps=(2, 6), **options):
    return CheckpointRecorder(instrument, VAEAdapter, folder, steps, **options)


def test_a_foreign_loop_is_recorded_at_the_steps_asked_for(instrument, tmp_path):
    recorder = make_recorder(instrument, tmp_path)
    train_autoencoder(recorder)
    assert recorder.store.steps() == [2, 6]


def test_a_foreign_loop_trains_to_the_same_bits_with_and_without_a_recorder(instrument, tmp_path):
    with_recorder = train_autoencoder(make_recorder(instrument, tmp_path)).state_dict()
    without = train_autoencoder().state_dict()
    assert all(torch.equal(with_recorder[name], without[name]) for name in without)


def test_the_models_own_modes_are_restored(instrument, tmp_path, vdm):
    from conceptspace.adapters.native import NativeAdapter

    vdm.train()
    vdm.network.middle[0].eval()
    recorder = CheckpointRecorder(
        instrument, lambda model: NativeAdapter(model, WORLD.image_shape), tmp_path, [1]
    )
    recorder(1, vdm)
    assert vdm.training
    assert vdm.network.down[0][0].training
    assert not vdm.network.middle[0].training


def test_what_is_measured_already_is_not_measured_again(instrument, tmp_path):
    model = train_autoencoder()
    recorder = make_recorder(instrument, tmp_path)
    assert recorder(2, model)
    assert not recorder(2, model)


def test_a_damaged_measurement_is_reported_and_made_again(instrument, tmp_path):
    model, messages = train_autoencoder(), []
    recorder = make_recorder(instrument, tmp_path, on_damage=messages.append)
    recorder(2, model)
    path = next(tmp_path.glob("measurements/*.nc"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    assert recorder(2, model)
    assert path.read_bytes() == whole
    assert len(messages) == 1
    assert path.name in messages[0]
    assert "measuring step 2 again" in messages[0]


def test_measurements_of_several_steps_and_seeds_join_to_a_trajectory(instrument, tmp_path):
    measurements = []
    for seed in (0, 1):
        recorder = make_recorder(instrument, tmp_path / str(seed), seed=seed)
        train_autoencoder(recorder)
        measurements.append([recorder.store.read(step) for step in recorder.store.steps()])
    trajectory = join(measurements)
    assert trajectory.seed.values.tolist() == [0, 1]
    assert trajectory.step.values.tolist() == [2, 6]
    assert "thumbnail" not in trajectory
    assert trajectory.strength_value.dims == ("method", "strength")
    picked = trajectory.coordinate.sel(seed=1, step=6)
    assert picked.equals(measurements[1][1].coordinate.squeeze(["seed", "step"]))
