"""What costlab uses of ultralytics, whose own types are in part unknown."""

__file__: str
