"""From an image to concept values: a classifier, and inversion through G."""

from conceptspace.probes.classifier import ConvolutionalProbe, Probe, train_probe
from conceptspace.probes.inversion import Inversion, Inverted
from conceptspace.probes.quality import calibration, class_accuracy, confusion
from conceptspace.probes.reading import Reading, disagrees, read_samples
from conceptspace.probes.settings import InversionSettings, ProbeSettings

__all__ = [
    "ConvolutionalProbe",
    "Inversion",
    "InversionSettings",
    "Inverted",
    "Probe",
    "ProbeSettings",
    "Reading",
    "calibration",
    "class_accuracy",
    "confusion",
    "disagrees",
    "read_samples",
    "train_probe",
]
