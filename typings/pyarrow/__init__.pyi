"""What costlab uses of pyarrow, which has no types."""

from collections.abc import Mapping, Sequence

class Table:
    def replace_schema_metadata(self, metadata: Mapping[str, str]) -> Table: ...

def table(data: Mapping[str, Sequence[object]]) -> Table: ...
