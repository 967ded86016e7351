"""What costlab uses of matplotlib itself."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

__version__: str

def get_data_path() -> str: ...
def rc_context(rc: Mapping[str, Any]) -> AbstractContextManager[None]: ...
