"""JAX's settings of one thread, such as `jax.default_matmul_precision`, carried to another.

A `with` block changes a setting for its own thread alone. What is traced in another thread, or in
another process, would not be the program that the user asked for.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import jax


def block_of(name: str) -> Callable | None:
    """What changes a setting inside a `with` block, as `jax.enable_x64`; None if nothing does."""
    return getattr(jax, name.removeprefix("jax_"), None)


def own() -> dict[str, Any]:
    """The settings of this thread that a `with` block can change."""
    return {name: value for name, value in jax.config.values.items() if block_of(name) is not None}


@contextmanager
def entered(settings: Mapping[str, Any]) -> Iterator[None]:
    """A context in which this thread has the given settings, as `own` gave them."""
    with ExitStack() as stack:
        for name, value in settings.items():
            block = block_of(name)
            if block is not None and jax.config.values[name] != value:
                stack.enter_context(block(value))
        yield


def carried(function: Callable) -> Callable:
    """The function, to be called in another thread, where it finds the settings of this one."""
    settings = own()

    def call(*args: Any) -> Any:
        with entered(settings):
            return function(*args)

    return call
