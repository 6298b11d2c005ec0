"""The null world as a sweep: a declared separation that varies, and data that do not.

What varies from run to run is the coordinate that the model is told for the low value of `weak`:
0.1 to 0.5 below that of its high value. What is the same is everything that is seen: G puts every
example at the high value's point, whichever value it has. So the axis has a separation and labels,
and a signal of 0.
"""

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.vectors import PointAxis
from conceptspace.elicitation.settings import OverPrompt
from vectors import small_run

SEPARATIONS = (0.1, 0.2, 0.3, 0.4, 0.5)
HIGH = 0.6
STEPS = 120


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
    base = small_run(steps=STEPS)
    return base.replace(
        name=f"declared-{separation}",
        space=ConceptSpace(concepts=tuple(axis.concept() for axis in axes)),
        world=base.world.replace(axes=axes, noise=0.05),
        measurement=base.measurement.replace(
            num_checkpoints=10, first_checkpoint=6, num_thumbnails=0
        ),
        elicitation=(OverPrompt(concept="weak", strengths=(0.1, 0.3)),),
    )
