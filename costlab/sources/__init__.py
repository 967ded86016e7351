"""Names and files of models: the zoo, other libraries, a user's own code, saved graphs."""

from ._model import Definition, Inputs, Loaded, Recording, Source, SourceError
from ._registry import FORMS, SOURCES, code_of, factory_arguments, find, load

__all__ = [
    "FORMS",
    "SOURCES",
    "Definition",
    "Inputs",
    "Loaded",
    "Recording",
    "Source",
    "SourceError",
    "code_of",
    "factory_arguments",
    "find",
    "load",
]
