"""The classical methods by their names."""

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from approx.classical import bases, kept_rows, networks, rational
from approx.classical.problems import Fitted, Problem
from approx.tasks.values import meant


class Method(NamedTuple):
    """A classical method.

    Attributes:
        fit: a function of the problem that gives what was found.
        counts: "parameters" if it has a budget of fitted numbers, "rows" if it keeps rows instead,
            "network" if it has the network's parameters.
        says: what it is, in a few words.
        needs_sklearn: whether it needs scikit-learn.
    """

    fit: Callable[[Problem], Fitted]
    counts: str
    says: str
    needs_sklearn: bool = False


METHODS = {
    "constant": Method(bases.constant, "parameters", "the mean of the training targets"),
    "polynomial": Method(bases.polynomial, "parameters", "Chebyshev polynomials, least squares"),
    "polynomial_cv": Method(bases.polynomial_cv, "parameters", "the same, degree chosen"),
    "fourier": Method(bases.fourier, "parameters", "sines and cosines, least squares"),
    "fourier_cv": Method(bases.fourier_cv, "parameters", "the same, degree chosen"),
    "spline": Method(bases.spline, "parameters", "a cubic spline, least squares"),
    "spline_cv": Method(bases.spline_cv, "parameters", "the same, number of knots chosen"),
    "rational": Method(rational.rational, "parameters", "a rational function, AAA"),
    "random_features": Method(
        networks.random_features, "parameters", "a random tanh layer, least squares"
    ),
    "neighbours": Method(kept_rows.neighbours, "rows", "the mean of the k nearest rows", True),
    "forest": Method(kept_rows.forest, "rows", "a random forest", True),
    "kernel_ridge": Method(kept_rows.kernel_ridge, "rows", "a Gaussian kernel and a ridge", True),
    "gaussian_process": Method(
        kept_rows.gaussian_process, "rows", "a Gaussian process with noise", True
    ),
    "tangent": Method(networks.tangent, "network", "the network's tangent kernel"),
    "linearised": Method(networks.linearised, "network", "the network, linearised at its start"),
}
OF_A_NETWORK = tuple(name for name, method in METHODS.items() if method.counts == "network")


def checked(methods: Sequence[str] | None, model: Any) -> list[str]:
    """The names of the methods that a user wants; all that can be had if they name none.

    Raises:
        ValueError: an unknown name, one that is given twice, or one that needs a model.
        ImportError: scikit-learn is needed and missing.
    """
    if isinstance(methods, str):
        methods = [methods]
    if methods is None:
        methods = [name for name in METHODS if model is not None or name not in OF_A_NETWORK]
    names = list(methods)
    if not names:
        raise ValueError(f"methods is empty; it must name some of {', '.join(METHODS)}")
    for name in names:
        if name not in METHODS:
            raise ValueError(
                f"methods names {name!r}; there is: {', '.join(METHODS)}{meant(name, METHODS)}"
            )
        if names.count(name) > 1:
            raise ValueError(f"methods names {name!r} twice")
        if name in OF_A_NETWORK and model is None:
            raise ValueError(f"the method {name!r} needs a network: give model=")
    check_sklearn(names)
    return names


def check_sklearn(names: Sequence[str]) -> None:
    """Refuse methods that need scikit-learn where there is none.

    Raises:
        ImportError: saying how to install it, and which methods do without.
    """
    wanting = [name for name in names if METHODS[name].needs_sklearn]
    if not wanting or importlib.util.find_spec("sklearn") is not None:
        return
    without = [name for name in names if name not in wanting]
    raise ImportError(
        f"{', '.join(wanting)} need scikit-learn, which is not installed: run "
        f'pip install "scikit-learn>=1.6", or pip install ".[references]" in a clone; '
        f"methods={without} do without"
    )
