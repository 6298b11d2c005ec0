"""Which concept classes are trained on and which are held out."""

from pydantic import Field

from conceptspace.concepts.settings import Settings
from conceptspace.concepts.space import ConceptSpace


class Split(Settings):
    """Training classes lie within a Hamming distance of class `0...0`, or are listed.

    Every other class is held out: out of distribution. (Park et al. 2024, section 3.)

    Example:
        >>> from conceptspace.data.factors import colour, size
        >>> space = ConceptSpace(concepts=(colour(0.4), size(0.4)))
        >>> Split().training(space), Split().held_out(space)
        (('00', '01', '10'), ('11',))
    """

    maximum_distance: int = Field(default=1, ge=0)
    """Largest distance from class `0...0` that is trained on; unused if classes are listed."""
    training_classes: tuple[str, ...] = ()
    """The training classes by name, for any split that is not a distance rule."""

    def training(self, space: ConceptSpace) -> tuple[str, ...]:
        """The classes trained on.

        Raises:
            ValueError: if a listed class is not in the space, or appears twice.
        """
        if self.training_classes:
            for name in self.training_classes:
                space.indices(name)
            if len(set(self.training_classes)) != len(self.training_classes):
                raise ValueError(f"training_classes {self.training_classes} names a class twice")
            return self.training_classes
        origin = space.class_name([0] * len(space.concepts))
        return tuple(c for c in space.classes if space.distance(origin, c) <= self.maximum_distance)

    def held_out(self, space: ConceptSpace) -> tuple[str, ...]:
        """The classes never trained on; may be empty."""
        training = set(self.training(space))
        return tuple(c for c in space.classes if c not in training)
