"""From an image to concept values: a classifier, and inversion through G.

Nothing is imported here, so that `conceptspace.probes.settings` loads without torch.
"""
