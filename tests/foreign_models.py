"""Tiny models that are no diffusion models, as users bring them, with their sampling functions."""

import torch
from torch import nn

from conceptspace.adapters.tables import ClassTable
from named_worlds import SPACE

CLASS_TABLE = ClassTable(SPACE)


def _seeded(module, seed):
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) * 0.5
    return module


class Generator(nn.Module):
    """The generator of a GAN: noise and an embedded class."""

    def __init__(self, seed=0):
        super().__init__()
        self.embedding = nn.Embedding(4, 6)
        self.layers = nn.Sequential(nn.Linear(14, 32), nn.ReLU(), nn.Linear(32, 48))
        _seeded(self, seed)

    def forward(self, noise, classes):
        joined = torch.cat([noise, self.embedding(classes)], 1)
        return self.layers(joined).sigmoid().view(-1, 3, 4, 4)


def sample_gan(model, classes, generator):
    return model(torch.randn((len(classes), 8), generator=generator), classes)


class VectorGenerator(nn.Module):
    """A generator that is told the conditioning vector, at two places."""

    def __init__(self, seed=0):
        super().__init__()
        self.first, self.second = nn.Linear(4, 8), nn.Linear(4, 8)
        self.layers = nn.Linear(8, 48)
        _seeded(self, seed)

    def forward(self, noise, vectors):
        hidden = (noise + self.first(vectors)).tanh() + self.second(vectors)
        return self.layers(hidden).sigmoid().view(-1, 3, 4, 4)


def sample_vectors(model, vectors, generator):
    return model(torch.randn((len(vectors), 8), generator=generator), vectors)


class PixelTransformer(nn.Module):
    """A transformer that writes an image pixel by pixel, each one of four tones, after a prefix."""

    TONES, PIXELS = 4, 9

    def __init__(self, seed=0, width=16):
        super().__init__()
        self.prefix = nn.Embedding(4, width)
        self.tone = nn.Embedding(self.TONES, width)
        self.place = nn.Parameter(torch.zeros(self.PIXELS, width))
        self.block = nn.TransformerEncoderLayer(width, 2, 2 * width, 0.0, batch_first=True)
        self.head = nn.Linear(width, self.TONES)
        _seeded(self, seed)

    def forward(self, classes, tones):
        """Logits (batch, tone) of the next pixel after those (batch, pixels) that are there."""
        tokens = torch.cat([self.prefix(classes)[:, None], self.tone(tones)], 1)
        tokens = tokens + self.place[: tokens.shape[1]]
        mask = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1])
        return self.head(self.block(tokens, src_mask=mask)[:, -1])


def sample_transformer(model, classes, generator):
    tones = torch.zeros((len(classes), 0), dtype=torch.long)
    for _ in range(model.PIXELS):
        likely = model(classes, tones).softmax(1)
        tones = torch.cat([tones, torch.multinomial(likely, 1, generator=generator)], 1)
    grey = tones.view(-1, 1, 3, 3) / (model.TONES - 1)
    return grey.expand(-1, 3, 3, 3)
