"""What a learned function does far outside the training range: constant, linear, periodic, a power,
...
"""

import numpy as np
import xarray as xr

from approx.stats.kept import predictions
from approx.stats.labels import Over, kind_of, without_kept_step
from approx.stats.rates import rate

KINDS = (
    "constant",
    "linear",
    "periodic",
    "linear + periodic",
    "power",
    "exponential",
    "diverged",
    "undecided",
)
NUMBERS = ("level", "slope", "period", "exponent", "growth")

# Conventions of the rule, see `asymptote`. The numbers are choices, checked on constructed
# functions in tests/test_extrapolation.py.
LEAST_POINTS = 16
LEAST_CYCLES = 1.75  # "nearly two periods": sin on the default `sine` task shows two on either side
HARMONICS = 3
POINTS_PER_PERIOD = 8
CYCLE_STEP = 1 / 32  # phase error at the ends below 2 pi / 128: 0.1% of the variance
SAME_RAY = 1e-4  # parts of unit vectors may differ by it: float32 points do by 1e-7
EXPONENTS = np.linspace(-4, 8, 601)
GROWTHS = np.linspace(-40, 40, 801)


def asymptote(
    runs: xr.Dataset,
    scale: float | None = None,
    tol: float = 0.01,
    center: np.ndarray | float | None = None,
) -> xr.Dataset:
    """What each seed's function does outside the training range, on either side or along each ray,
    by this rule.

    With r the distance from the center of the training range, D the depth of the side (largest less
    smallest r outside), and `scale` the height of the target inside, the first statement that holds
    decides:

    1. "diverged": a value on that side is nan or infinite.
    2. "undecided": fewer than 16 points on that side.
    3. "constant": on the outer half, max f - min f <= tol * scale.
    4. "linear": on the outer half, a least-squares line misses no point by more than tol times its
    own change, and the
       slopes s1, s2 of the two quarters, at r1 < r2, have one sign and |log(s2 / s1) / log(r2 /
       r1)| <= 5 tol: as a power, its exponent would lie within 5 tol of 1.
    5. "power", `f = c + a r^p`, or "exponential", `f = c + a exp(g r)`: on the outer three quarters
    the best p or g
       misses no point by more than tol / 10 times the range of f there (some power comes within tol
       of a line that a relu unit bends), and fitted separately on their two halves it is the same:
       |p1 - p2| <= 10 tol,
       |g1 - g2| <= 10 tol * max(|g1|, |g2|). Both fit: "undecided". Only growth counts: 0.2 <= p <=
       7.5 and
       |p - 1| >= 0.1; g > 0.
    6. "periodic", a constant and a sinusoid with its second and third harmonic: on the whole side
    it explains
       1 - tol of the variance of f, in either half of the side too, with at least 1.75 periods
       shown and 8 points in each period. "linear + periodic", as a snake unit makes it: the same of
       what a line leaves over.
    7. "undecided": anything else, such as noise, log r, half a period, a transition that is not
    finished.

    What is smaller than the tolerance is not seen: a ripple on a line of 100 times its height is
    "linear". An exponent is a power of the distance from the center: (x + b)² has another one,
    unless b is small against r.

    Args:
        runs: `prediction` over (..., seed, point, output), with `x_test` and `distance`. With
            several inputs the outside points must lie on rays from the center, see `tasks.rays`.
        scale: the unit of height; by default max - min of the targets inside the training range
            (where that is 0, the largest |target|, and 1 if that is 0 too).
        tol: relative tolerance of the rule.
        center: of the training range, a number or one for each input. With one input it may be left
            out: it is then the middle of the test points inside.

    Returns:
        `kind` (..., seed, side), a string of `KINDS`, and nan where they do not apply: `level` (the
        mean of the outer half of a constant), `slope` (df/dr, outward; also of "linear +
        periodic"), `period`, `exponent` (in steps of
        0.002), `growth` (g, per unit of r). `side` is "left" and "right", or the ray's direction.
        Several outputs keep the dimension `output`.

    Raises:
        ValueError: no predictions, swept points, no points outside, a center that is missing, of
            several inputs fewer than 16 points on most rays, a tolerance or scale that is not
            positive.
    """
    f, x, distance, y = curves(runs)
    if not 0 < tol < 0.1:
        raise ValueError(f"tol must lie between 0 and 0.1, got {tol}")
    if scale is not None and not scale > 0:
        raise ValueError(
            f"scale must be positive, got {scale}: the height of the target, such as 1.0"
        )
    offset = x - (
        middle(x, distance)
        if center is None
        else np.broadcast_to(np.asarray(center, float), x.shape[1:])
    )
    radius = np.linalg.norm(offset, axis=1)
    sides = rays_of(offset, radius, distance)
    parts = []
    for index in sides.values():
        index = index[np.argsort(radius[index])]
        one = f.isel(point=index)

        def judge(
            values: np.ndarray, height: np.ndarray, r: np.ndarray = radius[index]
        ) -> tuple[np.ndarray, ...]:
            rows, heights = (
                values.reshape(-1, r.size).astype(float),
                np.broadcast_to(height, values.shape[:-1]),
            )
            found = classify(r, rows, heights.reshape(-1), tol)
            return tuple(part.reshape(values.shape[:-1]) for part in found)

        heights = height_inside(y, distance) if scale is None else xr.DataArray(float(scale))
        done = xr.apply_ufunc(
            judge,
            one,
            heights,
            input_core_dims=[["point"], []],
            output_core_dims=[[]] * (1 + len(NUMBERS)),
        )
        parts.append(xr.Dataset(dict(zip(("kind", *NUMBERS), done, strict=True))))
    result = xr.concat(
        parts,
        xr.DataArray(list(sides), dims="side", name="side"),
        coords="minimal",
        compat="override",
    )
    result = result.transpose(..., "side", *(("output",) if "output" in result.dims else ()))
    result = result.squeeze("output", drop=True) if result.sizes.get("output") == 1 else result
    result.attrs = {"tol": tol, "kinds": list(KINDS)}
    return result


def shares(
    classes: xr.Dataset, over: Over = "seed", interval: str = "exact", level: float = 0.95
) -> xr.Dataset:
    """Share of every class, each with its own binomial interval (the classes exclude each other).

    Args:
        classes: `kind` over (..., seed), as `asymptote` or `split` returns it.
        over: the dimension or dimensions counted over.
        interval: as for `rate`.
        level: as for `rate`.

    Returns:
        `rate`, `low`, `high`, `n`, `successes` over (kind, ...): all classes there could be, in the
        classifier's order.

    Raises:
        ValueError: no variable `kind`, or a class that is missing (nan).
    """
    kind = kind_of(classes)
    kinds = list(np.atleast_1d(classes.attrs.get("kinds", np.unique(kind.values))))
    rates = [rate(kind == name, over, interval=interval, level=level) for name in kinds]
    result = xr.concat(rates, xr.DataArray(kinds, dims="kind", name="kind"), combine_attrs="drop")
    result.attrs = {"interval": interval, "level": level}
    return result


def curves(runs: xr.Dataset) -> tuple[xr.DataArray, np.ndarray, np.ndarray, xr.DataArray]:
    """Predictions, test inputs (k, i), distances (k,) and targets, or a ValueError that says what
    is missing.
    """
    f = predictions(runs)
    for name in ("x_test", "distance"):
        if extra := [str(dim) for dim in runs[name].dims if dim not in ("point", "input")]:
            raise ValueError(
                f"{name} differs over {', '.join(extra)}: select one setting of the task first"
            )
    x = runs.x_test.transpose("point", "input").values.astype(float)
    return f, x, runs.distance.values.astype(float), without_kept_step(runs.y_test)


def middle(x: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Middle of the points inside the training range, of one input."""
    inside = x[distance <= 0]
    if x.shape[1] > 1 or not len(inside):
        why = f"of {x.shape[1]} inputs" if x.shape[1] > 1 else "without test points inside"
        raise ValueError(f"the center of a training range {why} must be given, such as center=0.0")
    return (inside.min(0) + inside.max(0)) / 2


def height_inside(y: xr.DataArray, distance: np.ndarray) -> xr.DataArray:
    """Max - min of the targets inside the training range; where that is 0 their largest size, or 1."""
    inside = y.isel(point=np.flatnonzero(distance <= 0)) if (distance <= 0).any() else y
    height = (inside.max("point") - inside.min("point")).astype(float)
    height = height.where(height > 0, abs(inside).max("point"))
    return height.where(height > 0, 1.0)


def rays_of(offset: np.ndarray, radius: np.ndarray, distance: np.ndarray) -> dict[str, np.ndarray]:
    """Indices of the points outside, by side: "left" and "right" of one input, else by direction.

    Raises:
        ValueError: no points outside, none that share a ray, or too few on most rays.
    """
    outside = np.flatnonzero((distance > 0) & (radius > 0))
    if not outside.size:
        raise ValueError(
            "no test points lie outside the training range: choose a task that is judged further out"
        )
    if offset.shape[1] == 1:
        names = {"left": outside[offset[outside, 0] < 0], "right": outside[offset[outside, 0] > 0]}
        return {name: index for name, index in names.items() if index.size}
    unit = offset[outside] / radius[outside, None]
    sides, left = {}, np.arange(outside.size)
    while left.size:
        same = np.abs(unit[left] - unit[left[0]]).max(-1) <= SAME_RAY
        # + 0.0: no -0
        name = f"({', '.join(f'{part:.4g}' for part in np.round(unit[left[0]], 4) + 0.0)})"
        sides[name] = outside[left[same]]
        left = left[~same]
    if all(index.size == 1 for index in sides.values()):
        raise ValueError(
            "no two test points outside lie on one ray from the center: place them with tasks.rays"
        )
    few = sum(index.size < LEAST_POINTS for index in sides.values())
    if few > len(sides) / 2:
        raise ValueError(
            f"{few} of the {len(sides)} directions in which test points lie outside hold fewer than the {LEAST_POINTS} "
            "points that a class needs, as those of a grid of the plane do: place the points with tasks.rays"
        )
    return sides


def classify(r: np.ndarray, f: np.ndarray, scale: np.ndarray, tol: float) -> tuple[np.ndarray, ...]:
    """The rule of `asymptote` on increasing distances r (m,) and values f (rows, m): kind and
    `NUMBERS`, each (rows,).

    `scale` is (rows,).
    """
    rows = len(f)
    kind = np.full(rows, "undecided", f"<U{max(map(len, KINDS))}")
    found = {name: np.full(rows, np.nan) for name in NUMBERS}
    finite = np.isfinite(f).all(-1)
    kind[~finite] = "diverged"
    if len(r) < LEAST_POINTS or r[-1] <= r[0]:
        return kind, *found.values()

    def settle(index: np.ndarray, holds: np.ndarray, name: str, **numbers: np.ndarray) -> None:
        """Give the rows `index[holds]` their class, and take them out of those still open."""
        kind[index[holds]] = name
        open_[index[holds]] = False
        for number, values in numbers.items():
            found[number][index[holds]] = values[holds]

    open_ = finite.copy()
    outer = r - r[0] >= (r[-1] - r[0]) / 2
    index = np.flatnonzero(open_)
    tail = f[index][:, outer]
    settle(index, np.ptp(tail, axis=-1) <= tol * scale[index], "constant", level=tail.mean(-1))

    index = np.flatnonzero(open_)
    holds, slope = is_line(r[outer], f[index][:, outer], tol)
    settle(index, holds, "linear", slope=slope)

    index = np.flatnonzero(open_)
    far = r - r[0] >= (r[-1] - r[0]) / 4
    fits_power, p = is_growth(
        r[far] / r[-1], f[index][:, far], power_basis, EXPONENTS, 10 * tol, tol
    )
    fits_exponential, g = is_growth(
        r[far] / r[-1], f[index][:, far], exponential_basis, GROWTHS, 0.0, tol
    )
    powers = fits_power & ~fits_exponential & (p >= 0.2) & (p <= 7.5) & (abs(p - 1) >= 0.1)
    settle(index, powers, "power", exponent=p)
    settle(index, fits_exponential & ~fits_power & (g > 0), "exponential", growth=g / r[-1])
    open_[index[fits_power & fits_exponential]] = False

    for degree, name in ((0, "periodic"), (1, "linear + periodic")):
        index = np.flatnonzero(open_)
        holds, period, slope = is_periodic(r, f[index], degree, tol)
        settle(index, holds, name, period=period, **({"slope": slope} if degree else {}))
    return kind, *found.values()


def is_line(r: np.ndarray, f: np.ndarray, tol: float) -> tuple[np.ndarray, np.ndarray]:
    """Whether rows of f are lines on the points r by item 4 of the rule, and their slopes."""

    def line(part: slice) -> np.ndarray:
        return np.polynomial.polynomial.polyfit(r[part], f[:, part].T, 1)

    half = len(r) // 2
    c, s = line(slice(None))
    _, s1 = line(slice(half))
    _, s2 = line(slice(half, None))
    straight = abs(f - c[:, None] - s[:, None] * r).max(-1, initial=0) <= tol * abs(s) * (
        r[-1] - r[0]
    )
    one_sign = s1 * s2 > 0
    bend = np.log(np.where(one_sign, s2, 1) / np.where(one_sign, s1, 1)) / np.log(
        r[half:].mean() / r[:half].mean()
    )
    return straight & one_sign & (abs(bend) <= 5 * tol), s


def power_basis(r: np.ndarray, p: float) -> np.ndarray:
    """The part of r^p beside a constant, (r^p - 1) / p, which is log r for p = 0."""
    return np.expm1(p * np.log(r)) / p if abs(p) > 1e-9 else np.log(r)


def exponential_basis(r: np.ndarray, g: float) -> np.ndarray:
    """The part of exp(g r) beside a constant, (exp(g (r - max r)) - 1) / g, which is a line for g =
    0.
    """
    return np.expm1(g * (r - r[-1])) / g if abs(g) > 1e-9 else r


def is_growth(r: np.ndarray, f: np.ndarray, basis, values: np.ndarray, absolute: float, tol: float):
    """Whether one parameter fits rows of f by item 5 of the rule, and which; `absolute` is that of
    |p1 - p2|.
    """
    half = len(r) // 2
    (both, residual), (one, _), (two, _) = (
        fit(r[part], f[:, part], basis, values)
        for part in (slice(None), slice(half), slice(half, None))
    )
    near = np.abs(residual).max(-1, initial=0) <= tol / 10 * np.ptp(f, axis=-1)
    allowed = absolute or 10 * tol * np.maximum(abs(one), abs(two))
    return near & (abs(one - two) <= allowed + 1e-9), both


def fit(r: np.ndarray, f: np.ndarray, basis, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The parameter of `basis` that fits each row best beside a constant, to a tenth of the step of
    `values`.
    """

    def designs(candidates: np.ndarray) -> list[np.ndarray]:
        return [
            np.column_stack([np.ones_like(r), basis(r, value)]) for value in candidates.tolist()
        ]

    coarse, residual, _ = scan(f, designs(values))
    found = values[coarse]
    around = np.linspace(-1, 1, 21) * (values[1] - values[0])
    for i in np.unique(coarse):
        rows = coarse == i
        best, residual[rows], _ = scan(f[rows], designs(values[i] + around))
        found[rows] = values[i] + around[best]
    return found, residual


def is_periodic(r: np.ndarray, f: np.ndarray, degree: int, tol: float):
    """Whether rows of f are periodic (about a line for degree 1) by item 6 of the rule, the period,
    and the slope.
    """
    depth = r[-1] - r[0]
    cycles = np.arange(LEAST_CYCLES, (len(r) - 1) / POINTS_PER_PERIOD + CYCLE_STEP / 2, CYCLE_STEP)
    nothing = np.full(len(f), np.nan)
    if not cycles.size:
        return np.zeros(len(f), bool), nothing, nothing
    t = (r - r[0]) / depth
    trend = np.stack([t**k for k in range(degree + 1)], -1)
    angle = 2 * np.pi * np.arange(1, HARMONICS + 1) * t[:, None]
    bases = [np.hstack([trend, np.cos(c * angle), np.sin(c * angle)]) for c in cycles]
    best, residual, coefficients = scan(f, bases)
    left = f - (f @ (q := np.linalg.qr(trend)[0])) @ q.T
    half = len(r) // 2
    holds = np.ones(len(f), bool)
    for part in (slice(None), slice(half), slice(half, None)):
        holds &= (residual[:, part] ** 2).mean(-1) <= tol * left[:, part].var(-1)
    waves = coefficients[:, degree + 1 :].reshape(-1, 2, HARMONICS)
    heights = np.hypot(waves[:, 0], waves[:, 1])
    present = heights > 0.1 * heights.max(-1, keepdims=True, initial=0)
    # Of (2w, ...) alone: w is 2w
    divisor = np.array([np.gcd.reduce(np.flatnonzero(row) + 1) for row in present], int)
    slope = coefficients[:, 1] / depth if degree else nothing
    return holds, depth / (cycles[best] * np.maximum(divisor, 1)), slope


def scan(f: np.ndarray, bases: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The basis (m, b) that fits each row of f (rows, m) best in least squares: index, residual,
    coefficients.
    """
    middle_ = f.mean(-1, keepdims=True)
    height = np.maximum(abs(f - middle_).max(-1, keepdims=True, initial=0), np.finfo(float).tiny)
    unit = (f - middle_) / height
    factors = [np.linalg.qr(basis) for basis in bases]
    best, most = np.zeros(len(f), int), np.full(len(f), -np.inf)
    for i, (q, _) in enumerate(factors):
        explained = ((unit @ q) ** 2).sum(-1)
        best, most = np.where(explained > most, i, best), np.maximum(explained, most)
    residual, coefficients = np.zeros_like(f), np.zeros((len(f), bases[0].shape[1]))
    for i in np.unique(best):
        q, triangle = factors[i]
        rows = best == i
        along = unit[rows] @ q
        residual[rows] = (unit[rows] - along @ q.T) * height[rows]
        coefficients[rows] = np.linalg.solve(triangle, along.T).T * height[rows]
    return best, residual, coefficients
