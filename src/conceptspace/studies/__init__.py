"""The paper's experiments, each from its runs to its figure and its claims."""
