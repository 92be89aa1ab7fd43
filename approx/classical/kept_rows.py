"""Methods that keep training rows in place of a budget of parameters: scikit-learn's.

Their only limit is how many rows they keep. What must be chosen is chosen on the training rows: by
leaving one row out, or by the marginal likelihood.
"""

import warnings

import numpy as np

from approx.classical.problems import Fitted, Problem
from approx.classical.smoothing import error_left_out, first_least

# The most rows that a method keeps unless the user says otherwise: beyond, the others take minutes
MOST = {"neighbours": 10_000, "forest": 10_000, "kernel_ridge": 1_000, "gaussian_process": 400}
NEIGHBOURS = (1, 2, 3, 5, 8, 13, 21, 34)
WIDTHS = 2.0 ** np.arange(-4, 5)  # of the kernel, in median distances of two rows
RIDGES = 10.0 ** np.arange(-12, 1)  # added to the kernel's diagonal, which is 1
TREES = 100
JITTER = 1e-10  # the least variance of the Gaussian process' noise, of targets of variance 1


def kept(problem: Problem, method: str) -> tuple[np.ndarray, np.ndarray, str]:
    """The scaled inputs and targets of the rows that a method keeps, and a sentence about them.

    Of too many rows some are drawn without replacement, by the seed.
    """
    most = problem.most_rows or MOST[method]
    n = len(problem.x)
    u = problem.scaled(problem.x)
    if n <= most:
        return u, problem.y, ""
    drawn = np.random.default_rng(problem.seed).choice(n, most, replace=False)
    drawn.sort()
    return u[drawn], problem.y[drawn], f"It keeps {most:,} of the {n:,} rows, drawn by the seed."


# ---- neighbours and trees ------------------------------------------------------------------------


def neighbours(problem: Problem) -> Fitted:
    """The mean over the k nearest training rows, k by leaving one row out.

    Distances are Euclidean, of inputs scaled to [-1, 1] (`sklearn.neighbors`).
    """
    from sklearn.neighbors import KNeighborsRegressor, NearestNeighbors

    u, y, note = kept(problem, "neighbours")
    n = len(u)
    candidates = [k for k in NEIGHBOURS if k < n] or [1]
    best = 1
    if n > 1:
        nearest = NearestNeighbors(n_neighbors=candidates[-1]).fit(u)
        _, others = nearest.kneighbors()  # of each row without itself
        running = np.cumsum(y[others], 1)
        errors = []
        for k in candidates:
            error = running[:, k - 1] / k - y
            errors.append(float((error**2).sum(1).mean()))
        best = candidates[first_least(errors, y)]
    model = KNeighborsRegressor(n_neighbors=best).fit(u, y)
    return Fitted(
        lambda x: as_columns(model.predict(problem.scaled(x))),
        n,
        f"k = {best}, by leaving one row out",
        note,
        drawn=bool(note),
    )


def forest(problem: Problem) -> Fitted:
    """The mean of 100 regression trees on bootstrap samples, with scikit-learn's defaults.

    On targets of zeros and one 1 the trees split by Gini's impurity, as classifiers do, since the
    sum of such targets' variances is that impurity.
    """
    from sklearn.ensemble import RandomForestRegressor

    u, y, note = kept(problem, "forest")
    targets = y
    if y.shape[1] == 1:
        targets = y[:, 0]
    model = RandomForestRegressor(n_estimators=TREES, random_state=problem.seed)
    model.fit(u, targets)
    return Fitted(
        lambda x: as_columns(model.predict(problem.scaled(x))),
        len(u),
        f"{TREES} trees, scikit-learn's defaults",
        note,
        drawn=True,
    )


def as_columns(values: np.ndarray) -> np.ndarray:
    """Predictions (m, o); a vector is one column."""
    return np.asarray(values, np.float64).reshape(len(values), -1)


# ---- kernels -------------------------------------------------------------------------------------


def median_distance(u: np.ndarray) -> float:
    """The median distance of two rows that differ; 1 where all are the same."""
    from scipy.spatial.distance import pdist

    distances = pdist(u[:: max(1, len(u) // 1_000)])
    distances = distances[distances > 0]
    if not distances.size:
        return 1.0
    return float(np.median(distances))


def kernel_ridge(problem: Problem) -> Fitted:
    """Kernel ridge regression with a Gaussian kernel, on targets less their mean.

    `f(x) = mean + k(x, X) (K + ridge I)⁻¹ (y - mean)` with `k = exp(-|x - x'|² / (2 width²))`
    (`sklearn.kernel_ridge`). Width and ridge are those of the least error on rows left out, in
    closed form (R. M. Rifkin and R. A. Lippert, MIT-CSAIL-TR-2007-025).
    """
    from sklearn.kernel_ridge import KernelRidge
    from sklearn.metrics.pairwise import rbf_kernel

    u, y, note = kept(problem, "kernel_ridge")
    mean = y.mean(0)
    centred = y - mean
    unit = median_distance(u)
    tried = []
    errors = []
    for width in WIDTHS * unit:
        values, vectors = np.linalg.eigh(rbf_kernel(u, gamma=gamma_of(width)))
        values = np.maximum(values, 0)
        for ridge in RIDGES[::-1]:
            tried.append((width, ridge))
            errors.append(error_left_out(vectors, values / (values + ridge), centred))
    width, ridge = tried[first_least(errors, centred)]
    model = KernelRidge(alpha=ridge, kernel="rbf", gamma=gamma_of(width))
    model.fit(u, centred)
    return Fitted(
        lambda x: mean + as_columns(model.predict(problem.scaled(x))),
        len(u),
        f"width {width:.3g}, ridge {ridge:.0e}, by leaving one row out",
        note,
        drawn=bool(note),
    )


def gamma_of(width: float) -> float:
    """scikit-learn's gamma of a Gaussian kernel: `exp(-gamma |x - x'|²)`."""
    return 1 / (2 * width**2)


def gaussian_process(problem: Problem) -> Fitted:
    """A Gaussian process with a Gaussian kernel and noise; the mean of its prediction.

    Its variance, width and noise have the greatest marginal likelihood that L-BFGS finds from one
    start (`sklearn.gaussian_process`; C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for
    Machine Learning, 2006, chapters 2 and 5). Targets are standardised.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

    u, y, note = kept(problem, "gaussian_process")
    width = median_distance(u)
    kernel = ConstantKernel(1.0, (1e-3, 1e6)) * RBF(width, (width / 100, width * 100))
    kernel = kernel + WhiteKernel(1e-4, (JITTER, 10.0))
    model = GaussianProcessRegressor(kernel, alpha=JITTER, normalize_y=True)
    with warnings.catch_warnings():
        # It warns where noise has the least variance that is allowed, as it has without noise
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(u, y)
    found = model.kernel_
    said = f"width {found.k1.k2.length_scale:.3g}, noise {found.k2.noise_level:.1e}"
    return Fitted(
        lambda x: as_columns(model.predict(problem.scaled(x))),
        len(u),
        f"{said}, by marginal likelihood",
        note,
        drawn=bool(note),
    )
