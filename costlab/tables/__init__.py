"""Tables: a Trace in, a typed Table out. No printing."""
from ._table import Column, Row, Table, table

__all__ = ["Column", "Row", "Table", "table"]
