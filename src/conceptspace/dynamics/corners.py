"""When training has converged, and how far each class is from its own corner then.

Two definitions of convergence. The first is what is measured: every training class is generated
right. The second looks at the training loss alone and knows nothing of samples: it has made nearly
all of its fall.
"""

import numpy as np
from jaxtyping import Float, Int

from conceptspace.dynamics.accuracy import mean_measured, smooth
from conceptspace.dynamics.learning import first_sustained

SHARE_OF_FALL = 0.95
"""Of the training loss, from its first trained checkpoint to its lowest smoothed value."""


def converged(
    accuracy: Float[np.ndarray, "training_class seed checkpoint"],
    threshold: float,
    *,
    consecutive: int = 3,
    smoothing: float = 1.5,
) -> Int[np.ndarray, " seed"]:
    """The first of the first checkpoints in a row at which all training classes are learned.

    Args:
        accuracy: joint accuracy; NaN where not measured, which is above nothing.
        threshold: what the smoothed accuracy of each must exceed.
        consecutive: checkpoints in a row.
        smoothing: standard deviation of the Gaussian, in checkpoints.

    Returns:
        index of the checkpoint, -1 where it never happens.

    Example:
        >>> rising = np.linspace(0, 1, 11)
        >>> converged(np.array([[rising], [rising**2]]), 0.7, consecutive=2, smoothing=0)
        array([9])
    """
    return first_sustained(smooth(accuracy, smoothing).min(axis=0), threshold, consecutive)


def loss_converged(
    loss: Float[np.ndarray, "seed checkpoint"],
    *,
    share: float = SHARE_OF_FALL,
    smoothing: float = 1.5,
) -> Int[np.ndarray, " seed"]:
    """The first checkpoint at which the smoothed training loss has made nearly all of its fall.

    Args:
        loss: at the checkpoints after training began.
        share: of the fall.
        smoothing: standard deviation of the Gaussian, in checkpoints.

    Returns:
        index of the checkpoint, -1 where the loss was not measured or never fell.

    Example:
        >>> loss_converged(np.array([[4.0, 2.0, 1.1, 1.0, 1.0]]), smoothing=0)
        array([2])
    """
    curve = smooth(np.asarray(loss, dtype=float), smoothing)
    known = np.asarray(np.isfinite(curve).all(axis=1))
    filled = np.where(known[:, None], curve, 0.0)
    fall = filled[:, :1] - filled.min(axis=1, keepdims=True)
    done = filled <= filled[:, :1] - share * fall
    return np.where(known & (fall[:, 0] > 0), done.argmax(axis=1), -1)


def distance_to(
    corner: Float[np.ndarray, " concept"],
    coordinate: Float[np.ndarray, "*cell sample concept"],
) -> Float[np.ndarray, "*cell"]:
    """Euclidean distance of the mean of the samples to a corner; the cube's side is 1.

    Args:
        corner: where the class belongs.
        coordinate: each sample's place; NaN where not measured.
    """
    return np.asarray(np.linalg.norm(mean_measured(coordinate, axis=-2) - corner, axis=-1))


def at_checkpoint(
    values: Float[np.ndarray, "*cell seed checkpoint"], index: Int[np.ndarray, " seed"]
) -> Float[np.ndarray, "*cell seed"]:
    """The value of each seed at a checkpoint of its own; NaN where that is -1."""
    picked = values[..., np.arange(len(index)), np.maximum(index, 0)]
    return np.where(index >= 0, picked, np.nan)
