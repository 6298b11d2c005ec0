"""From a concept vector to an image (G) and to what the model is told of it (M)."""
