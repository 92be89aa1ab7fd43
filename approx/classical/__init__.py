"""Classical methods as references: they say what no network is needed for.

`references(task, parameters)`, which is `ap.references`, fits polynomials, rational functions,
splines, Fourier series, random features, nearest neighbours, a random forest, a Gaussian process,
kernel ridge regression and a network's own linearisation to the rows that a network is trained on,
and judges them where the network is judged. `table` writes the result as text. `METHODS` has all
methods by name. Four of them need scikit-learn.
"""

from approx.classical.comparing import references
from approx.classical.methods import METHODS, Method
from approx.classical.table import table

__all__ = ["METHODS", "Method", "references", "table"]
