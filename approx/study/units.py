"""How many hidden units of every seed have become constant."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, ArrayLike

from approx.models import idle_units, scalings
from approx.models.mlp import MLP
from approx.stats.kept import steps_kept
from approx.stats.labels import final, require_dims
from approx.sweep.results import params

AT_A_TIME = 64  # networks whose units are computed together, which bounds the memory


def idle_share(runs: xr.Dataset, model: Any, x: ArrayLike) -> xr.DataArray | None:
    """Share of every seed's hidden units whose output is the same on all rows x, at the end.

    Such units are dead relus or saturated sigmoids. A unit counts if its output varies by no more
    than 0.001 (see `models.idle_units`). Units of all layers count alike.

    Args:
        runs: a result with parameters, made with `keep=("params",)`.
        model: the model that was trained; an `MLP`, or one inside `scalings`.
        x: rows (n, i), as the task gives them.

    Returns:
        Shares over (..., seed); nan where the training loss is not finite. None for other models,
        and for a network without hidden units.

    Raises:
        ValueError: no parameters were kept, or not at the last record; the rows have another number
            of columns than the network has inputs; or the runs vary a number of the model on
            which the units depend.

    Example:
        runs = ap.run(task, recipe, seeds=64, keep=("params",))
        idle_share(runs, recipe.model, task.x).mean()
    """
    inner = scalings.core(model)
    if not (isinstance(inner, MLP) and inner.widths and _are_known(model)):
        return None
    _check_numbers(runs, model)
    loss = final(runs, "loss")
    require_dims(loss, ["seed"])
    networks = _networks(runs, loss)
    rows = _inward(model, _checked_rows(x, networks))

    shares = _shares(inner, networks, rows)
    values = np.asarray(shares, float).reshape(loss.shape)
    found = xr.DataArray(values, loss.coords, loss.dims, name="idle_share")
    return found.where(np.isfinite(loss))


@jax.jit
def _shares(model: MLP, networks: Any, rows: Array) -> Array:
    """The share of idle units of each network; rows of a study that are alike share a program."""
    widths = np.array(model.widths)

    def of_one(network: Any) -> Array:
        shares = idle_units(model, network, rows)
        return (shares * widths).sum() / widths.sum()

    return jax.lax.map(of_one, networks, batch_size=AT_A_TIME)


# ---- the model -----------------------------------------------------------------------------------


def _models(model: Any) -> list[Any]:
    """A model and those inside it, the outermost first."""
    found = [model]
    while isinstance(found[-1], scalings.Around):
        found.append(found[-1].model)
    return found


def _are_known(model: Any) -> bool:
    """Whether we know what all scalings around a network do to its inputs."""
    *around, _ = _models(model)
    return all(isinstance(one, scalings.PerFeature | scalings.PerSample) for one in around)


def _inward(model: Any, x: Array) -> Array:
    """Rows as the network inside all scalings sees them."""
    for one in _models(model):
        if isinstance(one, scalings.PerFeature):
            x = one.inward(x)
        elif isinstance(one, scalings.PerSample):
            x, _, _ = one.moments(x)
    return x


def _check_numbers(runs: xr.Dataset, model: Any) -> None:
    """Raise a ValueError if the runs vary a number that changes what units give on the rows."""
    names: list[str] = []
    for one in _models(model):
        if isinstance(one, MLP):
            names += ["frequency", "a"]
        elif isinstance(one, scalings.PerFeature):
            names += ["center", "scale"]
    for name in names:
        for axis in (name, f"model.{name}"):
            if axis in runs.dims:
                raise ValueError(
                    f"the runs vary {axis!r}, and a model has one such number: select one with "
                    f".sel({{{axis!r}: ...}}), and give the model that has it"
                )


# ---- the parameters and the rows -----------------------------------------------------------------


def _networks(runs: xr.Dataset, loss: xr.DataArray) -> Any:
    """The parameters at the last record, with all networks along the first axis.

    Raises:
        ValueError: none were kept, or not at the last record.
    """
    where = {}
    if "kept_step" in runs.dims:
        where["kept_step"] = runs.kept_step.values[-1]
    kept = params(runs, **where)
    _check_kept_at_last(runs)

    def in_a_row(values: np.ndarray) -> np.ndarray:
        own = values.shape[loss.ndim :]
        return values.reshape(loss.size, *own)

    return jax.tree.map(in_a_row, kept)


def _check_kept_at_last(runs: xr.Dataset) -> None:
    """Raise a ValueError if the parameters were kept at other records than the last."""
    steps = steps_kept(runs)
    if "step" not in runs.dims or not steps.size:
        return
    last = int(runs.step[-1])
    if steps[-1] != last:
        raise ValueError(
            f"the last parameters were kept at step {steps[-1]}, and the last record is at step "
            f"{last}: run with keep_at=({last},)"
        )


def _checked_rows(x: ArrayLike, networks: Sequence[Any]) -> Array:
    """The rows as an array.

    Raises:
        ValueError: they are no table with one column for each input of the networks.
    """
    rows = jnp.asarray(x)
    inputs = networks[0]["w"].shape[1]
    if rows.ndim != 2 or rows.shape[1] != inputs:
        raise ValueError(
            f"the rows have the shape {rows.shape}; they must be (n, {inputs}), as the networks "
            f"have {inputs} inputs"
        )
    return rows
