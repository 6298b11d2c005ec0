"""Adapters of Hugging Face diffusers' models, unedited: what they share, and the class-conditional.

What is embedded is handed to the U-Net where it enters, and the scheduler's own steps are taken as
a pipeline takes them, so that naive prompting draws what the pipeline draws from the same noise.
Those of text are in `diffusers_text.py`.
"""

import copy
import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from conceptspace.adapters.hooks import evaluating, replaced
from conceptspace.adapters.protocol import Conditioning
from conceptspace.adapters.tables import ClassTable, Table
from conceptspace.data.dropping import no_condition


class DiffusersAdapter(ABC):
    """What adapters of diffusers' U-Nets share: the sampling loop, guidance and the decoder.

    Images come as float32 in [0, 1], whatever the model's precision; conditioning is float32 too.

    Args:
        unet: the U-Net; its pixels or latents are in the scale of diffusers' pipelines, [-1, 1].
        scheduler: any of diffusers' schedulers. A copy is used, so that one that is being trained
            with is left alone.
        table: how concept vectors become what the model is asked for.
        num_steps: denoising steps.
        guidance_weight: the weight of classifier-free guidance that naive prompting has, as text
            models are used at 7.5 and hardly make sense at 1. The weights of `Guidance` multiply
            it: 1 is naive prompting, and 0 ignores the prompt.
        vae: decodes latents into images; None where the U-Net makes pixels.
        sample_size: side, or height and width, of what the U-Net makes; by default its own.
        batch_size: rows denoised and decoded at once; fewer take less memory.
    """

    def __init__(
        self,
        unet: Any,
        scheduler: Any,
        table: Table,
        *,
        num_steps: int = 50,
        guidance_weight: float = 1.0,
        vae: Any = None,
        sample_size: int | tuple[int, int] | None = None,
        batch_size: int = 32,
    ) -> None:
        for name, value in (("num_steps", num_steps), ("batch_size", batch_size)):
            if value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        size = sample_size or unet.config.sample_size
        if size is None:
            raise ValueError("sample_size: the U-Net does not state its own; give height and width")
        self.unet = unet
        self.scheduler = copy.deepcopy(scheduler)
        self.table = table
        self.num_steps = num_steps
        self.guidance_weight = guidance_weight
        self.vae = vae
        self.sample_size = (size, size) if isinstance(size, int) else tuple(size)
        self.batch_size = batch_size
        self._check()

    @abstractmethod
    def _check(self) -> None:
        """Refuse a model or a table that the adapter is not for."""

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.unet.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The precision in which the U-Net computes."""
        return next(self.unet.parameters()).dtype

    @property
    @abstractmethod
    def model(self) -> nn.Module:
        """What `conditioning_parameters` names parameters of: patches go into this."""

    @abstractmethod
    def sites(self) -> tuple[str, ...]:
        """The names of the sites at which the condition enters."""

    @abstractmethod
    def encode(self, vectors: Tensor) -> Conditioning:
        """What the conditioning vectors (batch, width) contribute at each site."""

    @abstractmethod
    def conditioning_parameters(self) -> Mapping[str, Tensor]:
        """The parameters of the path from prompt to sites: what embedding patching swaps."""

    @abstractmethod
    def _told(self, sites: Conditioning) -> tuple[dict[str, Any], AbstractContextManager[None]]:
        """How the U-Net is told: arguments of its call, and a block inside which it is called."""

    def sample_noise(self) -> float:
        return 0.0

    def sample(self, conditioning: Conditioning, generator: torch.Generator) -> Tensor:
        """One image a row (batch, channels, height, width), at the adapter's guidance weight."""
        num = len(next(iter(conditioning.values())))
        ones = torch.ones(num, device=self.device)
        return self._drawn(conditioning, None, ones, generator)

    def sample_guided(
        self,
        conditioning: Conditioning,
        unconditional: Conditioning,
        weights: Tensor,
        generator: torch.Generator,
    ) -> Tensor:
        """Like `sample`, under classifier-free guidance at `guidance_weight` times the weights."""
        return self._drawn(conditioning, unconditional, weights, generator)

    @torch.no_grad()
    def _drawn(
        self,
        conditioning: Conditioning,
        unconditional: Conditioning | None,
        weights: Tensor,
        generator: torch.Generator,
    ) -> Tensor:
        weights = self.guidance_weight * weights.to(self.device)
        if unconditional is None and bool((weights != 1.0).any()):
            unconditional = self.encode(no_condition(self.table.space.width))
        images = []
        models = [self.unet] if self.vae is None else [self.unet, self.vae]
        with evaluating(*models):
            for start in range(0, len(weights), self.batch_size):
                rows = slice(start, start + self.batch_size)
                part = {site: value[rows] for site, value in conditioning.items()}
                latents = self._denoised(part, unconditional, weights[rows], generator)
                images.append(self._decoded(latents))
        return torch.cat(images)

    def _denoised(
        self,
        conditioning: Conditioning,
        unconditional: Conditioning | None,
        weights: Tensor,
        generator: torch.Generator,
    ) -> Tensor:
        """Pixels or latents (batch, channels, height, width) of one batch."""
        scheduler = self.scheduler
        scheduler.set_timesteps(self.num_steps, device=self.device)
        # Those whose steps draw no noise take no generator; those of flows scale nothing.
        takes = inspect.signature(scheduler.step).parameters
        drawing = {"generator": generator} if "generator" in takes else {}
        scale = getattr(scheduler, "scale_model_input", lambda latents, t: latents)
        shape = (len(weights), self.unet.config.in_channels, *self.sample_size)
        latents = torch.randn(shape, generator=generator, device=self.device, dtype=self.dtype)
        latents = latents * getattr(scheduler, "init_noise_sigma", 1.0)
        guided = (weights != 1.0).nonzero()[:, 0]
        for t in scheduler.timesteps:
            given = scale(latents, t)
            estimate = self._estimate(given, t, conditioning)
            if len(guided) and unconditional is not None:
                hidden = {
                    site: value.expand(len(guided), *value.shape[1:])
                    for site, value in unconditional.items()
                }
                without = self._estimate(given[guided], t, hidden)
                weight = weights[guided].view(-1, 1, 1, 1).to(estimate.dtype)
                led = without + weight * (estimate[guided] - without)
                estimate = estimate.index_copy(0, guided, led)
            latents = scheduler.step(estimate, t, latents, **drawing, return_dict=False)[0]
        return latents

    def _estimate(self, latents: Tensor, t: Tensor, sites: Conditioning) -> Tensor:
        arguments, telling = self._told(sites)
        with telling:
            return self.unet(latents, t, **arguments, return_dict=False)[0]

    def _decoded(self, latents: Tensor) -> Tensor:
        """Images as float32 in [0, 1]."""
        if self.vae is not None:
            config = self.vae.config
            shift = getattr(config, "shift_factor", None) or 0.0
            scaled = latents / getattr(config, "scaling_factor", 1.0) + shift
            scaled = scaled.to(next(self.vae.parameters()).dtype)
            latents = self.vae.decode(scaled, return_dict=False)[0]
        return (latents.float() / 2 + 0.5).clamp(0.0, 1.0)


class DiffusersClassAdapter(DiffusersAdapter):
    """A `UNet2DModel` with class embedding as an `Adapter`; latent diffusion with a `vae`.

    Its one site, `"class"`, is what the class adds to the embedding of the time. Patching swaps
    the class embedding.

    The arguments are those of `DiffusersAdapter`, with a `UNet2DModel` made with
    `num_class_embeds` and a `ClassTable`, whose `null_class` guidance needs.

    Raises:
        ValueError: if the U-Net has no class embedding, or the table an id beyond it.

    Example:
        `DiffusersClassAdapter(unet, DDIMScheduler(), ClassTable(space), num_steps=50)`
    """

    table: ClassTable

    def _check(self) -> None:
        if not isinstance(self.table, ClassTable):
            raise TypeError(f"table must be a ClassTable, not {type(self.table).__name__}")
        embedding, ids = getattr(self.unet, "class_embedding", None), self.table.entries
        if embedding is None or isinstance(embedding, nn.Identity):
            raise ValueError(
                "unet has no table of classes: make the UNet2DModel with num_class_embeds, or use "
                "ModuleAdapter for a condition that enters elsewhere"
            )
        if isinstance(embedding, nn.Embedding) and max(ids) >= embedding.num_embeddings:
            raise ValueError(
                f"table has the id {max(ids)}, and the U-Net knows {embedding.num_embeddings} "
                f"classes, 0 to {embedding.num_embeddings - 1}"
            )
        if self.guidance_weight != 1.0 and self.table.null_class is None:
            raise ValueError(
                f"guidance_weight {self.guidance_weight} needs the id of the hidden class: give "
                "the table its null_class"
            )

    @property
    def model(self) -> nn.Module:
        return self.unet

    def sites(self) -> tuple[str, ...]:
        return ("class",)

    @torch.no_grad()
    def encode(self, vectors: Tensor) -> Conditioning:
        return self.table.mixed(vectors, self._embedded)

    def _embedded(self, ids: list[int]) -> Conditioning:
        labels = torch.tensor(ids, device=self.device)
        if self.unet.config.class_embed_type == "timestep":
            labels = self.unet.time_proj(labels).to(self.dtype)
        return {"class": self.unet.class_embedding(labels)}

    def conditioning_parameters(self) -> Mapping[str, Tensor]:
        own = self.unet.class_embedding.named_parameters()
        return {f"class_embedding.{name}": value for name, value in own}

    def _told(self, sites: Conditioning) -> tuple[dict[str, Any], AbstractContextManager[None]]:
        value = sites["class"]
        ids = torch.zeros(len(value), dtype=torch.long, device=self.device)
        return {"class_labels": ids}, replaced(self.unet, {"class_embedding": value})
