"""Receptive fields: which input positions each position of a tensor sees."""

from .fields import Field, Fields, fields

__all__ = ["Field", "Fields", "fields"]
