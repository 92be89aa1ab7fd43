"""Names of the version before, which still work in this one."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any


def finder(
    module: str, former: Mapping[str, str], names: Mapping[str, Any]
) -> Callable[[str], Any]:
    """A module's `__getattr__`: it gives what a function was called before, with a warning.

    Args:
        module: the name of the module.
        former: {the former name: the name now}.
        names: the module's own names, `globals()`.
    """

    def find(name: str) -> Any:
        if name not in former:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        now = former[name]
        warnings.warn(
            f"{module}.{name} is called {now} now; the old name goes with the next version",
            DeprecationWarning,
            stacklevel=2,
        )
        return names[now]

    return find
