"""Analyses: models or traces in, typed results out. No printing, no plotting."""
