"""What to learn: data, loss, and the points where a network is judged.

`task` makes a task of any function, and `drawn` one whose inputs every seed draws for itself.
`approx.data` makes one of any data set, and `given` one of arrays as they are. The catalogue has
`square`, `sine`, `interval`, `waveform`, `identity` and `clusters`, the differential equations
`decay`, `oscillator` and `logistic`, and the functions and data sets of `catalogue.ENTRIES`.
"""

from approx.tasks import catalogue
from approx.tasks.autoencoders import Identity, identity
from approx.tasks.catalogue import (
    absolute,
    arithmetic,
    chirp,
    circles,
    even,
    exp,
    feynman,
    franke,
    friedman1,
    friedman2,
    friedman3,
    genz,
    log,
    maximum,
    modular_addition,
    modulo,
    moons,
    parity,
    peaks,
    product,
    reciprocal,
    rosenbrock,
    runge,
    sawtooth,
    sqrt,
    step,
    sum_of_sines,
    two_spirals,
    weierstrass,
)
from approx.tasks.classes import Waveform, clusters, interval, waveform
from approx.tasks.curves import Curve, sine, square
from approx.tasks.data import STATIC, Points, Task
from approx.tasks.drawn import Drawn, Uniform, drawn
from approx.tasks.drawn_pairs import DrawnPairs
from approx.tasks.equations import Equation, decay, logistic, oscillator
from approx.tasks.own import Given, given, rays, task
from approx.tasks.own_data import OwnData, mesh
from approx.tasks.values import check_finite, shortened, warn_of_tail

__all__ = [
    "STATIC",
    "Curve",
    "Drawn",
    "DrawnPairs",
    "Equation",
    "Given",
    "Identity",
    "OwnData",
    "Points",
    "Task",
    "Uniform",
    "Waveform",
    "absolute",
    "arithmetic",
    "catalogue",
    "check_finite",
    "chirp",
    "circles",
    "clusters",
    "decay",
    "drawn",
    "even",
    "exp",
    "feynman",
    "franke",
    "friedman1",
    "friedman2",
    "friedman3",
    "genz",
    "given",
    "identity",
    "interval",
    "log",
    "logistic",
    "maximum",
    "mesh",
    "modular_addition",
    "modulo",
    "moons",
    "oscillator",
    "parity",
    "peaks",
    "product",
    "rays",
    "reciprocal",
    "rosenbrock",
    "runge",
    "sawtooth",
    "shortened",
    "sine",
    "sqrt",
    "square",
    "step",
    "sum_of_sines",
    "task",
    "two_spirals",
    "warn_of_tail",
    "waveform",
    "weierstrass",
]
