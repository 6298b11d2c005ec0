"""How well a probe reads known images: confusion, accuracy of each class, and calibration.

Everything is returned as plain numbers and lists, ready for JSON.
"""

import numpy as np
import torch

from conceptspace.concepts import ConceptSpace
from conceptspace.data.dataset import Dataset
from conceptspace.probes.classifier import Probe


def confusion(probe: Probe, dataset: Dataset, space: ConceptSpace) -> dict[str, list[list[int]]]:
    """Counts for each concept: rows are the true values, columns the values read.

    Args:
        probe: the probe to judge.
        dataset: labelled images that it was not trained on.
        space: the concepts, in the order of the labels.

    Returns:
        Concept name -> matrix of counts, number of values on a side.
    """
    tables = {}
    read = probe.read(dataset.images)
    for index, concept in enumerate(space.concepts):
        true, values = dataset.labels[:, index].cpu(), read[index].argmax(dim=1).cpu()
        table = np.zeros((concept.num_values, concept.num_values), dtype=np.int64)
        np.add.at(table, (true.numpy(), values.numpy()), 1)
        tables[concept.name] = table.tolist()
    return tables


def class_accuracy(probe: Probe, dataset: Dataset, space: ConceptSpace) -> dict[str, float]:
    """Share of each class's images on which every concept is read right.

    Classes without an image are left out.
    """
    read = [part.argmax(dim=1) for part in probe.read(dataset.images)]
    values, labels = torch.stack(read, dim=1).cpu().numpy(), dataset.labels.cpu().numpy()
    right = (values == labels).all(axis=1)
    names = np.asarray([space.class_name(row) for row in labels])
    return {
        name: float(right[names == name].mean()) for name in space.classes if (names == name).any()
    }


def calibration(
    probe: Probe, dataset: Dataset, space: ConceptSpace, num_bins: int = 10
) -> dict[str, dict[str, object]]:
    """Reliability of the probe's probabilities: is it right as often as it says?

    Images are binned by the probability of the value read, in equal steps from 0 to 1.

    Args:
        probe: the probe to judge.
        dataset: labelled images that it was not trained on.
        space: the concepts, in the order of the labels.
        num_bins: number of bins, at least 1.

    Returns:
        Concept name -> `confidence` and `accuracy`, the mean of each bin (None where it is empty),
        `share` of the images in each bin, and `error`, the expected calibration error: the gap
        between accuracy and confidence, averaged over images (Guo et al. 2017).

    Raises:
        ValueError: `num_bins` is less than 1.
    """
    if num_bins < 1:
        raise ValueError(f"num_bins must be at least 1, not {num_bins}")
    tables = {}
    read = probe.read(dataset.images)
    for index, concept in enumerate(space.concepts):
        largest, values = (
            part.double().cpu().numpy() if part.is_floating_point() else part.cpu().numpy()
            for part in read[index].max(dim=1)
        )
        right = values == dataset.labels[:, index].cpu().numpy()
        tables[concept.name] = _reliability(largest, right, num_bins)
    return tables


def _reliability(probability: np.ndarray, right: np.ndarray, num_bins: int) -> dict[str, object]:
    bins = np.clip((probability * num_bins).astype(int), 0, num_bins - 1)
    count = np.bincount(bins, minlength=num_bins)
    confidence = np.bincount(bins, weights=probability, minlength=num_bins)
    accuracy = np.bincount(bins, weights=right.astype(float), minlength=num_bins)
    total = len(probability)

    def means(sums: np.ndarray) -> list[float | None]:
        return [float(s / n) if n else None for s, n in zip(sums, count)]

    return {
        "confidence": means(confidence),
        "accuracy": means(accuracy),
        "share": [float(n / total) for n in count],
        "error": float(np.abs(confidence - accuracy).sum() / total),
    }
