"""What costlab uses of fvcore, whose own types are in part unknown."""

__version__: str
