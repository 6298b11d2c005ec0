"""The public names are frozen: a change of this list is a change of the interface."""

import inspect

import pytest

import conceptspace

PUBLIC = [
    "Adapter",
    "AddDirections",
    "ArraysWorld",
    "CelebAWorld",
    "ClassTable",
    "Composed",
    "Concept",
    "ConceptSpace",
    "Conditioning",
    "DDPM",
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
    "MLP",
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
    "VDM",
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


def test_the_public_names_are_frozen():
    assert sorted(conceptspace.__all__) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_there_and_says_what_it_is(name):
    thing = getattr(conceptspace, name)
    assert name in dir(conceptspace)
    if inspect.isclass(thing) or inspect.isfunction(thing):
        assert inspect.getdoc(thing), f"{name} has no docstring"
        assert thing.__module__.startswith("conceptspace.")


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="module 'conceptspace' has no attribute 'colors'"):
        _ = conceptspace.colors
