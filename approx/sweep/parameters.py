"""Parameters by name: from a model's pytree to named arrays and back."""

from collections.abc import Callable
from typing import Any

import jax
from jaxtyping import PyTree


def leaf_name(path: tuple) -> str:
    """A parameter's name in results: its path, `params.0.w`."""
    parts = (jax.tree_util.keystr((part,), simple=True) for part in path)
    return ".".join(["params", *parts]).replace("/", ":")  # netCDF keeps the slash for its groups


def skeleton(params: PyTree) -> Any:
    """The nesting of parameters with their names for leaves, as JSON can hold it.

    Raises:
        ValueError: containers other than dictionaries, lists and tuples.

    """
    named = jax.tree_util.tree_map_with_path(lambda path, _: leaf_name(path), params)

    def plain(node):
        if type(node) is dict and all(type(key) is str for key in node):
            return {"dict": {key: plain(value) for key, value in node.items()}}
        if type(node) in (list, tuple):
            return {type(node).__name__: [plain(value) for value in node]}
        if type(node) is str or node is None:
            return node
        raise ValueError(
            f"parameters can be kept in dictionaries, lists and tuples, not in a {type(node).__name__}"
        )

    return plain(named)


def rebuild(nesting: Any, leaf: Callable[[str], Any]) -> PyTree:
    """The parameters again from their `skeleton`."""
    if nesting is None or isinstance(nesting, str):
        return None if nesting is None else leaf(nesting)
    (kind, inner), *_ = nesting.items()
    if kind == "dict":
        return {key: rebuild(value, leaf) for key, value in inner.items()}
    return {"list": list, "tuple": tuple}[kind](rebuild(value, leaf) for value in inner)
