"""How reliably do small networks learn simple functions? Measured over random seeds and settings.

Three nouns, two verbs: a `Task` (what to learn), a model (the network), a `Recipe` (how to learn);
`train` one network as a pure function of a key, `run` many of them over seeds and settings. `stats`
counts, `plot` draws, `save` and `load` keep.
"""

from typing import TYPE_CHECKING

from approx import models, tasks
from approx.disk.saved import load, save
from approx.models import scalings
from approx.models.mlp import MLP
from approx.runs import run
from approx.sweep.results import params
from approx.tasks import Points, Task, given, losses, task
from approx.training import optimizers, sampling
from approx.training.evaluation import loss, predict
from approx.training.inputs import Keys
from approx.training.loop import Keep, Trace, train
from approx.training.recipes import Recipe
from approx.training.steps import State, init, update

__version__ = "0.1.0"
__all__ = [
    "MLP",
    "Keep",
    "Keys",
    "Points",
    "Recipe",
    "State",
    "Task",
    "Trace",
    "floors",
    "given",
    "init",
    "load",
    "loss",
    "losses",
    "maps",
    "models",
    "optimizers",
    "params",
    "plot",
    "predict",
    "run",
    "sampling",
    "save",
    "scalings",
    "stats",
    "task",
    "tasks",
    "train",
    "update",
]

if TYPE_CHECKING:
    from approx import floors, maps, plot, stats


def __dir__() -> list[str]:
    """All public names, those too that are imported when they are first used."""
    return sorted({*globals(), *__all__})


def __getattr__(name: str):
    """Import these when they are first used.

    They take scipy and matplotlib along, which are half of the time of an import.
    """
    if name in ("floors", "maps", "plot", "stats"):
        import importlib

        return importlib.import_module(f"approx.{name}")
    raise AttributeError(f"module 'approx' has no attribute {name!r}")
