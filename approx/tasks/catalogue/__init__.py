"""The catalogue of functions and data sets that are often asked about, each made by one call.

`ENTRIES` says of each name what is learned, where its rows lie, and who has used it.
"""

from approx.tasks.catalogue.boxes import OnBox
from approx.tasks.catalogue.entries import ENTRIES, Entry, markdown
from approx.tasks.catalogue.lines import (
    Bounded,
    absolute,
    chirp,
    exp,
    log,
    reciprocal,
    runge,
    sawtooth,
    sqrt,
    step,
    sum_of_sines,
    weierstrass,
)
from approx.tasks.catalogue.physics import FEYNMAN, feynman
from approx.tasks.catalogue.planes import (
    Patterns,
    circles,
    franke,
    maximum,
    moons,
    peaks,
    product,
    rosenbrock,
    two_spirals,
)
from approx.tasks.catalogue.spaces import friedman1, friedman2, friedman3, genz
from approx.tasks.catalogue.whole_numbers import (
    arithmetic,
    even,
    modular_addition,
    modulo,
    parity,
)

__all__ = [
    "ENTRIES",
    "FEYNMAN",
    "Bounded",
    "Entry",
    "OnBox",
    "Patterns",
    "absolute",
    "arithmetic",
    "chirp",
    "circles",
    "even",
    "exp",
    "feynman",
    "franke",
    "friedman1",
    "friedman2",
    "friedman3",
    "genz",
    "log",
    "markdown",
    "maximum",
    "modular_addition",
    "modulo",
    "moons",
    "parity",
    "peaks",
    "product",
    "reciprocal",
    "rosenbrock",
    "runge",
    "sawtooth",
    "sqrt",
    "step",
    "sum_of_sines",
    "two_spirals",
    "weierstrass",
]
