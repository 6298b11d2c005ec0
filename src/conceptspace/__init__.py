"""Learning dynamics of generative models in concept space.

Everything public is reached from here, as in `import conceptspace as cs`; torch and xarray load
when something that needs them is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conceptspace.adapters.diffusers import DiffusersClassAdapter
    from conceptspace.adapters.diffusers_text import DiffusersTextAdapter
    from conceptspace.adapters.function import FunctionAdapter
    from conceptspace.adapters.modules import ModuleAdapter
    from conceptspace.adapters.native import NativeAdapter
    from conceptspace.adapters.pipeline_folder import load_pipeline
    from conceptspace.adapters.protocol import Adapter, GuidableAdapter
    from conceptspace.adapters.sites import Site, find_sites
    from conceptspace.adapters.tables import ClassTable, PromptTable
    from conceptspace.concepts.concept import Concept, Normal, Uniform
    from conceptspace.concepts.settings import SettingsError
    from conceptspace.concepts.space import ConceptSpace
    from conceptspace.concepts.split import Split
    from conceptspace.data.factors import background, colour, position, shape, size
    from conceptspace.data.labelled import DataError, LabelledImages
    from conceptspace.data.labelled_world import LabelledWorld
    from conceptspace.data.mixing import (
        Conditioning,
        IdentityMixing,
        MaskedMixing,
        NoisyMixing,
        Prompter,
    )
    from conceptspace.data.readers.arrays import ArraysWorld, read_arrays
    from conceptspace.data.readers.celeba import CelebAWorld, read_celeba
    from conceptspace.data.readers.digits import DigitsWorld
    from conceptspace.data.readers.dsprites import DSpritesWorld
    from conceptspace.data.readers.folder import FolderWorld, read_folder
    from conceptspace.data.readers.shapes3d import Shapes3DWorld
    from conceptspace.data.readers.table import concepts_in
    from conceptspace.data.signal import concept_signal
    from conceptspace.data.vectors import OneHotAxis, PointAxis, VectorWorld
    from conceptspace.data.world import SyntheticWorld, World
    from conceptspace.derived import derive
    from conceptspace.dynamics.emergence import emergence
    from conceptspace.dynamics.findings import findings
    from conceptspace.dynamics.learning import learning_times
    from conceptspace.dynamics.settings import FindingsSettings
    from conceptspace.dynamics.speed import speed
    from conceptspace.dynamics.turns import turning_points
    from conceptspace.elicitation.intervention import AddDirections, Composed, Naive
    from conceptspace.elicitation.patching import EmbeddingPatch
    from conceptspace.elicitation.settings import Guidance, LatentSteering, OverPrompt
    from conceptspace.experiment import Experiment, shortened
    from conceptspace.folder import Interrupted, RunError
    from conceptspace.load import Run, load_run
    from conceptspace.measure.measurement import Instrument, measure_checkpoint
    from conceptspace.measure.settings import MeasurementSettings
    from conceptspace.models.ddpm import DDPM
    from conceptspace.models.flow_matching import FlowMatching
    from conceptspace.models.mlp import MLP
    from conceptspace.models.regression import Regression
    from conceptspace.models.settings import (
        DDPMSettings,
        DiffusionSettings,
        FlowMatchingSettings,
        MLPSettings,
        PerBlockEmbedding,
        RegressionSettings,
        SharedEmbedding,
        UNetSettings,
    )
    from conceptspace.models.unet import UNet
    from conceptspace.models.vdm import VDM
    from conceptspace.observation import Observation
    from conceptspace.observe.accelerated import record_accelerated
    from conceptspace.observe.analyse import analyse
    from conceptspace.observe.checkpoints import find_checkpoints, read_weights
    from conceptspace.observe.lightning import concept_callback
    from conceptspace.observe.recorder import Recorder
    from conceptspace.probes.classifier import Probe, train_probe
    from conceptspace.probes.ensemble import DoubtfulReadings, EnsembleProbe, train_ensemble
    from conceptspace.probes.inversion import Inversion
    from conceptspace.probes.points import PointLocation, PointProbe
    from conceptspace.probes.settings import (
        EnsembleProbeSettings,
        InversionSettings,
        PointProbeSettings,
        ProbeSettings,
    )
    from conceptspace.recipes import recipe
    from conceptspace.recipes.quick import quick
    from conceptspace.runner import run
    from conceptspace.sweeps.ray import RayExecutor
    from conceptspace.sweeps.status import status
    from conceptspace.sweeps.sweep import sweep
    from conceptspace.training.settings import TrainingSettings

__version__ = "0.1.0"

_HOMES = {
    "adapters.diffusers": ("DiffusersClassAdapter",),
    "adapters.diffusers_text": ("DiffusersTextAdapter",),
    "adapters.function": ("FunctionAdapter",),
    "adapters.modules": ("ModuleAdapter",),
    "adapters.native": ("NativeAdapter",),
    "adapters.pipeline_folder": ("load_pipeline",),
    "adapters.protocol": ("Adapter", "GuidableAdapter"),
    "adapters.sites": ("Site", "find_sites"),
    "adapters.tables": ("ClassTable", "PromptTable"),
    "concepts.settings": ("SettingsError",),
    "concepts.concept": ("Concept", "Normal", "Uniform"),
    "concepts.space": ("ConceptSpace",),
    "concepts.split": ("Split",),
    "data.factors": ("background", "colour", "position", "shape", "size"),
    "data.mixing": ("Conditioning", "IdentityMixing", "MaskedMixing", "NoisyMixing", "Prompter"),
    "data.labelled": (
        "DataError",
        "LabelledImages",
    ),
    "data.labelled_world": ("LabelledWorld",),
    "data.readers.arrays": (
        "ArraysWorld",
        "read_arrays",
    ),
    "data.readers.celeba": ("CelebAWorld", "read_celeba"),
    "data.readers.digits": ("DigitsWorld",),
    "data.readers.dsprites": ("DSpritesWorld",),
    "data.readers.folder": (
        "FolderWorld",
        "read_folder",
    ),
    "data.readers.shapes3d": ("Shapes3DWorld",),
    "data.readers.table": ("concepts_in",),
    "data.signal": ("concept_signal",),
    "data.vectors": ("OneHotAxis", "PointAxis", "VectorWorld"),
    "data.world": ("SyntheticWorld", "World"),
    "derived": ("derive",),
    "dynamics.emergence": ("emergence",),
    "dynamics.findings": ("findings",),
    "dynamics.learning": ("learning_times",),
    "dynamics.settings": ("FindingsSettings",),
    "dynamics.speed": ("speed",),
    "dynamics.turns": ("turning_points",),
    "elicitation.intervention": ("AddDirections", "Composed", "Naive"),
    "elicitation.patching": ("EmbeddingPatch",),
    "elicitation.settings": ("Guidance", "LatentSteering", "OverPrompt"),
    "experiment": ("Experiment", "shortened"),
    "folder": ("Interrupted", "RunError"),
    "load": ("Run", "load_run"),
    "measure.measurement": ("Instrument", "measure_checkpoint"),
    "measure.settings": ("MeasurementSettings",),
    "models.ddpm": ("DDPM",),
    "models.flow_matching": ("FlowMatching",),
    "models.mlp": ("MLP",),
    "models.regression": ("Regression",),
    "models.settings": (
        "DDPMSettings",
        "DiffusionSettings",
        "FlowMatchingSettings",
        "MLPSettings",
        "PerBlockEmbedding",
        "RegressionSettings",
        "SharedEmbedding",
        "UNetSettings",
    ),
    "models.unet": ("UNet",),
    "models.vdm": ("VDM",),
    "observation": ("Observation",),
    "observe.accelerated": ("record_accelerated",),
    "observe.analyse": ("analyse",),
    "observe.checkpoints": ("find_checkpoints", "read_weights"),
    "observe.lightning": ("concept_callback",),
    "observe.recorder": ("Recorder",),
    "probes.classifier": ("Probe", "train_probe"),
    "probes.ensemble": ("DoubtfulReadings", "EnsembleProbe", "train_ensemble"),
    "probes.inversion": ("Inversion",),
    "probes.points": ("PointLocation", "PointProbe"),
    "probes.settings": (
        "EnsembleProbeSettings",
        "InversionSettings",
        "PointProbeSettings",
        "ProbeSettings",
    ),
    "recipes": ("recipe",),
    "recipes.quick": ("quick",),
    "runner": ("run",),
    "sweeps.ray": ("RayExecutor",),
    "sweeps.status": ("status",),
    "sweeps.sweep": ("sweep",),
    "training.settings": ("TrainingSettings",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "DDPM",
    "MLP",
    "VDM",
    "Adapter",
    "AddDirections",
    "ArraysWorld",
    "CelebAWorld",
    "ClassTable",
    "Composed",
    "Concept",
    "ConceptSpace",
    "Conditioning",
    "DDPMSettings",
    "DSpritesWorld",
    "DataError",
    "DiffusersClassAdapter",
    "DiffusersTextAdapter",
    "DiffusionSettings",
    "DigitsWorld",
    "DoubtfulReadings",
    "EmbeddingPatch",
    "EnsembleProbe",
    "EnsembleProbeSettings",
    "Experiment",
    "FindingsSettings",
    "FlowMatching",
    "FlowMatchingSettings",
    "FolderWorld",
    "FunctionAdapter",
    "GuidableAdapter",
    "Guidance",
    "IdentityMixing",
    "Instrument",
    "Interrupted",
    "Inversion",
    "InversionSettings",
    "LabelledImages",
    "LabelledWorld",
    "LatentSteering",
    "MLPSettings",
    "MaskedMixing",
    "MeasurementSettings",
    "ModuleAdapter",
    "Naive",
    "NativeAdapter",
    "NoisyMixing",
    "Normal",
    "Observation",
    "OneHotAxis",
    "OverPrompt",
    "PerBlockEmbedding",
    "PointAxis",
    "PointLocation",
    "PointProbe",
    "PointProbeSettings",
    "Probe",
    "ProbeSettings",
    "PromptTable",
    "Prompter",
    "RayExecutor",
    "Recorder",
    "Regression",
    "RegressionSettings",
    "Run",
    "RunError",
    "SettingsError",
    "Shapes3DWorld",
    "SharedEmbedding",
    "Site",
    "Split",
    "SyntheticWorld",
    "TrainingSettings",
    "UNet",
    "UNetSettings",
    "Uniform",
    "VectorWorld",
    "World",
    "analyse",
    "background",
    "colour",
    "concept_callback",
    "concept_signal",
    "concepts_in",
    "derive",
    "emergence",
    "find_checkpoints",
    "find_sites",
    "findings",
    "learning_times",
    "load_pipeline",
    "load_run",
    "measure_checkpoint",
    "position",
    "quick",
    "read_arrays",
    "read_celeba",
    "read_folder",
    "read_weights",
    "recipe",
    "record_accelerated",
    "run",
    "shape",
    "shortened",
    "size",
    "speed",
    "status",
    "sweep",
    "train_ensemble",
    "train_probe",
    "turning_points",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'conceptspace' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"conceptspace.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
