"""The adapter of any PyTorch model in which the condition enters at the outputs of submodules."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from conceptspace.adapters.function import checked_images
from conceptspace.adapters.hooks import captured, evaluating, replaced
from conceptspace.adapters.protocol import Conditioning
from conceptspace.adapters.tables import ClassTable, Table

SampleModel = Callable[[Any, Any, torch.Generator], Tensor]
"""From a model, its conditions and a generator to images, one a condition."""


class ModuleAdapter:
    """Shows a model as an `Adapter` whose sites are submodules: GAN, VAE, transformer, any other.

    What the sites return for a condition is read off a call of `sample` that ends there. To draw,
    `sample` is called with stand-in conditions while each site returns what it is given. So the
    sites must be all the places at which the condition enters, and their outputs must depend on
    nothing else; whether that is so is tried out once, on one image. `find_sites` and the command
    `conceptspace sites` list the candidates.

    Args:
        model: the model.
        sites: names of submodules, as in `model.named_modules()`.
        sample: `sample(model, conditions, generator)` draws one image (channels, height, width) a
            condition, as float from 0 to 1, with all of its noise from the generator. Conditions
            are class ids (a tensor), prompts (a list) or conditioning vectors (a tensor), as the
            table says.
        table: `ClassTable` or `PromptTable`, for a model that is told ids or prompts.
        width: in place of a table, of the conditioning vector that the model is told.
        path: submodules between prompt and sites, whose parameters embedding patching swaps; by
            default the sites themselves.
        batch_size: images drawn at once.

    Raises:
        ValueError: if the model has no such submodules.

    Example:
        >>> class Generator(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.embedding = nn.Embedding(4, 8)
        ...         self.layers = nn.Linear(16, 3 * 4 * 4)
        ...
        ...     def forward(self, noise, classes):
        ...         joined = torch.cat([noise, self.embedding(classes)], 1)
        ...         return self.layers(joined).sigmoid().view(-1, 3, 4, 4)
        >>> def sample(model, classes, generator):
        ...     return model(torch.randn((len(classes), 8), generator=generator), classes)
        >>> from conceptspace.concepts.space import ConceptSpace
        >>> space = ConceptSpace.named(colour=("red", "blue"), size=("large", "small"))
        >>> adapter = ModuleAdapter(Generator(), ["embedding"], sample, ClassTable(space))
        >>> adapter.encode(torch.tensor([[1.0, 0.0, 0.0, 1.0]]))["embedding"].shape
        torch.Size([1, 8])
    """

    def __init__(
        self,
        model: nn.Module,
        sites: Sequence[str],
        sample: SampleModel,
        table: Table | None = None,
        *,
        width: int | None = None,
        path: Sequence[str] = (),
        batch_size: int = 64,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        if table is not None and not isinstance(table, Table):
            raise TypeError(
                f"table must be a ClassTable or a PromptTable, not {type(table).__name__}"
            )
        if (table is None) == (width is None):
            raise ValueError(
                "table: give a ClassTable or a PromptTable, or else the width of the conditioning "
                "vector that the model is told"
            )
        _check_names(model, sites, path)
        self.model = model
        self.table = table
        self.width = width
        self.path = tuple(path) or tuple(sites)
        self.batch_size = batch_size
        self._sites = tuple(sites)
        self._sample = sample
        self._was_tried = False

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def sites(self) -> tuple[str, ...]:
        return self._sites

    @torch.no_grad()
    def encode(self, vectors: Tensor) -> Conditioning:
        """What each site returns for conditioning vectors (batch, width), in float32."""
        if self.width is not None and vectors.shape[1] != self.width:
            raise ValueError(f"width is {self.width}, and vectors are {tuple(vectors.shape)}")
        if not self._was_tried and len(vectors):
            self._try_out(vectors)
            self._was_tried = True
        if self.table is not None:
            return self.table.mixed(vectors, self._captured)
        return {site: value.float() for site, value in self._captured(vectors).items()}

    @torch.no_grad()
    def sample(self, conditioning: Conditioning, generator: torch.Generator) -> Tensor:
        num = len(conditioning[self._sites[0]])
        images = []
        for start in range(0, num, self.batch_size):
            part = {s: value[start : start + self.batch_size] for s, value in conditioning.items()}
            images.append(self._drawn(part, generator))
        return torch.cat(images)

    def _drawn(self, conditioning: Conditioning, generator: torch.Generator) -> Tensor:
        num = len(conditioning[self._sites[0]])
        with evaluating(self.model), replaced(self.model, conditioning):
            images = self._sample(self.model, self._stand_in(num), generator)
        return checked_images(images, num)

    def conditioning_parameters(self) -> Mapping[str, Tensor]:
        """The parameters of the submodules in `path`, by their names in the model."""
        inside = tuple(f"{name}." for name in self.path)
        return {n: value for n, value in self.model.named_parameters() if n.startswith(inside)}

    def sample_noise(self) -> float:
        return 0.0

    def _conditions(self, entries: Any) -> Any:
        """Entries of the table, or conditioning vectors, as `sample` takes them."""
        if isinstance(self.table, ClassTable):
            return torch.tensor(entries, device=self.device)
        return list(entries) if self.table is not None else entries.to(self.device)

    def _stand_in(self, num: int) -> Any:
        """Conditions in place of those that the sites' outputs stand for."""
        if self.table is not None:
            return self._conditions([self.table.entries[0]] * num)
        return torch.zeros((num, self.width or 0), device=self.device)

    def _captured(self, entries: Any) -> Conditioning:
        """What each site returns for entries of the table, or for conditioning vectors."""
        parts = []
        for start in range(0, max(len(entries), 1), self.batch_size):
            some = entries[start : start + self.batch_size]
            with evaluating(self.model), captured(self.model, self._sites) as seen:
                self._sample(self.model, self._conditions(some), self._scratch(0))
            for site in self._sites:
                self._check_site(site, seen.get(site), len(some))
            parts.append(seen)
        return {site: torch.cat([part[site] for part in parts]) for site in self._sites}

    def _check_site(self, site: str, value: object, num: int) -> None:
        if value is None:
            raise ValueError(f"sites: sample never calls {site!r}")
        if not isinstance(value, Tensor) or len(value) != num:
            given = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise ValueError(
                f"sites: {site!r} returns {given} for {num} conditions, and not one row for each; "
                "`find_sites` and `conceptspace sites` show the candidates"
            )

    def _scratch(self, seed: int) -> torch.Generator:
        return torch.Generator(self.device).manual_seed(seed)

    def _try_out(self, vectors: Tensor) -> None:
        """Refuse sites that do not hold all that the model is told, or hold more than that.

        The image is drawn from other noise than the sites' outputs were read at.
        """
        tried: Any = vectors[:1] if self.table is None else [self.table.entries[1]]
        with evaluating(self.model):
            itself = self._sample(self.model, self._conditions(tried), self._scratch(1))
        told = {site: value.float() for site, value in self._captured(tried).items()}
        through = self._drawn(told, self._scratch(1))
        itself = checked_images(itself, 1)
        if not torch.allclose(itself, through, rtol=1e-2, atol=1e-2, equal_nan=True):
            raise ValueError(
                f"sites: told {tried[0]!r} at {', '.join(self._sites)} alone, the model draws "
                "another image than by itself from the same noise. Either the condition enters "
                "elsewhere too, or a site's output depends on more than the condition "
                "(`find_sites` and `conceptspace sites` show the candidates), or sample draws "
                "noise that is not its generator's"
            )


def _check_names(model: nn.Module, sites: Sequence[str], path: Sequence[str]) -> None:
    if isinstance(sites, str) or not sites:
        raise ValueError(
            f"sites must list at least one submodule, not {sites!r}; `find_sites` and "
            "`conceptspace sites` show the candidates"
        )
    modules = dict(model.named_modules())
    for argument, names in (("sites", sites), ("path", path)):
        for name in names:
            if not name or name not in modules:
                raise ValueError(
                    f"{argument}: {type(model).__name__} has no submodule {name!r}; "
                    "`find_sites` and `conceptspace sites` show those it has"
                )
