"""A diffusers pipeline read from a folder on disk: no network, no pickle, no code."""

import json
from pathlib import Path
from typing import Any

import torch

ADVICE = (
    "where you trust it, load it with diffusers and write it again by "
    "`pipeline.save_pretrained(folder, safe_serialization=True)`"
)


def load_pipeline(
    path: str | Path,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
    variant: str | None = None,
) -> Any:
    """A pipeline that `save_pretrained` wrote, such as a Stable Diffusion you have on disk.

    Nothing is downloaded and no code is run: weights must be safetensors, and a folder with Python
    files is refused. The safety checker, which would blacken images, is left out.

    Args:
        path: the folder, which holds a `model_index.json`.
        dtype: precision of the weights.
        device: where they go.
        variant: of the weights' files, such as "fp16".

    Raises:
        ImportError: if diffusers or transformers is not installed.
        FileNotFoundError: if the folder holds no pipeline.
        ValueError: if it holds pickled weights alone, or code.
    """
    folder = Path(path)
    index = _index(folder)
    code = next(folder.rglob("*.py"), None)
    if code is not None:
        raise ValueError(f"{code}: a pipeline with code of its own is not loaded; remove the file")
    for name, part in index.items():
        if isinstance(part, list) and part[0] is not None and name != "safety_checker":
            _check_part(folder / name, part[0])
    try:
        import transformers  # noqa: F401, the text encoder's
        from diffusers.pipelines.pipeline_utils import DiffusionPipeline
    except ImportError:
        raise ImportError(
            "pipelines need diffusers and transformers: install them with "
            "`pip install 'conceptspace[diffusers]'`"
        ) from None
    left_out = {"safety_checker": None} if "safety_checker" in index else {}
    pipeline = DiffusionPipeline.from_pretrained(
        str(folder),
        local_files_only=True,
        use_safetensors=True,
        variant=variant,
        **left_out,
    )
    pipeline.set_progress_bar_config(disable=True)
    # Not while reading: the argument for it has two names in the versions of diffusers.
    return pipeline.to(device) if dtype == torch.float32 else pipeline.to(device, dtype)


def _index(folder: Path) -> dict[str, Any]:
    """What the pipeline is made of."""
    file = folder / "model_index.json"
    if not file.is_file():
        raise FileNotFoundError(
            f"{folder} holds no model_index.json: give the folder that "
            "`pipeline.save_pretrained` wrote"
        )
    try:
        index = json.loads(file.read_text())
    except ValueError as error:
        raise ValueError(f"{file} is no JSON: {error}") from None
    if not isinstance(index, dict) or not isinstance(index.get("_class_name"), str):
        raise ValueError(
            f"{file} names no class of diffusers: a pipeline of your own is not loaded"
        )
    return index


def _check_part(part: Path, library: object) -> None:
    """Refuse a part that is none of the two libraries', or whose weights are pickled."""
    if library not in ("diffusers", "transformers"):
        raise ValueError(f"{part}: made by {library!r}, and not by diffusers or transformers")
    pickled = [p for p in sorted(part.glob("*")) if p.suffix in (".bin", ".pt", ".pth", ".ckpt")]
    if pickled and not any(part.glob("*.safetensors")):
        raise ValueError(f"{pickled[0]}: pickled weights are not loaded; {ADVICE}")
