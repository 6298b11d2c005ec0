"""Findings to claims, and to a report that a person reads."""
