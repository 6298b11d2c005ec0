"""A text-to-image model of diffusers: trajectories, and what prompting does not show.

    python examples/7_diffusers.py --steps 3000

Without options a tiny one trains for a few steps only, to show that all of it works. Needs
`pip install 'conceptspace[diffusers]'`. For a pipeline that you have on disk see
docs/your-prompts.md.
"""

import argparse

import torch

import conceptspace as cs

try:
    from diffusers import DDIMScheduler, DDPMScheduler, UNet2DConditionModel
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import CLIPTextConfig, CLIPTextModel, PreTrainedTokenizerFast
except ImportError as missing:
    raise SystemExit(f"{missing}: pip install 'conceptspace[diffusers]'") from None

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--steps", type=int, default=20, help="training steps")
options = parser.parse_args()
torch.manual_seed(0)
num, num_steps = (32, 20) if options.steps >= 1000 else (2, 4)  # samples, and their steps

# The concepts, and how they are said. The model never sees a small blue square.
space = cs.ConceptSpace.named(colour=("red", "blue"), size=("large", "small"))
table = cs.PromptTable(space, "a {size} {colour} square")
split = cs.Split()


def squares(classes):
    """Images (batch, 3, 8, 8) from 0 to 1 of concept classes."""
    images = torch.full((len(classes), 3, 8, 8), 0.5)
    for image, (colour, size) in zip(images, map(space.indices, classes)):
        low, high = (1, 7) if size == 0 else (3, 5)
        image[:, low:high, low:high] = torch.eye(3)[2 * colour][:, None, None]
    return images


class Probe:
    """Any object that reads images: the colour of the middle, and whether the rim is coloured."""

    def read(self, images):
        middle, rim = images[:, :, 3:5, 3:5].mean((2, 3)), images[:, :, 1, 1:7].mean(2)
        blue = 8 * (middle[:, 2] - middle[:, 0])
        small = 8 * (0.25 - (rim[:, 0] - rim[:, 2]).abs())
        return tuple(torch.stack([-x, x], 1).softmax(1) for x in (blue, small))


# Your model: diffusers' and transformers' own classes, here tiny and untrained.
words = ["[PAD]", "[UNK]", "a", "large", "small", "red", "blue", "square"]
vocabulary = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
vocabulary.pre_tokenizer = pre_tokenizers.Whitespace()
tokenizer = PreTrainedTokenizerFast(
    tokenizer_object=vocabulary, model_max_length=4, pad_token="[PAD]", unk_token="[UNK]"
)
text_encoder = CLIPTextModel(
    CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=4,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=0,
    )
).requires_grad_(False)
text_encoder.get_input_embeddings().weight.data.normal_()


def make_unet():
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=3,
        out_channels=3,
        block_out_channels=(16, 32),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        norm_num_groups=8,
        cross_attention_dim=16,
        attention_head_dim=8,
    )


def adapter_of(unet):
    """How measuring sees it; its sites are keys and values, so that patching can hand them over."""
    return cs.DiffusersTextAdapter(
        unet,
        DDIMScheduler(),
        table,
        text_encoder,
        tokenizer,
        num_steps=num_steps,
        where="attention",
    )


instrument = cs.Instrument(
    prompter=cs.Prompter(
        space=space, conditioning=cs.Conditioning(), factor_widths={"colour": 2, "size": 2}
    ),
    split=split,
    methods=(
        cs.OverPrompt(concept="colour", strengths=(0.25, 0.5, 1.0)),
        cs.LatentSteering(concept="colour", strengths=(0.5, 1.0, 2.0)),
        cs.Guidance(weights=(1.0, 2.0, 4.0)),
    ),
    probe=Probe(),
    inversion=None,
    settings=cs.MeasurementSettings(num_samples=num, num_control_samples=num, num_directions=2),
)

# Your training loop.
unet, noise_schedule = make_unet(), DDPMScheduler()
optimiser = torch.optim.AdamW(unet.parameters(), lr=2e-3)
training = split.training(space)
measured, early = [], None
for step in range(options.steps + 1):
    if step in (options.steps // 4, options.steps // 2, options.steps):
        measured.append(cs.measure_checkpoint(adapter_of(unet), instrument, seed=0, step=step))
        early = early or {k: v.clone() for k, v in unet.state_dict().items()}
    classes = [training[int(i)] for i in torch.randint(len(training), (32,))]
    prompts = [table.prompt(**dict(zip(space.names, space.describe(c).split()))) for c in classes]
    prompts = ["" if hidden < 0.1 else p for p, hidden in zip(prompts, torch.rand(32))]
    ids = tokenizer(prompts, padding="max_length", return_tensors="pt").input_ids
    images, noise = 2 * squares(classes) - 1, torch.randn(32, 3, 8, 8)
    times = torch.randint(1000, (32,))
    noisy = noise_schedule.add_noise(images, noise, times)
    estimate = unet(noisy, times, encoder_hidden_states=text_encoder(ids)[0]).sample
    optimiser.zero_grad()
    (estimate - noise).square().mean().backward()
    optimiser.step()

# The trajectory in concept space, and what each method brings out at each checkpoint.
for checkpoint in measured:
    cells = checkpoint.sel({"concept_class": "11"}).isel(seed=0, step=0)
    colour, size = cells.coordinate.sel({"method": "naive"}).isel(strength=0).mean("sample").values
    print(f"step {int(cells.step)}: small blue squares are at ({colour:.2f}, {size:.2f})", end="")
    for name in ("naive", "over-prompting", "latent-steering", "guidance"):
        right = (cells.correct.sel({"method": name}) == 1).all("concept").mean("sample")
        print(f"; {name} {float(right.max()):.2f}", end="")
    print()

# Embedding patching: the last checkpoint's path from words to keys and values, in the first.
patched = adapter_of(make_unet())
recipient = adapter_of(make_unet())
recipient.unet.load_state_dict(early)
patch = cs.EmbeddingPatch(adapter_of(unet).conditioning_parameters())
patched.model.load_state_dict(patch.into(recipient.model))
vectors = torch.from_numpy(instrument.prompter.class_mean("11", num))
for name, adapter in (("first", recipient), ("patched", patched)):
    images = adapter.sample(adapter.encode(vectors), torch.Generator().manual_seed(0))
    colour, size = (distribution[:, 1].mean() for distribution in Probe().read(images))
    print(f"{name} checkpoint: ({colour:.2f}, {size:.2f})")
