"""Which equations are asked."""

from conceptspace.equations.flags import Answer
from conceptspace.equations.landscape import fit_run, simulate
from conceptspace.equations.prediction import predict
from conceptspace.equations.sim import simulate_task
from conceptspace.options import LandscapeOptions, PredictionOptions, SimOptions


def solve(options: SimOptions | LandscapeOptions | PredictionOptions) -> Answer:
    """The sentences to print and the figure to write.

    Raises:
        UsageError: if an option is wrong; the message names it and what would be right.
    """
    if isinstance(options, SimOptions):
        return simulate_task(options)
    if isinstance(options, PredictionOptions):
        return predict(options)
    return simulate(options) if options.run is None else fit_run(options.run, options)
