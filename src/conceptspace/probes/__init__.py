"""From an image to concept values: a classifier, and inversion through G."""
