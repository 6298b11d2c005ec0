"""Interventions as values: what a model can do beyond what naive prompting shows."""
