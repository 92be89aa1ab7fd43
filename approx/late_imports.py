"""Packages that are imported when they are first used.

To import xarray takes about as long as to import JAX, because it imports pandas. `run` needs it for
its result alone, and imports it while XLA compiles (see `sweep.programs.import_for_results`).
"""

import importlib
from typing import TYPE_CHECKING, Any


class Late:
    """Stands for a module, and imports it when something of it is first asked for.

    Several threads may ask at once: `import_module` lets one of them import, and the others wait.
    """

    def __init__(self, module: str):
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._module), name)


if TYPE_CHECKING:
    import xarray as xarray  # the same name: so that other files may import it from here
else:
    xarray = Late("xarray")
