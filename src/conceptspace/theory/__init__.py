"""Equations -> trajectories: the identity task in closed form, the landscape model, predictions.

Nothing is imported here, so that `conceptspace.theory.settings` loads without scipy and torch.
"""
