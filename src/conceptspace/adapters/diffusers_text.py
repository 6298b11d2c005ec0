"""The adapter of diffusers' text-to-image models: a U-Net that attends to the words of a prompt."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from conceptspace.adapters.diffusers import DiffusersAdapter
from conceptspace.adapters.hooks import evaluating, replaced
from conceptspace.adapters.protocol import Conditioning
from conceptspace.adapters.tables import PromptTable


class DiffusersTextAdapter(DiffusersAdapter):
    """A `UNet2DConditionModel` with its text encoder as an `Adapter`; latent with a `vae`.

    With `where="text"` its one site, `"text"`, is the encoded prompt, (batch, tokens, width). With
    `where="attention"` the sites are the keys and values of every cross-attention, by their names
    in the U-Net; that takes far more memory, and is for steering in the U-Net's own terms and for
    handing a donor's sites to a recipient.

    Patching swaps the whole path from words to where they meet the image: the text encoder and the
    projections to keys and values. The text encoder is mostly frozen in training, so with the
    first alone nothing would be swapped.

    Args:
        unet: a `UNet2DConditionModel`, told by its cross-attention alone.
        scheduler: any of diffusers' schedulers.
        table: the prompt of each concept class.
        text_encoder: from token ids to a sequence of embeddings, as CLIP's and T5's.
        tokenizer: its tokenizer.
        where: where the sites are.
        num_steps: as for `DiffusersAdapter`, and so are the others.

    Raises:
        ValueError: if the U-Net wants more than text, or its text is of another width.
    """

    table: PromptTable

    def __init__(
        self,
        unet: Any,
        scheduler: Any,
        table: PromptTable,
        text_encoder: Any,
        tokenizer: Any,
        *,
        where: Literal["text", "attention"] = "text",
        num_steps: int = 50,
        guidance_weight: float = 1.0,
        vae: Any = None,
        sample_size: int | tuple[int, int] | None = None,
        batch_size: int = 32,
    ) -> None:
        if where not in ("text", "attention"):
            raise ValueError(f"where must be 'text' or 'attention', not {where!r}")
        self.text_encoder = text_encoder
        self.tokenizer = tokenizer
        self.where = where
        super().__init__(
            unet,
            scheduler,
            table,
            num_steps=num_steps,
            guidance_weight=guidance_weight,
            vae=vae,
            sample_size=sample_size,
            batch_size=batch_size,
        )

    @classmethod
    def from_pipeline(
        cls,
        pipeline: Any,
        table: PromptTable,
        *,
        where: Literal["text", "attention"] = "text",
        num_steps: int = 50,
        guidance_weight: float = 7.5,
        batch_size: int = 8,
    ) -> "DiffusersTextAdapter":
        """The adapter of a `StableDiffusionPipeline`, or one of the same parts.

        Args:
            pipeline: the pipeline; `load_pipeline` reads one from disk.
            table: the prompt of each concept class.
            where: as above; the rest too, with a pipeline's usual weight of guidance.
            num_steps: denoising steps.
            guidance_weight: of naive prompting.
            batch_size: images at once.

        Raises:
            ValueError: if the pipeline has other parts.
        """
        if isinstance(pipeline, str | Path):
            raise TypeError(
                "pipeline must be the pipeline itself: read it by load_pipeline(folder)"
            )
        parts = ("unet", "scheduler", "text_encoder", "tokenizer", "vae")
        missing = [part for part in parts if getattr(pipeline, part, None) is None]
        kind = type(pipeline).__name__
        if missing:
            raise ValueError(
                f"pipeline: {kind} has no {missing[0]}, so it is no StableDiffusionPipeline; "
                "write an adapter of your own (docs/adapters.md)"
            )
        if getattr(pipeline, "text_encoder_2", None) is not None:
            raise ValueError(
                f"pipeline: {kind} has two text encoders, which this adapter does not know; "
                "write an adapter of your own (docs/adapters.md)"
            )
        return cls(
            pipeline.unet,
            pipeline.scheduler,
            table,
            pipeline.text_encoder,
            pipeline.tokenizer,
            where=where,
            num_steps=num_steps,
            guidance_weight=guidance_weight,
            vae=pipeline.vae,
            batch_size=batch_size,
        )

    def _check(self) -> None:
        if not isinstance(self.table, PromptTable):
            raise TypeError(f"table must be a PromptTable, not {type(self.table).__name__}")
        config = self.unet.config
        for extra in ("addition_embed_type", "class_embed_type", "num_class_embeds"):
            if getattr(config, extra, None) is not None:
                raise ValueError(
                    f"unet wants more than text ({extra} is {getattr(config, extra)!r}), which "
                    "this adapter does not know; write an adapter of your own (docs/adapters.md)"
                )
        if getattr(config, "time_cond_proj_dim", None) is not None:
            raise ValueError(
                "unet has its guidance distilled into it (time_cond_proj_dim), so its weights "
                "cannot be varied; write an adapter of your own (docs/adapters.md)"
            )
        if not _cross_attentions(self.unet):
            raise ValueError(
                "unet has no cross-attention: a class-conditional one is for DiffusersClassAdapter"
            )
        projected = getattr(self.unet, "encoder_hid_proj", None) is not None
        normed = any(
            getattr(attention, "norm_cross", None) is not None
            or getattr(attention, "added_kv_proj_dim", None) is not None
            for attention in _cross_attentions(self.unet).values()
        )
        if self.where == "attention" and (projected or normed):
            raise ValueError(
                "where: this U-Net changes the text before its keys and values, so they cannot be "
                "sites; choose where='text'"
            )
        if not 0 < self.tokenizer.model_max_length < 1_000_000:
            raise ValueError(
                "tokenizer.model_max_length is not set: set it to the number of tokens that the "
                "text encoder reads"
            )

    @property
    def model(self) -> nn.Module:
        """U-Net and text encoder in one, which `conditioning_parameters` names parameters of."""
        return nn.ModuleDict({"unet": self.unet, "text_encoder": self.text_encoder})

    def sites(self) -> tuple[str, ...]:
        return ("text",) if self.where == "text" else tuple(_projections(self.unet))

    @torch.no_grad()
    def encode(self, vectors: Tensor) -> Conditioning:
        told = self.table.mixed(vectors, self._embedded)
        if self.where == "text":
            return told
        text = told["text"].to(self.dtype)
        return {site: module(text).float() for site, module in _projections(self.unet).items()}

    def _embedded(self, prompts: list[str]) -> Conditioning:
        """Prompts as the pipeline encodes them, (prompt, tokens, width)."""
        tokens = self.tokenizer(
            prompts,
            padding="max_length",
            max_length=self.tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        ).to(next(self.text_encoder.parameters()).device)
        for prompt, ids in zip(prompts, self.tokenizer(prompts).input_ids):
            if len(ids) > tokens.input_ids.shape[1]:
                raise ValueError(
                    f"template: the prompt {prompt!r} has {len(ids)} tokens and the text encoder "
                    f"reads {tokens.input_ids.shape[1]}; its end would be cut off"
                )
        masked = getattr(self.text_encoder.config, "use_attention_mask", False)
        parts = []
        with evaluating(self.text_encoder):
            for start in range(0, len(prompts), self.batch_size):
                rows = slice(start, start + self.batch_size)
                mask = tokens.attention_mask[rows] if masked else None
                parts.append(self.text_encoder(tokens.input_ids[rows], attention_mask=mask)[0])
        return {"text": torch.cat(parts).to(self.device)}

    def conditioning_parameters(self) -> Mapping[str, Tensor]:
        """Text encoder and projections to keys and values, by their names in `model`."""
        before = dict(self.text_encoder.named_parameters(prefix="text_encoder"))
        if getattr(self.unet, "encoder_hid_proj", None) is not None:
            projection = self.unet.encoder_hid_proj
            before |= dict(projection.named_parameters(prefix="unet.encoder_hid_proj"))
        for name, module in _projections(self.unet).items():
            before |= dict(module.named_parameters(prefix=f"unet.{name}"))
        return before

    def _told(self, sites: Conditioning) -> tuple[dict[str, Any], AbstractContextManager[None]]:
        if self.where == "text":
            return {"encoder_hidden_states": sites["text"].to(self.dtype)}, nullcontext()
        keys = next(iter(sites.values()))
        # The text that keys and values would be made of: only its shape matters here.
        width = self.unet.config.cross_attention_dim
        blank = keys.new_zeros((*keys.shape[:2], width), dtype=self.dtype)
        return {"encoder_hidden_states": blank}, replaced(self.unet, sites)


def _cross_attentions(unet: nn.Module) -> dict[str, Any]:
    return {
        name: module
        for name, module in unet.named_modules()
        if getattr(module, "is_cross_attention", False)
    }


def _projections(unet: nn.Module) -> dict[str, nn.Module]:
    """The projections of text to keys and values, by their names in the U-Net."""
    return {
        f"{name}.{projection}": getattr(attention, projection)
        for name, attention in _cross_attentions(unet).items()
        for projection in ("to_k", "to_v")
    }
