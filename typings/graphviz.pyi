"""What costlab uses of graphviz, whose own types are in part unknown."""

from collections.abc import Mapping

class Digraph:
    def __init__(
        self,
        name: str,
        *,
        graph_attr: Mapping[str, str] = ...,
        node_attr: Mapping[str, str] = ...,
        edge_attr: Mapping[str, str] = ...,
    ) -> None: ...
    @property
    def source(self) -> str: ...
    def node(self, name: str, label: str, **attrs: str) -> None: ...
    def edge(self, tail_name: str, head_name: str, label: str, **attrs: str) -> None: ...
    def subgraph(self, graph: Digraph) -> None: ...

def escape(s: str) -> str: ...
