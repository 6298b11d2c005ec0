"""Compiles a small network as a GPU run does, tracing only, and says what it found as JSON.

A process of its own: the shape checks of the other tests cannot be traced.
"""

import copy
import functools
import json

import torch

from conceptspace.models import unet
from conceptspace.models.execution import Execution
from conceptspace.models.settings import UNetSettings

SETTINGS = UNetSettings(
    widths=(8, 16), num_blocks=1, num_heads=2, num_groups=4, time_features=8, dropout=0.5
)


def main() -> None:
    graphs = []

    def trace(graph, inputs):
        graphs.append(graph)
        return graph.forward

    torch.compile = functools.partial(torch.compile, backend=trace)
    torch.manual_seed(0)
    network = unet.UNet(3, 4, SETTINGS)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    compiled = copy.deepcopy(network)
    compiled.execution = Execution.model_construct(**Execution().model_dump() | {"compiled": True})
    found = {"gradients": gradient_error(network, compiled), "training_graphs": len(graphs)}
    found["predictions"] = prediction_error(network.eval(), compiled.eval())
    found["graphs"] = len(graphs)
    print(json.dumps(found))


def gradient_error(network, compiled) -> float:
    z_t, time, vectors = torch.randn(6, 3, 8, 8), torch.rand(6), torch.rand(6, 4)
    bits = network.draw_dropout(tuple(z_t.shape), torch.Generator().manual_seed(0))
    for each in (network, compiled):
        each.denoise(z_t, time, each.condition(vectors), bits).square().mean().backward()
    pairs = zip(network.parameters(), compiled.parameters())
    return max(float((one.grad - other.grad).abs().max()) for one, other in pairs)


@torch.no_grad()
def prediction_error(network, compiled) -> float:
    """Of numbers of images that are fewer than, as many as, and more than the rows of a part."""
    unet._COMPILED_ROWS = 4
    errors, time = [], torch.full((1,), 0.3)
    for num in (1, 3, 4, 6, 9):
        z_t, sites = torch.randn(num, 3, 8, 8), network.condition(torch.rand(num, 4))
        expected = network.denoise(z_t, time, sites)
        errors.append(float((compiled.denoise(z_t, time, sites) - expected).abs().max()))
    return max(errors)


if __name__ == "__main__":
    main()
