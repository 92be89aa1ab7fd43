"""The files of approx.frameworks that turn objects into dictionaries, by themselves."""

import importlib.util
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).parents[2] / "approx" / "frameworks"


def load(name: str) -> ModuleType:
    """The file of a framework by itself: it needs no JAX."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}_objects.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(FOLDER / f"{name}_objects.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
