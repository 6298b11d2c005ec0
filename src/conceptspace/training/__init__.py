"""The built-in training loop, with exact resume."""
