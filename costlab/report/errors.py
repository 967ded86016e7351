"""What cannot be reported."""


class ReportError(ValueError):
    """A report that cannot be made; one line naming the file, and the line where it is known."""
