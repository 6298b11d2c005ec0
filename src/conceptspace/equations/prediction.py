"""Predicted learning times on the command line."""

import numpy as np

from conceptspace.equations.flags import Answer, between
from conceptspace.figures.prediction import prediction_figure
from conceptspace.options import PredictionOptions, UsageError
from conceptspace.theory.prediction import Prediction, predict_other_half
from conceptspace.theory.table import read_times


def predict(options: PredictionOptions) -> Answer:
    """Learning times of a table, half of it predicted from the other."""
    between("confidence", options.confidence)
    if options.random_seed < 0:
        raise UsageError(f"--random-seed must be 0 or more, not {options.random_seed}")
    rng = np.random.default_rng(options.random_seed)
    try:
        with open(options.table, encoding="utf-8", newline="") as lines:
            table = read_times(lines)
        found = predict_other_half(table.signal, table.times, table.ends, rng, options.confidence)
    except OSError as error:
        raise UsageError(f"cannot read {options.table}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{options.table}: {error}") from error
    return _about_prediction(found), prediction_figure(found, table.concepts)


def _about_prediction(found: Prediction) -> list[str]:
    low, high = found.law.slope_interval()
    c, order = found.concordance, found.order
    return [
        f"log T falls by {-found.law.slope:.3g} per unit of log signal "
        f"(95 %: {-high:.3g} to {-low:.3g}), spread {found.law.spread:.3g}",
        f"order of {c.num_pairs} pairs of scored times: C = {c.share:.3f} "
        f"({c.interval[0]:.3f} to {c.interval[1]:.3f}), tau = {c.tau:.3f}",
        f"order of the concepts within a setting: {order.share:.3f} of {order.num_pairs} pairs",
        f"intervals of {100 * found.confidence:g} % hold {100 * found.coverage:.1f} % of the "
        "scored times",
        f"the signal orders learning times: {found.verdict}",
    ]
