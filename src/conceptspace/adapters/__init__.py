"""One face for every model."""
