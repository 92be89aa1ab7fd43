"""Classes to tell apart: the interval."""

from collections.abc import Callable

import numpy as np

from approx import losses
from approx.tasks.data import Given, given


def interval(*, loss: str | Callable = "binary_cross_entropy", standardise: bool = False, **options) -> Given:
    """One bump: 1 from 11 to 20 and 0 from 0 to 10 and from 21 to 30, at 100 points of each, ends included.

    It is judged every quarter from -30 to 60, three times its range, where 0 goes on outside; but not strictly between
    10 and 11 nor between 20 and 21, where no row says on which side of the edge a point lies.

    Args:
        loss: "binary_cross_entropy" and "brier" take logits. With "mse" and "half_squared_error", on the targets 0 and
            1 themselves, an output is correct on its target's side of one half.
        standardise: inputs as `(x - mean) / sd` of the 300 rows, sd the population's (divided by 300), which is what
            scikit-learn's StandardScaler takes; the points and their distances are then in these units too.
        options: `correct`, `validation`, `noise`; see `given`.

    """
    x = np.concatenate([np.linspace(0, 10, 100), np.linspace(11, 20, 100), np.linspace(21, 30, 100)])
    x_test = np.arange(-120, 241) / 4
    x_test = x_test[~(((x_test > 10) & (x_test < 11)) | ((x_test > 20) & (x_test < 21)))]
    y, y_test = np.repeat([0.0, 1.0, 0.0], 100), ((x_test >= 11) & (x_test <= 20)).astype(float)
    center, scale = (x.mean(), x.std()) if standardise else (0.0, 1.0)
    if loss in ("mse", "half_squared_error"):
        options = {"correct": losses.same_half} | options
    return given((x - center) / scale, y, (x_test - center) / scale, y_test, loss=loss, **options)
