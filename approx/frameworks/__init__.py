"""Code of other frameworks as a task and a recipe with their conventions.

Each module has a function `question`, which gives a `Question`, and `CONVENTIONS`. No framework is
imported, and no file is read.
"""

from approx.frameworks import (
    brainjs,
    convnetjs,
    fann,
    flax,
    keras,
    matlab,
    neurolab,
    nnet,
    opencv,
    pyrenn,
    pytorch,
    sklearn,
    synaptic,
    tfjs,
    weka,
)
from approx.frameworks.questions import Conventions, Question

__all__ = [
    "Conventions",
    "Question",
    "brainjs",
    "convnetjs",
    "fann",
    "flax",
    "keras",
    "matlab",
    "neurolab",
    "nnet",
    "opencv",
    "pyrenn",
    "pytorch",
    "sklearn",
    "synaptic",
    "tfjs",
    "weka",
]
