"""Survival curves: the share that has not succeeded by each time, with a pointwise band."""

import numpy as np
import scipy
import xarray as xr

from approx.stats.intervals import check_level, wilson
from approx.stats.labels import Over, reduce
from approx.stats.times import time_to_success

BANDS = ("exact", "wilson", "log-log", "linear")
CURVE = ("survival", "low", "high", "n", "at_risk", "events")  # what a survival curve consists of


def survival(
    hits: xr.Dataset,
    over: Over = "seed",
    event: str = "first",
    band: str = "exact",
    level: float = 0.95,
) -> xr.Dataset:
    """Share of seeds that have not succeeded by each record, with a pointwise band.

    This is the Kaplan-Meier curve. Every time is known to within its two records, and nobody leaves
    before the last one, so the estimate at a record is exact (it is Turnbull's, JRSS B 38, 1976,
    too); between records the true curve lies between the two values.

    The band "exact" is Clopper and Pearson's interval, as nobody leaves early, and never covers
    less than its level. Measured at one record (lognormal times, 4,000 simulations, n = 100 and
    256): "wilson" 93.7 to 95.8%, "log-log" 94.1 to 96.1% (88.3% with 5 successes in 100), "linear"
    93.7 to 94.8% (91.0% at n = 30).

    Args:
        hits: what `success` returned, with records.
        over: the dimension or dimensions counted over.
        event: see `time_to_success`.
        band: see `kaplan_meier`.
        level: probability of covering, at each record for itself.

    Returns:
        `survival`, `low`, `high`, `n`, `at_risk`, `events` over (..., step).

    Raises:
        ValueError: an unknown event or band, and as `time_to_success`.

    Example:
        >>> stats.survival(hits).survival.plot()
    """
    times = time_to_success(hits, event)
    records = np.asarray(hits.step, float)
    horizon = float(times.horizon)

    def curve(upper: np.ndarray) -> tuple[np.ndarray, ...]:
        time = np.minimum(upper, horizon)
        return product_limit(time, np.isfinite(upper), records, band, level)

    new = {"step": np.asarray(hits.step)}
    result = reduce(curve, times.upper, over=over, names=CURVE, new=new)
    result.attrs = {
        **hits.attrs,
        "event": event,
        "band": band,
        "level": level,
    }
    return result


def kaplan_meier(
    time: np.ndarray,
    event: np.ndarray,
    at: np.ndarray | None = None,
    band: str = "exact",
    level: float = 0.95,
) -> xr.Dataset:
    """Kaplan-Meier estimate for any right-censored times (trainings stopped by a time limit, say).

    S(t) = prod over t_j <= t of (1 - d_j / n_j) (E. L. Kaplan and P. Meier, JASA 53, 1958);
    variance by Greenwood.

    The bands: "exact" is the beta product procedure (M. Fay, E. Brittain and M. Proschan,
    Biostatistics 14, 2013), which is Clopper and Pearson's interval where nobody is censored early,
    and never was seen to cover less than its level. "wilson" is Wilson's interval at the effective
    sample size S (1 - S) / var (K. J. Rothman, J. Chronic Diseases 31, 1978), which is the ordinary
    one where nobody is censored early. "log-log" (J. D. Kalbfleisch and R. L. Prentice 1980) and
    "linear" are those of `scipy.stats.ecdf`.

    Args:
        time: (..., n) steps until success or until censoring.
        event: (..., n) True where success came, False where censored (or 1 and 0).
        at: (t,) where to evaluate; by default all distinct times.
        band: "exact", "wilson", "log-log" or "linear".
        level: probability of covering, pointwise.

    Returns:
        `survival`, `low`, `high`, `n`, `at_risk` (just before t) and `events` over (..., step).

    Raises:
        ValueError: a Dataset instead of times, an unknown band, no times, a time that is not
            finite, an event that is nan or neither true nor false.

    Example:
        >>> stats.kaplan_meier([3.0, 5.0, 5.0], [True, True, False])
    """
    for array in (time, event):
        _check_no_dataset(array)
    time = np.asarray(time, float)
    event = _as_events(event)
    _check_finite(time)
    if at is None:
        at = np.unique(time)
    at = np.asarray(at, float)
    if not at.size:
        raise ValueError("there are no times at which to evaluate the curve; give some with at=")
    dims = [f"axis_{i}" for i in range(time.ndim - 1)] + ["step"]
    results = product_limit(time, event, at, band, level)
    columns = {name: (dims, values) for name, values in zip(CURVE, results, strict=True)}
    return xr.Dataset(columns, {"step": at})


def _check_no_dataset(array: object) -> None:
    """Raise a ValueError for a Dataset in place of an array of times or events."""
    if isinstance(array, xr.Dataset):
        raise ValueError(
            "this takes arrays of times and events, not an xarray.Dataset. For the records of "
            "runs call ap.stats.survival(ap.stats.success(runs, below=...))"
        )


def _as_events(event: np.ndarray) -> np.ndarray:
    """Events as booleans, or a ValueError if they are neither true nor false."""
    seen = np.asarray(event)
    wrong = seen[(seen != 0) & (seen != 1)]
    if wrong.size:
        raise ValueError(
            f"an event is True where success came and False where censored; got {wrong[0]}. A "
            "training of which nothing is known (nan) is neither: leave out its time and its event"
        )
    return seen.astype(bool)


def _check_finite(time: np.ndarray) -> None:
    """Raise a ValueError if a time is infinite or nan."""
    if not np.all(np.isfinite(time)):
        raise ValueError(
            "times must be finite; give the censoring time with event=False where success never "
            "came"
        )


def product_limit(
    time: np.ndarray, event: np.ndarray, at: np.ndarray, band: str, level: float
) -> tuple[np.ndarray, ...]:
    """The Kaplan-Meier estimate on plain arrays, one curve for each leading index.

    Args:
        time: (..., n), see `kaplan_meier`.
        event: (..., n), see `kaplan_meier`.
        at: (t,) increasing times.
        band: see `kaplan_meier`.
        level: probability of covering.

    Returns:
        What `CURVE` names, each (..., t).
    """
    if band not in BANDS:
        raise ValueError(f"band must be one of {', '.join(BANDS)}; got {band!r}")
    check_level(level)
    every = at
    if time.size:
        successes = time[event].ravel()
        every = np.unique(np.concatenate([at, successes]))
    events, at_risk = _counts(time, event, every)
    died = events / np.maximum(at_risk, 1)
    kept = np.searchsorted(every, at)
    estimate = np.cumprod(1 - died, -1)[..., kept]
    n = np.full(estimate.shape, time.shape[-1])
    if band == "exact":
        low, high = _beta_products(events, at_risk, kept, level)
    else:
        greenwood = _greenwood(events, at_risk)[..., kept]
        if band == "wilson":
            low, high = _wilson_band(estimate, greenwood, n, level)
        elif band == "log-log":
            low, high = _log_log_band(estimate, greenwood, level)
        else:
            low, high = _linear_band(estimate, greenwood, level)
    if time.shape[-1] == 0:
        estimate = estimate * np.nan
    return estimate, low, high, n, at_risk[..., kept], events[..., kept]


def _counts(time: np.ndarray, event: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many succeed at each time, and how many have neither succeeded nor left before it."""
    events = []
    at_risk = []
    for t in at:
        events.append(np.count_nonzero(event & (time == t), -1))
        at_risk.append(np.count_nonzero(time >= t, -1))
    return np.stack(events, -1), np.stack(at_risk, -1)


def _greenwood(events: np.ndarray, at_risk: np.ndarray) -> np.ndarray:
    """Greenwood's var(S) / S² from events and numbers at risk (..., times)."""
    # Where nobody is left the estimate is 0 and the variance not needed
    alive = np.maximum(at_risk - events, 1)
    risk = np.maximum(at_risk, 1)
    terms = np.where(at_risk > events, events / (risk * alive), 0.0)
    return np.cumsum(terms, -1)


def _beta_products(
    events: np.ndarray, at_risk: np.ndarray, kept: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """The band "exact" of a survival curve, from events and numbers at risk (..., times).

    Only the times at the places `kept` get limits, because the quantiles take long to compute.

    The share of the living that outlives d of Y deaths is Beta(Y - d + 1, d); the lower limit has
    one death more. The product of such numbers is taken to be the beta number of equal mean and
    variance, which it is without censoring.
    """
    tail = (1 - check_level(level)) / 2
    deaths = np.maximum(events, 0)
    alive = at_risk - events
    died = deaths > 0
    rest = np.where(died, alive + 1.0, 1.0)
    # Mean and mean square of each factor, multiplied up
    total = rest + deaths
    mean = rest / total
    mean_square = rest * (rest + 1) / (total * (total + 1))
    means = np.where(died, mean, 1.0)
    squares = np.where(died, mean_square, 1.0)
    first = np.cumprod(means, -1)[..., kept]
    second = np.cumprod(squares, -1)[..., kept]
    anybody_died = np.cumsum(deaths, -1)[..., kept] > 0
    alive = alive[..., kept]
    high = np.where(anybody_died, _beta_quantile(first, second, 1 - tail), 1.0)
    followed = np.maximum(alive, 1)
    one_more_first = first * followed / (followed + 1)
    one_more_second = second * followed / (followed + 2)
    low = _beta_quantile(one_more_first, one_more_second, tail)
    return np.where(alive > 0, low, 0.0), high


def _beta_quantile(first: np.ndarray, second: np.ndarray, q: float) -> np.ndarray:
    """Quantile of the beta distribution of a given mean and mean square.

    Where the variance is 0 the quantile is the mean.
    """
    variance = second - first**2
    varies = variance > 0
    divisor = np.where(varies, variance, 1.0)
    total = first * (1 - first) / divisor - 1
    a = first * total
    b = (1 - first) * total
    inside = varies & (a > 0) & (b > 0)
    a = np.where(inside, a, 1)
    b = np.where(inside, b, 1)
    quantile = scipy.special.betaincinv(a, b, q)
    return np.where(inside, quantile, first)


def _wilson_band(
    s: np.ndarray, greenwood: np.ndarray, n: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's interval at the effective sample size, S (1 - S) / var, and n where var is 0."""
    inner = (s > 0) & (s < 1)
    divisor = np.where(inner, s * greenwood, 1)  # as var = S² greenwood
    effective = np.where(inner, (1 - s) / divisor, n)
    low, high = wilson(s * effective, effective, level)
    low = np.where(s == 0, 0.0, low)
    high = np.where(s == 1, 1.0, high)
    return low, high


def _log_log_band(
    s: np.ndarray, greenwood: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Normal limits of log(-log(S)), carried over; nan where S is 0 or 1."""
    inner = (s > 0) & (s < 1)
    safe = np.where(inner, s, 0.5)
    deviation = normal_quantile(level) * np.sqrt(greenwood)
    spread = deviation / -np.log(safe)
    lower = safe ** np.exp(spread)
    upper = safe ** np.exp(-spread)
    low = np.where(inner, lower, np.nan)
    high = np.where(inner, upper, np.nan)
    return low, high


def _linear_band(
    s: np.ndarray, greenwood: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Normal limits of S, cut off at 0 and 1."""
    half = normal_quantile(level) * s * np.sqrt(greenwood)
    low = np.clip(s - half, 0, 1)
    high = np.clip(s + half, 0, 1)
    return low, high


def normal_quantile(level: float) -> float:
    """How many standard deviations on either side hold a probability of `level`."""
    return scipy.special.ndtri((1 + check_level(level)) / 2)
