"""Models that somebody else trains: measured in their loop, or from their checkpoints."""

from conceptspace.observe.analyse import analyse

__all__ = ["analyse"]
