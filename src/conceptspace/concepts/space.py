"""Concept space: what the axes are, which classes lie at its corners, and the prior over z."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import Field, field_validator

from conceptspace.concepts.concept import DIGITS, Concept
from conceptspace.concepts.settings import Settings
from conceptspace.concepts.written import concepts_from_yaml


class ConceptSpace(Settings):
    """The axes, in the order in which a class name gives their values.

    A concept class is a corner of the space, named by the index of its value on each axis: with
    the concepts (colour, size), class `10` has colour value 1 and size value 0. (Park et al. 2024,
    section 2.)
    """

    concepts: tuple[Concept, ...] = Field(min_length=1)

    @field_validator("concepts")
    @classmethod
    def _names_and_factors_are_unique(cls, concepts: tuple[Concept, ...]):
        for what in ("name", "factor"):
            seen = [getattr(concept, what) for concept in concepts]
            for entry in seen:
                if seen.count(entry) > 1:
                    raise ValueError(f"two concepts have the same {what} {entry!r}")
        return concepts

    @classmethod
    def named(cls, **concepts: Sequence[str]) -> Self:
        """A space of concepts whose values are known by their words alone.

        Example:
            >>> ConceptSpace.named(colour=("red", "blue"), size=("large", "small")).describe("11")
            'blue small'
        """
        return cls(concepts=tuple(Concept.named(name, words) for name, words in concepts.items()))

    @classmethod
    def from_columns(cls, columns: Mapping[str, Iterable[object]]) -> Self:
        """The space that a table's columns are: the values of a concept are those in its column.

        Numbers are in rising order, words in that of the alphabet.

        Args:
            columns: concept name to what its column holds, a row an example.

        Raises:
            ValueError: if a column holds one value alone, or more than classes can have.

        Example:
            >>> space = ConceptSpace.from_columns({"hat": ["no", "yes", "no"], "age": [30, 8, 8]})
            >>> [concept.labels for concept in space.concepts]
            [('no', 'yes'), ('8', '30')]
        """
        concepts = {}
        for name, column in columns.items():
            written = [str(value).strip() for value in column]
            if "" in written:
                raise ValueError(
                    f"columns: {name!r} is empty in row {written.index('') + 1} and "
                    f"{written.count('') - 1} more: fill them in, or take these rows out"
                )
            words = sorted(set(written), key=_by_number_or_letter)
            if not 2 <= len(words) <= len(DIGITS):
                what = "changes nowhere" if len(words) < 2 else "is a measure and no class: bin it"
                raise ValueError(
                    f"columns: {name!r} holds {len(words)} different values, and a concept has 2 "
                    f"to {len(DIGITS)}; this one {what}"
                )
            concepts[name] = words
        return cls.named(**concepts)

    @classmethod
    def from_yaml(cls, source: Path | str) -> Self:
        """A space that is written down in YAML.

        Args:
            source: the path of a file, or YAML text of several lines. `concepts` is a mapping of
                names to words, or a list with the fields of each `Concept`.

        Raises:
            SettingsError: if it cannot be read or describes no space.

        Example:
            >>> text = "concepts: {colour: [red, blue], size: [large, small]}\\n"
            >>> ConceptSpace.from_yaml(text).describe("01")
            'red small'
        """
        return cls(concepts=concepts_from_yaml(source))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(concept.name for concept in self.concepts)

    @property
    def num_values(self) -> tuple[int, ...]:
        """Number of values of each concept."""
        return tuple(concept.num_values for concept in self.concepts)

    @property
    def width(self) -> int:
        """Number of components of z."""
        return sum(concept.width for concept in self.concepts)

    @property
    def classes(self) -> tuple[str, ...]:
        """Every concept class, in lexical order: `00`, `01`, `10`, `11`."""
        ranges = (range(n) for n in self.num_values)
        return tuple(self.class_name(indices) for indices in itertools.product(*ranges))

    def concept(self, name: str) -> Concept:
        """The concept with this name.

        Raises:
            ValueError: if there is none.
        """
        for concept in self.concepts:
            if concept.name == name:
                return concept
        raise ValueError(f"concept {name!r} is not in this space; it has {', '.join(self.names)}")

    def class_name(self, indices: Sequence[int]) -> str:
        """The name of the class with these value indices, one for each concept.

        Raises:
            ValueError: if there is not one index for each concept, or one is out of range.
        """
        numbers = self.num_values
        if len(indices) != len(numbers) or not all(
            0 <= index < num for index, num in zip(indices, numbers)
        ):
            raise ValueError(
                f"indices {tuple(indices)} must hold one value index for each of "
                f"{', '.join(self.names)}, below {numbers}"
            )
        return "".join(DIGITS[index] for index in indices)

    def indices(self, concept_class: str) -> tuple[int, ...]:
        """The value index of each concept in a class.

        Raises:
            ValueError: if the space has no such class.
        """
        expected = len(self.concepts)
        indices = tuple(DIGITS.find(letter) for letter in str(concept_class))
        known = (
            isinstance(concept_class, str)
            and len(indices) == expected
            and all(0 <= index < num for index, num in zip(indices, self.num_values))
        )
        if not known:
            classes = self.classes
            listed = classes if len(classes) <= 16 else (*classes[:16], "...")
            raise ValueError(
                f"concept class {concept_class!r} is not in this space; it has {', '.join(listed)}"
            )
        return indices

    def distance(self, first: str, second: str) -> int:
        """Hamming distance: the number of concepts in which two classes differ."""
        pairs = zip(self.indices(first), self.indices(second))
        return sum(a != b for a, b in pairs)

    def corner(self, concept_class: str) -> np.ndarray:
        """Coordinates (concept,) in [0, 1] of a class: value index over number of values less 1."""
        return np.asarray(self.indices(concept_class)) / (np.asarray(self.num_values) - 1)

    def describe(self, concept_class: str) -> str:
        """The class in words, such as "blue small"."""
        indices = self.indices(concept_class)
        return " ".join(c.label(i) for c, i in zip(self.concepts, indices))

    def slice_of(self, name: str) -> slice:
        """Where a concept's components lie in z."""
        start = 0
        for concept in self.concepts:
            if concept.name == name:
                return slice(start, start + concept.width)
            start += concept.width
        self.concept(name)  # raises, naming the concepts there are
        raise AssertionError("unreachable")

    def mean(self, concept_class: str) -> np.ndarray:
        """Mean z (width,) of a class."""
        indices = self.indices(concept_class)
        return np.concatenate([c.mean(i) for c, i in zip(self.concepts, indices)])

    def draw(self, concept_class: str, num: int, rng: np.random.Generator) -> np.ndarray:
        """`num` draws of z (num, width) from the prior of a class."""
        if num < 0:
            raise ValueError(f"num must be 0 or more, not {num}")
        indices = self.indices(concept_class)
        draws = [c.spread.draw(c.mean(i), num, rng) for c, i in zip(self.concepts, indices)]
        return np.concatenate(draws, axis=1)

    def factors(self, z: np.ndarray) -> dict[str, np.ndarray]:
        """Split z (batch, width) into the factors that it drives, each (batch, factor width)."""
        if z.ndim != 2 or z.shape[1] != self.width:
            raise ValueError(f"z must have shape (batch, {self.width}), not {z.shape}")
        return {c.factor: z[:, self.slice_of(c.name)] for c in self.concepts}


def _by_number_or_letter(text: str) -> tuple[bool, float, str]:
    try:
        return (False, float(text), text)
    except ValueError:
        return (True, 0.0, text)
