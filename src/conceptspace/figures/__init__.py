"""Findings -> pictures, for paper and screen."""

from conceptspace.figures.evidence import Evidence, PictureKey, gather_pictures
from conceptspace.figures.gallery import draw_all, save_figures
from conceptspace.figures.signal import signal_figure
from conceptspace.figures.trajectories import trajectory_figure

__all__ = [
    "Evidence",
    "PictureKey",
    "draw_all",
    "gather_pictures",
    "save_figures",
    "signal_figure",
    "trajectory_figure",
]
