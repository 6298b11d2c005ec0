"""What is timed: ours in several ways, and the published code from a checkout that the user has."""

import contextlib
import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from conceptspace.concepts.settings import SettingsError
from conceptspace.data.dataset import Dataset
from conceptspace.models.execution import Execution
from conceptspace.models.network import placed
from conceptspace.models.settings import DiffusionSettings, UNetSettings
from conceptspace.models.unet import UNet
from conceptspace.models.vdm import VDM
from conceptspace.training.captured import CapturedStep, Lane
from conceptspace.training.settings import TrainingSettings
from conceptspace.training.state import TrainingState
from conceptspace.training.step import EagerStep, Step
from conceptspace.worker import set_up

CONDITION_WIDTH = 11  # published


@dataclass(frozen=True)
class Sizes:
    """What is computed; the defaults are the paper's, but for the steps of a timed sampling.

    Attributes:
        network: the U-Net.
        image_size: height and width in pixels.
        batch: images of a training step, and sampled at once by the published code.
        sampling_steps: of a timed sampling; each step costs the same.
        num_elicited: images of one method at all its strengths at a checkpoint.
    """

    network: UNetSettings = field(default_factory=UNetSettings)
    image_size: int = 32
    batch: int = 64
    sampling_steps: int = 2
    num_elicited: int = 320

    @property
    def shape(self) -> tuple[int, int, int]:
        return (3, self.image_size, self.image_size)


@dataclass(frozen=True)
class Contender:
    """One implementation, ready to be called.

    Attributes:
        step: computes a training step; on a GPU it may return before that is done.
        sample: samples so many images, in the implementation's own batches.
    """

    step: Callable[[], object]
    sample: Callable[[int], object]


def made_up_data(sizes: Sizes, num: int = 256) -> Dataset:
    """Random images and conditions; what they show does not change the time."""
    draws = torch.Generator().manual_seed(0)
    vectors = torch.rand(num, CONDITION_WIDTH, generator=draws)
    images = torch.rand(num, *sizes.shape, generator=draws)
    return Dataset(images, vectors, vectors, torch.zeros(num, 1, dtype=torch.int64))


def our_step(execution: Execution, sizes: Sizes, seed: int = 0, lane: Lane | None = None) -> Step:
    """A training step of ours, with everything that a run's has."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = UNet(sizes.shape[0], CONDITION_WIDTH, sizes.network)
    settings = DiffusionSettings(sampling_steps=sizes.sampling_steps)
    model = placed(VDM(network, settings), execution)
    state = TrainingState(model, TrainingSettings(batch_size=sizes.batch))
    if execution.captured:
        return CapturedStep(state, made_up_data(sizes), seed, lane or Lane.open())
    return EagerStep(state, made_up_data(sizes), seed)


@contextlib.contextmanager
def computing_as(execution: Execution) -> Iterator[None]:
    """What torch keeps for a whole process is, inside the block, as in a run.

    The published code is timed in the same process, with torch's own settings: neither
    deterministic kernels nor another TF32 than torch's default may slow it down.
    """
    if execution.device == "cpu":
        yield
        return
    deterministic: Any = torch.utils.deterministic
    threads, filled = torch.get_num_threads(), deterministic.fill_uninitialized_memory
    in_products = torch.backends.cuda.matmul.allow_tf32
    in_convolutions = torch.backends.cudnn.allow_tf32
    set_up(execution)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(False)
        deterministic.fill_uninitialized_memory = filled
        torch.backends.cuda.matmul.allow_tf32 = in_products
        torch.backends.cudnn.allow_tf32 = in_convolutions


def ours(execution: Execution, sizes: Sizes, sampling_batch: int = 512) -> Contender:
    """Ours, computed in one way, as in a run."""
    with computing_as(execution):
        step = our_step(execution, sizes)
    model = step.state.model
    generator = torch.Generator(execution.device).manual_seed(0)

    def take_step() -> None:
        with computing_as(execution):
            step()

    @torch.no_grad()
    def sample(num: int) -> None:
        model.eval()
        with computing_as(execution):
            for start in range(0, num, sampling_batch):
                rows = min(sampling_batch, num - start)
                vectors = torch.rand(rows, CONDITION_WIDTH).to(execution.device)
                model.sample(model.condition(vectors), sizes.shape, generator)
        model.train()

    return Contender(take_step, sample)


def official(checkout: Path, sizes: Sizes, device: str) -> Contender:
    """The published code at the same sizes, with its own loss, optimiser and clipping.

    Raises:
        SettingsError: if it cannot be imported; the message says what is missing.
    """
    models, networks = _imported(checkout)
    network = networks.CUNet(
        shape=sizes.shape,
        chs=list(sizes.network.widths),
        init_scale=1.0,
        mid_attn=True,
        num_res_blocks=sizes.network.num_blocks,
        v_conditioning_dims=[CONDITION_WIDTH],
        v_conditioning_type="sep_mlp",
        t_conditioning=True,
    )
    schedule = {
        "type": "logsnr", "noise_schedule": "learned_linear", "gamma_min": -5.0, "gamma_max": 10.0,
    }  # fmt: skip
    model = models.GenVDiff(net=network, beta_settings=schedule, data_noise=1e-3).to(device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    data = made_up_data(sizes, sizes.batch)

    def step() -> None:
        model.train()
        loss = model.get_loss(c=data.vectors.to(device), x=data.images.to(device))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.01)
        optimiser.step()
        loss.item()

    def sample(num: int) -> None:
        model.eval()
        for start in range(0, num, sizes.batch):
            vectors = torch.rand(min(sizes.batch, num - start), CONDITION_WIDTH)
            model.generate(vectors.to(device), T=sizes.sampling_steps)

    return Contender(step, sample)


def _imported(checkout: Path):
    """The two modules of the published code that are needed."""
    check_checkout(checkout)
    sys.path.insert(0, str(checkout))
    try:
        return importlib.import_module("models"), importlib.import_module(
            "mltools.networks.networks"
        )
    except ImportError as error:
        raise SettingsError(
            f"official: {checkout} cannot be imported ({error}): install what it needs, or put a "
            "stand-in on PYTHONPATH (of Lightning it only needs the name "
            "lightning.pytorch.LightningModule)"
        ) from error
    finally:
        sys.path.remove(str(checkout))


def check_checkout(checkout: Path) -> None:
    """Refuse a folder that does not hold the published code, before anything is timed.

    Raises:
        SettingsError: if it does not.
    """
    if not (checkout / "mltools").is_dir() or not (checkout / "models.py").is_file():
        raise SettingsError(
            f"official: {checkout} is no checkout of the paper's code: it must hold models.py and "
            "the folder mltools"
        )
