"""Gaussian data of two classes, a network that can be the best there is, and a test of samples.

Data: vectors of four correlated numbers shaped as images, N(mean of the class, C). Samples are
right if each of a class is N(mean, C + noise^2). Mean: n (m - mean)' S^-1 (m - mean), chi-squared
with 4 degrees of freedom. Covariance: the likelihood-ratio statistic n (tr R - log det R - 4), R
the sample covariance over the one expected, chi-squared with 10.
"""

import numpy as np
import torch
from scipy import stats
from torch import nn

from conceptspace.data.dataset import Dataset

SHAPE, DIMENSIONS = (1, 2, 2), 4
VARIANCES = np.array([0.04, 0.08, 0.2, 0.4])
AXES = np.linalg.qr(np.array([[2, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 3.0]]))[0]
COVARIANCE = AXES @ np.diag(VARIANCES) @ AXES.T
MEANS = np.array([[0.2, 0.5, 0.4, 0.6], [0.7, 0.3, 0.6, 0.2]])


class LinearInTheImage(nn.Module):
    """A gain matrix and a shift a class, both free functions of time: the best has this form."""

    def __init__(self, width=64):
        super().__init__()
        self.time = nn.Sequential(
            nn.Linear(1, width), nn.GELU(), nn.Linear(width, width), nn.GELU()
        )
        self.gain = nn.Linear(width, DIMENSIONS * DIMENSIONS)
        self.shift = nn.Linear(width, DIMENSIONS * 2)

    def condition(self, vectors):
        return {"class": vectors}

    def denoise(self, z_t, time, sites):
        features = self.time(8 * time[:, None] - 4)
        gain = self.gain(features).view(-1, DIMENSIONS, DIMENSIONS)
        shift = self.shift(features).view(-1, DIMENSIONS, 2)
        correction = gain @ z_t.flatten(1)[..., None] + shift @ sites["class"][..., None]
        return correction.view_as(z_t)


def draw(num, seed):
    rng = np.random.default_rng(seed)
    concept_class = np.arange(num) % 2
    x = MEANS[concept_class] + rng.multivariate_normal(np.zeros(DIMENSIONS), COVARIANCE, num)
    vectors = torch.eye(2)[concept_class]
    labels = torch.from_numpy(concept_class)[:, None]
    images = torch.from_numpy(x.astype(np.float32)).view(num, *SHAPE)
    return Dataset(images, vectors, vectors, labels)


def p_values(samples, noise):
    """Of the mean and of the covariance, for each class."""
    expected = COVARIANCE + noise**2 * np.eye(DIMENSIONS)
    values = []
    for drawn, mean in zip(samples, MEANS):
        off = drawn.mean(axis=0) - mean
        values.append(stats.chi2.sf(len(drawn) * off @ np.linalg.solve(expected, off), DIMENSIONS))
        ratio = np.linalg.solve(expected, np.cov(drawn.T))
        statistic = np.trace(ratio) - np.linalg.slogdet(ratio)[1] - DIMENSIONS
        freedom = DIMENSIONS * (DIMENSIONS + 1) // 2
        values.append(stats.chi2.sf(len(drawn) * statistic, freedom))
    return np.array(values)
