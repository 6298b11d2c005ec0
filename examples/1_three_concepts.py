"""A concept space of your own: three concepts, eight classes, four of them held out.

    python examples/1_three_concepts.py --steps 2000 --seeds 2 --out runs/three

Without options it trains for a few steps only, to show that all of it works.
"""

import argparse

import conceptspace as cs

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--steps", type=int, default=12, help="training steps")
parser.add_argument("--seeds", type=int, default=1, help="number of seeds")
parser.add_argument("--out", default="runs/three", help="run directory")
options = parser.parse_args()

# An axis: what it is called, which factor of the world it drives, and the mean of each value.
brightness = cs.Concept(
    name="brightness",
    factor="background",
    values=((0.5, 0.5, 0.5), (0.9, 0.9, 0.9)),
    spread=cs.Uniform(half_width=0.03),
    labels=("dark", "bright"),
)
space = cs.ConceptSpace(concepts=(cs.colour(0.4), cs.size(0.4), brightness))

base = cs.quick()
few = options.steps < 100
experiment = base.replace(
    name="three-concepts",
    scale="example",
    space=space,
    split=cs.Split(maximum_distance=1),  # train 000, 001, 010, 100; hold out the rest
    elicitation=(cs.LatentSteering(concept="colour", strengths=(1.0, 2.0)),),
    training=base.training.replace(steps=options.steps),
    measurement=base.measurement.replace(
        first_checkpoint=min(60, options.steps // 4),
        **({"num_checkpoints": 3, "num_samples": 4, "num_control_samples": 4} if few else {}),
    ),
    diffusion=base.diffusion.replace(sampling_steps=3) if few else base.diffusion,
)
print("train:", *experiment.split.training(space), " hold out:", *experiment.split.held_out(space))
for signal in cs.concept_signal(experiment.world, space).values():
    print(f"signal of {signal.concept}: {signal.finite:.2f}")

run = cs.load_run(cs.run(experiment, options.out, seeds=options.seeds))
for claim in run.claims:
    print(claim["id"], claim["verdict"], claim["value"])
print("report:", run.folder / "report.html")
