"""Training step and sampling at the paper's size, against the code that was published with it.

    python benchmarks/against_official.py [--official CHECKOUT] [--json FILE] [--threads N]

CHECKOUT is a copy of the paper's repository; nothing of it is part of this package. It imports
`tqdm` and Lightning; where they are not installed, put stand-ins on PYTHONPATH. Each round times
every contender once, one after the other, so that a machine whose speed drifts is fair to all;
ratios are medians over the rounds' own ratios. Everything is float32 without TF32 but where it says
otherwise, batch 64, the published network with 11 conditioning entries.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from conceptspace.data.dataset import Dataset
from conceptspace.models.execution import Execution
from conceptspace.models.settings import DiffusionSettings, UNetSettings
from conceptspace.models.unet import UNet, placed
from conceptspace.models.vdm import VDM
from conceptspace.training.settings import TrainingSettings
from conceptspace.training.state import TrainingState
from conceptspace.training.step import training_step

BATCH, SHAPE, WIDTH = 64, (3, 32, 32), 11
SAMPLING_STEPS = 2  # each costs the same; the published 50 take 25 times as long


def matrix_rate(dtype, size=2048, repeats=4):
    """Floating-point operations a second of a square matrix product."""
    first, second = (torch.randn(size, size).to(dtype) for _ in range(2))
    first @ second
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        first @ second
        times.append(time.perf_counter() - started)
    return 2 * size**3 / min(times)


def ours(execution):
    """A training step, and sampling of a batch, as two functions without arguments."""
    torch.manual_seed(0)
    settings = DiffusionSettings(sampling_steps=SAMPLING_STEPS)
    model = placed(VDM(UNet(SHAPE[0], WIDTH, UNetSettings()), settings), execution)
    state = TrainingState(model, TrainingSettings())
    vectors = torch.rand(BATCH, WIDTH)
    batch = Dataset(torch.rand(BATCH, *SHAPE), vectors, vectors, torch.zeros(BATCH, 1))
    generator = torch.Generator().manual_seed(0)

    def step():
        training_step(model, state.optimiser, batch, generator, state.settings)

    @torch.no_grad()
    def sample():
        model.eval().sample(model.condition(vectors), SHAPE, generator)

    return step, sample


def official(checkout):
    """The same of the published code, with its own settings."""
    sys.path.insert(0, str(checkout))
    from mltools.networks import networks

    import models

    network = networks.CUNet(
        shape=SHAPE,
        chs=[64, 128, 256],
        init_scale=1.0,
        mid_attn=True,
        num_res_blocks=2,
        v_conditioning_dims=[WIDTH],
        v_conditioning_type="sep_mlp",
        t_conditioning=True,
    )
    schedule = {
        "type": "logsnr", "noise_schedule": "learned_linear", "gamma_min": -5.0, "gamma_max": 10.0,
    }  # fmt: skip
    model = models.GenVDiff(net=network, beta_settings=schedule, data_noise=1e-3)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    images, vectors = torch.rand(BATCH, *SHAPE), torch.rand(BATCH, WIDTH)

    def step():
        model.train()
        loss = model.get_loss(c=vectors, x=images)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.01)
        optimiser.step()
        loss.item()

    def sample():
        model.eval()
        model.generate(vectors, T=SAMPLING_STEPS)

    return step, sample


def timed_in_turn(contenders, rounds):
    """Seconds of each contender, (contender, round); one untimed round comes first."""
    seconds = np.empty((len(contenders), rounds + 1))
    for i in range(rounds + 1):
        for j, call in enumerate(contenders.values()):
            started = time.perf_counter()
            call()
            seconds[j, i] = time.perf_counter() - started
        print(f"round {i}: {', '.join(f'{s:.2f}' for s in seconds[:, i])} s", file=sys.stderr)
    return dict(zip(contenders, seconds[:, 1:]))


def operations(call):
    """Floating-point operations of one call, counted by torch."""
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


def row(name, fast, eager, theirs, seconds, count, rate):
    """One row of the table: medians in seconds, ratios round by round, share of the matrix rate."""
    known = theirs in seconds
    return {
        "row": name,
        "ours_s": float(np.median(seconds[fast])),
        "eager_s": float(np.median(seconds[eager])),
        "official_s": float(np.median(seconds[theirs])) if known else None,
        "ratio": float(np.median(seconds[theirs] / seconds[fast])) if known else None,
        "utilisation": count / float(np.median(seconds[fast])) / rate,
        "peak_memory_bytes": None,  # of one contender among others in a process it cannot be told
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--official", type=Path, help="checkout of the paper's repository")
    parser.add_argument("--json", type=Path, help="file for the table")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    ways = {"plain": Execution(), "last": Execution(channels_last=True)}
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():
        ways["half"] = Execution(precision="bfloat16", channels_last=True)
    made = {way: ours(execution) for way, execution in ways.items()}
    if options.official:
        made["official"] = official(options.official)
    rates = {"float32": matrix_rate(torch.float32)}
    if "half" in ways:
        rates["bfloat16"] = matrix_rate(torch.bfloat16)
    rows = []
    for kind, index in (("train_step", 0), ("sampling", 1)):
        seconds = timed_in_turn({way: pair[index] for way, pair in made.items()}, options.rounds)
        count = operations(made["plain"][index])
        fp32 = min(("plain", "last"), key=lambda way: np.median(seconds[way]))
        names = {f"{kind}_fp32": fp32, kind: "half" if "half" in ways else fp32}
        for name, fast in names.items():
            rate = rates["bfloat16" if fast == "half" else "float32"]
            rows.append(row(name, fast, "plain", "official", seconds, count, rate))
            rows[-1]["way"] = ways[fast].in_words()
    for name, rate in rates.items():
        print(f"matrix rate, {name}: {rate / 1e12:.2f} TFLOP/s, {options.threads} threads")
    for each in rows:
        theirs = f"official {each['official_s']:.2f} s, " if each["official_s"] else ""
        ratio = f"{each['ratio']:.2f}x, " if each["ratio"] else ""
        print(
            f"{each['row']:<16} ours {each['ours_s']:.2f} s ({each['way']}), plain "
            f"{each['eager_s']:.2f} s, {theirs}{ratio}{100 * each['utilisation']:.0f} % of the rate"
        )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
