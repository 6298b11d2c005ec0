"""Trajectory to findings: speed, turns, learning times, emergence.

Nothing is imported here, so that `conceptspace.dynamics.settings` loads without scipy and xarray.
"""
