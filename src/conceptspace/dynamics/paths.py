"""Shapes a mean path can have over training, each fitted by weighted least squares.

Two are smooth and make up the null: a **bend**, `a + b g(t) + c g(t)^2`, traversed with one
progress g(t) shared by all concepts, and **independent learning**, `a_i + b_i g_i(t)`, with a
progress of its own for each concept. The third is the alternative: **kinked**, two straight legs
that meet in a corner at the knot, each with its own progress. Progress curves come from a
dictionary (constant speed, exponential, sigmoid), so every fit is a projection, and thousands of
shapes times hundreds of resampled paths cost a few matrix products.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import isotonic_regression

from conceptspace.dynamics.progress import clocks, leg_curves, progress_dictionary

NEAR = 0.01
"""Distance in concept space below which a path counts as being in its corner."""

OUT_OF_QUESTION = 30.0
"""A chi2 larger by so many units, of the best one per degree of freedom, rules a shape out."""


def observed_progress(
    path: Float[np.ndarray, "checkpoint concept"], weights: np.ndarray
) -> Float[np.ndarray, " checkpoint"]:
    """The monotone progress nearest to the path's own, along its main direction.

    It lets a straight path or a gentle arc have any speed whatever, pauses included.
    """
    centred = path - np.average(path, axis=0, weights=weights.mean(axis=1))
    direction = np.linalg.svd(centred, full_matrices=False)[2][0]
    along = centred @ direction
    variance = (direction**2 / weights).sum(axis=1)
    increasing = np.polyfit(np.arange(len(along)), along, 1)[0] > 0
    fit = isotonic_regression(along, weights=1 / variance, increasing=bool(increasing)).x
    spread = fit[-1] - fit[0]
    return (fit - fit[0]) / spread if abs(spread) > 1e-9 else np.linspace(0, 1, len(fit))


class LinearShapes:
    """Many linear models of a path, fitted to many paths at once.

    Args:
        designs: the columns of each model, the same for every concept.
        weights: inverse variances.
    """

    def __init__(
        self,
        designs: Float[np.ndarray, "model checkpoint column"],
        weights: Float[np.ndarray, "checkpoint concept"],
    ) -> None:
        self.root = np.sqrt(weights)
        self.bases = self._orthonormal(designs)

    def _orthonormal(self, designs: np.ndarray) -> list[np.ndarray]:
        return [np.linalg.qr(designs * root[:, None])[0] for root in self.root.T]

    def add(self, designs: Float[np.ndarray, "model checkpoint column"]) -> None:
        """Further models."""
        more = self._orthonormal(designs)
        self.bases = [np.concatenate(pair) for pair in zip(self.bases, more)]

    def explained(
        self, paths: Float[np.ndarray, "path checkpoint concept"]
    ) -> Float[np.ndarray, "model path concept"]:
        """The weighted sum of squares that each model explains of each path and concept."""
        parts = []
        for concept, basis in enumerate(self.bases):
            whitened = (paths[:, :, concept] * self.root[:, concept]).T
            models, checkpoints, columns = basis.shape
            flat = basis.transpose(0, 2, 1).reshape(-1, checkpoints) @ whitened
            parts.append((flat.reshape(models, columns, -1) ** 2).sum(axis=1))
        return np.stack(parts, axis=-1)

    def fitted(self, model: int, path: np.ndarray, concept: int) -> np.ndarray:
        """The fit of one model to one concept of a path."""
        basis, root = self.bases[concept][model], self.root[:, concept]
        return basis @ (basis.T @ (path[:, concept] * root)) / root


class SmoothPaths:
    """The null: a bend with one progress for all concepts, or independent learning of each.

    The dictionary is made finer around the curves that suit `path` best. A progress read off the
    path itself joins it where no known one will do; since that follows the noise too, it must
    explain two more units of chi2 for each of its levels (Akaike).

    Args:
        steps: training steps.
        path: the mean path.
        weights: inverse variances.
    """

    def __init__(self, steps: np.ndarray, path: np.ndarray, weights: np.ndarray) -> None:
        self.weights = weights
        times = clocks(steps)
        bends = progress_dictionary(len(times))
        learning = list(bends)
        curves = np.array([progress(times) for progress in bends])
        self.bends = LinearShapes(_powers(curves, 2), weights)
        self.learning = LinearShapes(_powers(curves, 1), weights)
        for reach in (1.0, 0.2):
            bend, learned = self._choose(path)
            near = bends[bend].neighbours(reach)
            self.bends.add(_powers(np.array([progress(times) for progress in near]), 2))
            bends += near
            near = [p for m in sorted(set(learned.tolist())) for p in learning[m].neighbours(reach)]
            self.learning.add(_powers(np.array([progress(times) for progress in near]), 1))
            learning += near
        own = observed_progress(path, weights)
        explained = self.bends.explained(path[None]).sum(axis=2).max()
        alone = LinearShapes(_powers(own[None], 2), weights).explained(path[None]).sum()
        if alone - explained > 2 * len(np.unique(own)):
            self.bends.add(_powers(own[None], 2))

    def _choose(self, path: np.ndarray) -> tuple[int, np.ndarray]:
        """The best progress of a bend, and the best of each concept learned on its own."""
        bend = self.bends.explained(path[None])[:, 0].sum(axis=1).argmax()
        return int(bend), self.learning.explained(path[None])[:, 0].argmax(axis=0)

    def explained(
        self, paths: Float[np.ndarray, "path checkpoint concept"]
    ) -> Float[np.ndarray, " path"]:
        """The weighted sum of squares explained by the better of the two."""
        bend = self.bends.explained(paths).sum(axis=2).max(axis=0)
        learning = self.learning.explained(paths).max(axis=0).sum(axis=1)
        return np.maximum(bend, learning)

    def fits(self, path: np.ndarray) -> dict[str, np.ndarray]:
        """The best mean path of each kind that is not out of the question."""
        bend, learned = self._choose(path)
        bends = [self.bends.fitted(bend, path, i) for i in range(path.shape[1])]
        parts = [self.learning.fitted(int(m), path, i) for i, m in enumerate(learned)]
        found = {"bend": np.stack(bends, axis=1), "independent learning": np.stack(parts, axis=1)}
        chi2 = {name: ((path - fit) ** 2 * self.weights).sum() for name, fit in found.items()}
        limit = min(chi2.values()) * (1 + OUT_OF_QUESTION / path.size)
        return {name: fit for name, fit in found.items() if chi2[name] <= limit}


def _powers(curves: np.ndarray, degree: int) -> Float[np.ndarray, "curve checkpoint column"]:
    return np.stack([curves**power for power in range(degree + 1)], axis=2)


@dataclass(frozen=True)
class KinkedFit:
    """Two straight legs through a corner.

    Attributes:
        knot: when the corner is passed, in checkpoints from 0, not rounded.
        corner: coordinates of the corner.
        before, after: displacement along each leg, from the start to the corner and from there on.
        path: the fitted mean path.
        solver: of each concept, the map from a path to corner, before and after at this knot.
    """

    knot: float
    corner: np.ndarray
    before: np.ndarray
    after: np.ndarray
    path: np.ndarray
    solver: Float[np.ndarray, "concept part checkpoint"]

    @property
    def angle(self) -> float:
        """Degrees between the directions before and after."""
        norms = np.linalg.norm(self.before) * np.linalg.norm(self.after)
        cosine = self.before @ self.after / norms if norms > 0 else 1.0
        return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))

    @property
    def rest(self) -> tuple[float, float]:
        """First and last checkpoint around the knot that lie within `NEAR` of the corner."""
        away = np.flatnonzero(np.linalg.norm(self.path - self.corner, axis=1) > NEAR)
        before, after = away[away < self.knot], away[away > self.knot]
        first = float(before[-1] + 1) if len(before) else 0.0
        last = float(after[0] - 1) if len(after) else len(self.path) - 1.0
        return (first, last) if first <= last else (self.knot, self.knot)


class KinkedPaths:
    """The alternative: a profile over knots, each with every pair of leg progresses.

    Args:
        num_checkpoints: length of the paths.
        weights: inverse variances.
        margin: checkpoints each leg has at least.
    """

    def __init__(self, num_checkpoints: int, weights: np.ndarray, margin: int = 3) -> None:
        last = num_checkpoints - 1
        num_knots = min(4 * (last - 2 * margin) + 1, 119)
        self.knots = np.linspace(margin, last - margin, num_knots)
        index = np.arange(num_checkpoints)
        before = np.clip(index / self.knots[:, None], 0, 1)
        after = np.clip((index - self.knots[:, None]) / (last - self.knots[:, None]), 0, 1)
        self.first = np.stack([leg - 1 for leg in leg_curves(before)], axis=1)
        # The legs mirror each other: the first may rest before the corner, the second after it.
        self.second = np.stack([1 - leg for leg in leg_curves(1 - after)], axis=1)
        self.root = np.sqrt(weights)
        self._centred = [self._centre(root) for root in self.root.T]

    def _centre(self, root: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Legs whitened, freed of the constant and normalised, and their pairwise products."""
        unit = root / np.linalg.norm(root)
        legs = []
        for leg in (self.first, self.second):
            white = leg * root
            white = white - (white @ unit)[..., None] * unit
            legs.append(white / np.linalg.norm(white, axis=-1, keepdims=True))
        return legs[0], legs[1], np.einsum("jpk,jqk->jpq", *legs)

    def profile(
        self, paths: Float[np.ndarray, "path checkpoint concept"]
    ) -> Float[np.ndarray, "path knot"]:
        """The weighted sum of squares explained with the knot at each place, best legs each."""
        return self._explained(paths).max(axis=(1, 2)).T

    def _explained(self, paths: np.ndarray) -> Float[np.ndarray, "knot leg leg path"]:
        total = 0.0
        for concept, (first, second, product) in enumerate(self._centred):
            root = self.root[:, concept]
            white = (paths[:, :, concept] * root).T
            unit = root / np.linalg.norm(root)
            p = (first @ white)[:, :, None]
            q = (second @ white)[:, None]
            r = product[..., None]
            total = total + (p**2 + q**2 - 2 * r * p * q) / (1 - r**2) + (unit @ white) ** 2
        return np.asarray(total)

    def best(self, path: Float[np.ndarray, "checkpoint concept"]) -> KinkedFit:
        """The best fit to one path."""
        explained = self._explained(path[None])[..., 0]
        knot, i, j = np.unravel_index(explained.argmax(), explained.shape)
        legs = np.stack([np.ones(len(path)), self.first[knot, i], self.second[knot, j]], axis=1)
        solver = np.array([np.linalg.pinv(legs * r[:, None]) * r for r in self.root.T])
        parts = np.einsum("cpk,kc->pc", solver, path)
        place = refine(self.knots, explained.max(axis=(1, 2)))
        return KinkedFit(place, parts[0], parts[1], parts[2], legs @ parts, solver)


def refine(knots: np.ndarray, profile: np.ndarray) -> float:
    """The maximum of a profile between grid points, by a parabola through the best three."""
    best = int(profile.argmax())
    if best in (0, len(knots) - 1):
        return float(knots[best])
    left, middle, right = profile[best - 1 : best + 2]
    curvature = left - 2 * middle + right
    shift = 0.5 * (left - right) / curvature if curvature < 0 else 0.0
    return float(knots[best] + np.clip(shift, -0.5, 0.5) * (knots[1] - knots[0]))
