"""The smallest experiment that goes the whole way, and what to compare of two runs of it."""

import hashlib
import json
from pathlib import Path

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.factors import colour, size
from conceptspace.data.world import SyntheticWorld
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.elicitation.settings import LatentSteering, OverPrompt
from conceptspace.experiment import Experiment
from conceptspace.measure.settings import MeasurementSettings
from conceptspace.models.settings import DiffusionSettings, SharedEmbedding, UNetSettings
from conceptspace.probes.settings import InversionSettings, ProbeSettings
from conceptspace.training.settings import TrainingSettings

SAME_BITS = (
    "experiment.json",
    "probe.safetensors",
    "probe.json",
    "seed=*/checkpoints/*.safetensors",
    "seed=*/state/*.safetensors",
    "seed=*/measurements/*.nc",
)
DERIVED = ("trajectory.nc", "trajectory.csv", "findings.json", "claims.json")


def tiny_experiment() -> Experiment:
    """Two concepts on 8 x 8 pixels, 40 steps, step 0 and 3 checkpoints: seconds on one core."""
    return Experiment(
        name="tiny",
        space=ConceptSpace(concepts=(colour(0.6), size(0.4))),
        world=SyntheticWorld(image_size=8),
        model=UNetSettings(
            widths=(8,),
            num_blocks=1,
            num_heads=0,
            num_groups=4,
            time_features=8,
            embedding=SharedEmbedding(width=8),
        ),
        diffusion=DiffusionSettings(sampling_steps=3),
        training=TrainingSettings(
            steps=40, batch_size=8, images_per_class=32, average_decay=0.9, clip_norm=1.0
        ),
        measurement=MeasurementSettings(
            num_checkpoints=3,
            first_checkpoint=8,
            num_samples=4,
            num_control_samples=2,
            num_directions=2,
            num_thumbnails=2,
            num_loss_images=16,
        ),
        probe=ProbeSettings(steps=30, num_images=256),
        inversion=InversionSettings(max_iterations=2),
        elicitation=(
            OverPrompt(concept="colour", strengths=(0.1, 0.3)),
            LatentSteering(concept="colour", strengths=(1.0, 2.0)),
        ),
        findings=FindingsSettings(num_resamples=100),
    )


def contents(run: Path, patterns: tuple[str, ...] = SAME_BITS) -> dict[str, str]:
    """The SHA-256 of every file that must have the same bits, by name."""
    return {
        str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest()
        for pattern in patterns
        for path in sorted(run.glob(pattern))
    }


def events(run: Path, seed: int = 0) -> list[dict]:
    """What a seed's log tells; torn lines are left out."""
    told = []
    path = run / f"seed={seed}" / "log.jsonl"
    for line in path.read_bytes().splitlines() if path.exists() else []:
        try:
            told.append(json.loads(line))
        except ValueError:
            continue
    return told


def damage_told(run: Path, seed: int = 0) -> str:
    """All messages about damage in a seed's log."""
    return "\n".join(event["message"] for event in events(run, seed) if event["event"] == "damage")


def leftovers(run: Path) -> list[Path]:
    """Files that were being written when a process died."""
    return sorted(run.rglob("*.tmp"))
