"""From a model to its trajectory through concept space."""
