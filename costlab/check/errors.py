"""What cannot be checked."""


class CheckError(ValueError):
    """Budgets or a lock file that cannot be used; one line with the file, the table and the key."""
