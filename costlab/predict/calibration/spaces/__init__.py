"""Kernels spread over the sizes that networks have: what is measured beside the shapes of known
networks. A file for each of `costlab.predict.kernels`."""

from .families import spread

__all__ = ["spread"]
