"""What the axes of concept space are, and which classes are trained on."""

from conceptspace.concepts.concept import Concept, Normal, Uniform
from conceptspace.concepts.settings import Settings, SettingsError
from conceptspace.concepts.space import ConceptSpace
from conceptspace.concepts.split import Split

__all__ = ["Concept", "ConceptSpace", "Normal", "Settings", "SettingsError", "Split", "Uniform"]
