"""A small experiment that several tests share: two concepts at 8 x 8 pixels and a tiny U-Net."""

from conceptspace.concepts.space import ConceptSpace
from conceptspace.concepts.split import Split
from conceptspace.data.factors import FACTOR_WIDTHS, colour, size
from conceptspace.data.mixing import Conditioning, Prompter
from conceptspace.data.world import SyntheticWorld
from conceptspace.elicitation.settings import LatentSteering, OverPrompt
from conceptspace.measure.settings import MeasurementSettings
from conceptspace.models.settings import DiffusionSettings, SharedEmbedding, UNetSettings

SPACE = ConceptSpace(concepts=(colour(0.4), size(0.4)))
SPLIT = Split()
WORLD = SyntheticWorld(image_size=8)
PROMPTER = Prompter(space=SPACE, conditioning=Conditioning(), factor_widths=FACTOR_WIDTHS)
UNET = UNetSettings(
    widths=(4, 8),
    num_blocks=1,
    num_heads=0,
    num_groups=2,
    dropout=0.0,
    time_features=8,
    embedding=SharedEmbedding(width=8, starts_at_zero=False),
)
DIFFUSION = DiffusionSettings(sampling_steps=3)
METHODS = (
    OverPrompt(concept="colour", strengths=(0.1, 0.3), away_from=(0.5, 0.5, 0.5)),
    LatentSteering(concept="colour", strengths=(0.5, 1.0, 2.0)),
)
MEASUREMENT = MeasurementSettings(
    num_checkpoints=2, first_checkpoint=1, num_samples=6, num_control_samples=4, num_thumbnails=2
)
