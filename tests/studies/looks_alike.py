"""The null world as a sweep: a declared separation that varies, and data that do not.

What varies from run to run is what the model is told and the probe looks for: the coordinate of
the low value of `weak`, 0.1 to 0.5 below that of its high value. What is the same is everything
that is seen: G puts every example at the high value's point, whichever value it has. So the axis
has values, labels and a separation, and a signal of 0. The held-out class has `weak` right as soon
as its samples are clean, which takes as long at every separation; only at 0.1 the probe confuses
the two points a little longer, while samples are still rough.
"""

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.vectors import PointAxis
from conceptspace.dynamics.settings import FindingsSettings
from conceptspace.elicitation.settings import OverPrompt
from conceptspace.recipes import recipe

SEPARATIONS = (0.1, 0.2, 0.3, 0.4, 0.5)
HIGH = 0.6
STEPS = 300


def looks_alike(monkeypatch):
    """Let G draw both values of `weak` alike, in this process."""
    shown = PointAxis.coordinate

    def coordinate(self, factor):
        drawn = shown(self, factor)
        return 0.0 * drawn + HIGH if self.name == "weak" else drawn

    monkeypatch.setattr(PointAxis, "coordinate", coordinate)


def declared(separation):
    """A run in which the two values of `weak` are declared to be so far apart."""
    axes = (
        PointAxis(name="weak", points=(HIGH - separation, HIGH)),
        PointAxis(name="strong", points=(0.2, 0.8)),
    )
    base = recipe("vectors")
    return base.replace(
        name=f"declared-{separation}",
        space=ConceptSpace(concepts=tuple(axis.concept() for axis in axes)),
        world=base.world.replace(axes=axes, noise=0.02),
        model=base.model.replace(
            width=64, embedding_width=16, time_features=16, initial_scale=1.0
        ),
        diffusion=base.diffusion.replace(sampling_steps=10),
        training=base.training.replace(
            steps=STEPS, images_per_class=256, learning_rate=5e-3, average_decay=0.95,
            weight_decay=0.01,
        ),
        measurement=base.measurement.replace(
            num_checkpoints=5, first_checkpoint=110, num_samples=16, num_control_samples=4,
            num_directions=2, num_thumbnails=0, num_loss_images=16,
        ),
        elicitation=(OverPrompt(concept="weak", strengths=(0.1, 0.3)),),
        findings=FindingsSettings(num_resamples=200),
    )  # fmt: skip
