"""How reliably do small networks learn simple functions? Measured over random seeds and settings.

A `Task` says what to learn, a model is the network (such as `MLP`), and a `Recipe` says how to
learn. `run` trains many networks, one for each seed and setting, and returns an `xarray.Dataset`;
`train` trains a single one, as a pure function of a JAX key. `stats` counts what came out, `plot`
draws it, and `save` and `load` keep it in files.

Example:
    >>> import approx as ap
    >>> recipe = ap.Recipe(model=ap.MLP((10,), "tanh"), learning_rate=3e-2, steps=2_000)
    >>> runs = ap.run(ap.tasks.square(range=5.0), recipe, seeds=256)
    >>> hits = ap.stats.success(runs, below=0.1)
    >>> print(ap.stats.rate(hits))
    >>> ap.plot.success_curve(hits)

To learn more:
    help(ap.run)     all options of a run
    help(ap.Recipe)  all settings of a training
    help(ap.MLP)     the network of the catalogue
    help(ap.task)    a function of your own; `ap.drawn` draws its inputs, `ap.data` takes data
    help(ap.Trace)   the variables of a result
    help(ap.stats)   which statistic answers which question
    help(ap.plot)    which panel draws what
"""

from typing import TYPE_CHECKING

from approx import models, tasks
from approx.changes.standardising import standardised
from approx.disk.saved import load, save
from approx.models import scalings
from approx.models.mlp import MLP
from approx.numerics.derivatives import derivative, jacobian, laplacian
from approx.resuming import resume
from approx.runs import run
from approx.sweep.results import params
from approx.tasks import Points, Task, drawn, given, losses, task
from approx.tasks.own_data import data
from approx.training import optimizers, sampling, schedules, stops
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
    "Study",
    "Task",
    "Trace",
    "always",
    "classical",
    "data",
    "derivative",
    "drawn",
    "floors",
    "frameworks",
    "given",
    "helps",
    "hurts",
    "init",
    "jacobian",
    "laplacian",
    "load",
    "loss",
    "losses",
    "maps",
    "models",
    "never",
    "optimizers",
    "params",
    "plot",
    "predict",
    "rarely",
    "references",
    "remedies",
    "resume",
    "run",
    "same",
    "sampling",
    "save",
    "scalings",
    "schedules",
    "standardised",
    "stats",
    "stops",
    "study",
    "task",
    "tasks",
    "train",
    "update",
    "usually",
]

if TYPE_CHECKING:
    from approx import classical, floors, frameworks, maps, plot, stats, study
    from approx.classical import references
    from approx.study import Study, always, helps, hurts, never, rarely, same, usually
    from approx.study.remedies import remedies

MODULES = ("classical", "floors", "frameworks", "maps", "plot", "stats", "study")
OF_STUDY = (
    "Study",
    "always",
    "helps",
    "hurts",
    "never",
    "rarely",
    "remedies",
    "same",
    "usually",
)


def __dir__() -> list[str]:
    """All names, with those of the modules that are imported when they are first used."""
    return sorted({*globals(), *__all__})


def __getattr__(name: str):
    """Import `classical`, `floors`, `maps`, `plot`, `stats` and `study` when they are first used.

    They need scipy and matplotlib, whose import takes as long as all the rest.
    """
    import importlib

    if name in MODULES:
        return importlib.import_module(f"approx.{name}")
    if name == "references":
        return importlib.import_module("approx.classical").references
    if name in OF_STUDY:
        return getattr(importlib.import_module("approx.study"), name)
    raise AttributeError(f"module 'approx' has no attribute {name!r}")
