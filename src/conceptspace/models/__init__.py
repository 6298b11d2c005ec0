"""Conditional generative models: the U-Net and the variational diffusion model."""
