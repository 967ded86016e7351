"""Measuring a device once, so that models can be predicted on it. Needs torch."""
