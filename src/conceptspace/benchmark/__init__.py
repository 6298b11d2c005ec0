"""How fast training and sampling are at the paper's size, beside the published code."""
