"""From the conditioning vector to what a model is asked for: class ids, or prompts of text.

The vector h of a space made by `ConceptSpace.named` has a one-hot for each axis. A table has an
entry (a class id, a prompt) for each corner of the space, and embeds any h as the multilinear
combination of the entries' embeddings: E(h) = sum over c of E(entry of c) * product over axes i of
h_i[c_i]. At a corner that is the corner's own embedding. Over-prompting, which takes an axis from
(1, 0) to (1 + s, -s), extrapolates in the space of embeddings; an axis of zeros says nothing.
"""

import itertools
import re
import string
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from conceptspace.concepts.space import ConceptSpace
from conceptspace.data.dropping import NO_CONDITION


class Table(ABC):
    """What a model can be asked for, and how much of each a conditioning vector asks for.

    Attributes:
        space: the concepts.
        entries: what the model can be asked for, with that for the hidden condition last where
            there is one.
    """

    space: ConceptSpace
    entries: tuple[Any, ...]

    def __init__(self, space: ConceptSpace) -> None:
        for concept in space.concepts:
            if not np.array_equal(concept.values, np.eye(concept.num_values)):
                raise ValueError(
                    f"space: concept {concept.name!r} has values that are no one-hot, so they name "
                    "no class: make the space with ConceptSpace.named"
                )
        self.space = space

    @abstractmethod
    def weights(self, vectors: Float[Tensor, "batch width"]) -> Float[Tensor, "batch entry"]:
        """How much of each entry; a corner of the space is a single 1."""

    def mixed(
        self, vectors: Tensor, embed: Callable[[list[Any]], Mapping[str, Tensor]]
    ) -> dict[str, Tensor]:
        """The embeddings (batch, ...) of conditioning vectors at each site, in float32.

        Args:
            vectors: (batch, width), on the CPU.
            embed: embeds a list of entries at each site, (entry, ...); only those that count are
                embedded.
        """
        weights = self.weights(vectors)
        # One entry at least, so that an empty batch has the shape of a full one.
        used = (weights != 0.0).any(0).nonzero()[:, 0].tolist() or [0]
        embedded = embed([self.entries[i] for i in used])
        return {site: _combined(weights[:, used], value) for site, value in embedded.items()}

    def _axes(self, vectors: Tensor) -> list[Tensor]:
        """The entries of h of each axis, (batch, values) each, in float64."""
        if vectors.ndim != 2 or vectors.shape[1] != self.space.width:
            raise ValueError(
                f"vectors must be (batch, {self.space.width}), a one-hot for each of "
                f"{', '.join(self.space.names)}, not {tuple(vectors.shape)}"
            )
        return list(vectors.double().split(list(self.space.num_values), dim=1))


def _combined(weights: Tensor, embedded: Tensor) -> Tensor:
    """Embeddings (entry, ...) combined by weights (batch, entry).

    Entry by entry and not as a matrix product: a row's bits must not depend on its company.
    """
    weights, embedded = weights.to(embedded.device), embedded.float()
    combined = embedded.new_zeros((len(weights), *embedded.shape[1:]))
    for column, entry in zip(weights.T, embedded):
        rows = column.nonzero()[:, 0]
        combined.index_add_(0, rows, column[rows].view(-1, *(1,) * entry.ndim) * entry)
    return combined


def _unsaid(axis: Tensor) -> Tensor:
    """What an axis says less than 1 in all, (batch, 1); rounding says nothing."""
    unsaid = 1.0 - axis.sum(1, keepdim=True)
    return torch.where(unsaid.abs() < 1e-6, 0.0, unsaid)


def _product(axes: list[Tensor]) -> Tensor:
    """Products over every choice of one column an axis, in the order of `itertools.product`."""
    joined = axes[0]
    for axis in axes[1:]:
        joined = (joined[:, :, None] * axis[:, None, :]).flatten(1)
    return joined


def _hidden(vectors: Tensor) -> Tensor:
    """The rows whose condition is hidden altogether, as guidance hides it."""
    return (vectors == NO_CONDITION).all(1)


class ClassTable(Table):
    """A class id for each corner of concept space.

    A class that has no id, as one that the model never saw, is composed from those one change away
    from `0...0`: E(11) = E(10) + E(01) - E(00). An axis of zeros takes the mean of its values.

    Args:
        space: made by `ConceptSpace.named`.
        classes: the model's id of each concept class, by name; by default 0, 1, 2, ... in the
            order of `space.classes`.
        null_class: the id under which the model was trained with its class hidden, which guidance
            needs.

    Example:
        >>> space = ConceptSpace.named(colour=("red", "blue"), size=("large", "small"))
        >>> table = ClassTable(space, {"00": 7, "01": 8, "10": 9})
        >>> table.entries
        (7, 8, 9)
        >>> table.weights(torch.tensor([[0.0, 1.0, 0.0, 1.0]])).tolist()
        [[-1.0, 1.0, 1.0]]
    """

    def __init__(
        self,
        space: ConceptSpace,
        classes: Mapping[str, int] | None = None,
        null_class: int | None = None,
    ) -> None:
        super().__init__(space)
        known = {c: i for i, c in enumerate(space.classes)} if classes is None else dict(classes)
        for name in known:
            space.indices(name)
        named = [name for name in space.classes if name in known]
        ids = [known[name] for name in named]
        for entry in (*ids, *(() if null_class is None else (null_class,))):
            if isinstance(entry, bool) or not isinstance(entry, int) or entry < 0:
                raise ValueError(f"classes: an id is a whole number from 0 on, not {entry!r}")
        self.null_class = null_class
        self.entries = (*ids, *(() if null_class is None else (null_class,)))
        self._composition = torch.stack([self._composed(name, named) for name in space.classes])

    def _composed(self, name: str, named: list[str]) -> Tensor:
        """How a class is made of those that have an id, (entry,)."""
        row = torch.zeros(len(self.entries), dtype=torch.float64)
        if name in named:
            row[named.index(name)] = 1.0
            return row
        origin = self.space.class_name([0] * len(self.space.concepts))
        changed = [axis for axis, index in enumerate(self.space.indices(name)) if index]
        single = []
        for axis in changed:
            indices = [0] * len(self.space.concepts)
            indices[axis] = self.space.indices(name)[axis]
            single.append(self.space.class_name(indices))
        missing = [part for part in (origin, *single) if part not in named]
        if missing:
            raise ValueError(
                f"classes: {name!r} has no id and cannot be composed, since {missing[0]!r} has "
                "none either"
            )
        row[named.index(origin)] = 1.0 - len(single)
        for part in single:
            row[named.index(part)] += 1.0
        return row

    def weights(self, vectors: Tensor) -> Tensor:
        axes = []
        for axis in self._axes(vectors):
            # Nobody trained the model on "not said": what is left unsaid may be any of the values.
            axes.append(axis + _unsaid(axis).clamp_min(0.0) / axis.shape[1])
        weights = _product(axes) @ self._composition
        hidden = _hidden(vectors)
        if bool(hidden.any()):
            if self.null_class is None:
                raise ValueError(
                    "null_class: the class is hidden, as guidance hides it, and the table has no "
                    "id for that; give the id under which the model was trained without its "
                    "class, or leave Guidance out of the elicitation methods"
                )
            weights[hidden] = 0.0
            weights[hidden, -1] = 1.0
        return weights.float()


class PromptTable(Table):
    """A prompt for each corner of concept space, from a template.

    An axis of zeros, which says nothing, drops its word: "a large circle". More generally, what an
    axis says less than 1 in all is given to the prompt without its word.

    Args:
        space: made by `ConceptSpace.named`; its labels are the words.
        template: the prompt, with the name of each concept in braces.
        dropped: what stands in a concept's place where it is not said, such as
            `{"shape": "object"}`; by default nothing does.
        stronger: phrases with `{}` for the word, weakest first, for over-prompting by words:
            with `("very {}", "extremely {}")` a strength of 1 says "very red" and one of 2
            "extremely red"; beyond the last the last is kept. Without any, over-prompting
            extrapolates the embedding.
        unconditional: the prompt that guidance leads away from.

    Example:
        >>> space = ConceptSpace.named(colour=("red", "blue"), size=("large", "small"))
        >>> table = PromptTable(space, "a {size} {colour} circle")
        >>> table.prompt(colour="blue", size="small")
        'a small blue circle'
        >>> table.prompt(size="small")
        'a small circle'
    """

    def __init__(
        self,
        space: ConceptSpace,
        template: str,
        *,
        dropped: Mapping[str, str] | None = None,
        stronger: Sequence[str] = (),
        unconditional: str = "",
    ) -> None:
        super().__init__(space)
        _check_template(template, space)
        self.template = template
        self.dropped = dict(dropped or {})
        for name in self.dropped:
            space.concept(name)
        self.stronger = tuple(stronger)
        for phrase in self.stronger:
            if "{}" not in phrase:
                raise ValueError(f"stronger: {phrase!r} has no {{}} where the word goes")
        self.entries = (*self._prompts(), unconditional)

    def prompt(self, **words: str) -> str:
        """The prompt that says these words; concepts that are not named are not said."""
        for name in words:
            self.space.concept(name)
        filled = self.template.format(
            **{name: words.get(name, self.dropped.get(name, "")) for name in self.space.names}
        )
        # A dropped word leaves its spaces, and perhaps a comma with nothing before it.
        filled = re.sub(r"\s+([,.;:])", r"\1", re.sub(r"\s+", " ", filled)).strip()
        return re.sub(r"[,;:]+$", "", filled)

    def _prompts(self) -> list[str]:
        """One for each choice of an option on each axis, in the order of `weights`."""
        phrases = ("{}", *self.stronger)
        options = [
            [*(p.format(c.label(i)) for p in phrases for i in range(c.num_values)), None]
            for c in self.space.concepts
        ]
        prompts = []
        for chosen in itertools.product(*options):
            said = {n: word for n, word in zip(self.space.names, chosen) if word is not None}
            prompts.append(self.prompt(**said))
        return prompts

    def weights(self, vectors: Tensor) -> Tensor:
        axes = []
        for axis in self._axes(vectors):
            said = self._by_phrase(axis) if self.stronger else axis
            axes.append(torch.cat([said, _unsaid(said)], 1))
        weights = torch.cat([_product(axes), vectors.new_zeros((len(vectors), 1))], 1)
        hidden = _hidden(vectors)
        weights[hidden] = 0.0
        weights[hidden, -1] = 1.0
        return weights.float()

    def _by_phrase(self, axis: Tensor) -> Tensor:
        """What goes beyond 1 moves on to stronger phrases, (batch, phrases x values)."""
        last = len(self.stronger)
        level = (axis - 1.0).clamp(0.0, last)
        plain = axis.clamp(0.0, 1.0)
        parts = [plain * (1.0 - (level - i).abs()).clamp_min(0.0) for i in range(last + 1)]
        return torch.cat(parts, 1)


def _check_template(template: str, space: ConceptSpace) -> None:
    try:
        fields = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise ValueError(f"template {template!r}: {error}") from None
    unknown = [name for name in fields if name not in space.names]
    if unknown:
        raise ValueError(
            f"template {template!r} names {unknown[0]!r}, which is no concept of the space; it "
            f"has {', '.join(space.names)}"
        )
    missing = [name for name in space.names if name not in fields]
    if missing:
        raise ValueError(
            f"template {template!r} does not say {missing[0]!r}: write {{{missing[0]}}} where its "
            "word goes"
        )
