"""ONNX graphs as torch modules: the file, its scopes, its operators, and what runs them."""

from ._file import File, read
from ._operators import OPERATORS, operator

__all__ = ["OPERATORS", "File", "operator", "read"]
