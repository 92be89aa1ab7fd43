"""Promise: what is said of a picked step is measured at that step, or it is refused."""

import numpy as np
import pytest
import xarray as xr

import approx as ap
from approx import plot, stats

STEPS = [0, 10, 20]


def runs(kept=(0, 10, 20)):
    """Three seeds whose function at step s is seed + s everywhere; validation is best at 10, 0 and
    20.
    """
    x = np.linspace(-3, 3, 61)
    height = np.arange(3)[:, None] + np.array(kept)  # (seed, kept_step)
    f = np.broadcast_to(height[..., None, None], (3, len(kept), x.size, 1)).astype(float)
    validation = np.array([[3.0, 1.0, 2.0], [1.0, 2.0, 3.0], [np.nan, 2.0, 1.0]])
    made = xr.Dataset(
        {
            "validation_loss": (("seed", "step"), validation),
            "prediction": (("seed", "kept_step", "point", "output"), f),
            "params.w": (("seed", "kept_step"), height.astype(float)),
        },
        {
            "seed": range(3),
            "step": STEPS,
            "kept_step": list(kept),
            "x_test": (("point", "input"), x[:, None]),
            "y_test": (("point", "output"), 0 * x[:, None]),
            "distance": ("point", np.maximum(np.abs(x) - 1, 0)),
        },
        {"params": '"params.w"', "identity": "made"},
    )
    if len(kept) > 1:
        return made
    return made.isel(kept_step=0)


def test_what_was_kept_at_the_picked_steps_is_picked():
    picked = stats.pick(runs())
    assert picked.step.values.tolist() == [10, 0, 20]
    assert picked.prediction.dims == ("seed", "point", "output")
    np.testing.assert_array_equal(picked.prediction.isel(point=0, output=0), [10, 1, 22])
    np.testing.assert_array_equal(ap.params(picked), [10, 1, 22])
    assert "kept_step" not in picked.coords
    errors = stats.error_by_distance(picked).error
    np.testing.assert_allclose(errors.isel(distance=-1), [10, 1, 22])
    assert stats.asymptote(picked).level.sel(side="right").values.tolist() == [10, 1, 22]
    assert plot.fan(picked).lines[0].get_ydata().tolist() == [10] * 61  # the median
    everywhere = xr.concat([runs(), runs() + 1], xr.DataArray([1, 2], dims="width", name="width"))
    assert stats.pick(everywhere.assign_attrs(runs().attrs)).prediction.sizes["width"] == 2


@pytest.mark.parametrize("kept", [(20,), (0, 20)])
def test_what_was_kept_at_other_steps_is_refused(kept):
    picked = stats.pick(runs(kept))
    assert "validation_loss" in picked
    assert picked.attrs["identity"] == "made"
    needs = (stats.error_by_distance, stats.asymptote, stats.symmetry, plot.fan, ap.params)
    for needing in needs:
        with pytest.raises(
            ValueError, match=r"not kept at every step that stats.pick picked.*keep_at="
        ):
            needing(picked)
    with pytest.raises(ValueError, match="no predictions were kept: run with keep="):
        plot.fan(runs().drop_vars("prediction"))


def test_one_kept_step_suffices_where_all_picked_it():
    early = runs((10,)).isel(seed=[0])
    picked = stats.pick(early)
    np.testing.assert_array_equal(picked.prediction.isel(point=0, output=0), [10])
    noted = early.drop_vars("kept_step")
    noted.prediction.attrs["kept_step"] = 10
    np.testing.assert_array_equal(stats.pick(noted).prediction, picked.prediction)


def test_a_record_and_predictions_of_another_step_do_not_go_together():
    last = runs((20,))
    plot.fan(last.isel(step=-1))
    for needing in (stats.error_by_distance, stats.asymptote, plot.fan):
        with pytest.raises(
            ValueError, match="step 10 was selected, but the predictions were kept at step 20"
        ):
            needing(last.sel(step=10))


@pytest.mark.slow
def test_the_step_at_which_predictions_were_kept_is_no_coordinate_of_statistics(quiet):
    recipe = ap.Recipe(model=ap.MLP((2,), "tanh"), steps=10, records=(0, 5, 10))
    made = ap.run(ap.tasks.square(range=1.0), recipe, seeds=4, **quiet)
    assert made.prediction.attrs["kept_step"] == 10
    old = runs((20,))  # results made before had the coordinate
    results = (
        stats.rate(stats.success(made, below=1.0)),
        stats.quantiles(made),
        stats.error_by_distance(made),
        stats.asymptote(made),
        stats.quantiles(old, "validation_loss"),
        stats.rate(stats.success(old, below=1.0, of="validation_loss")),
        stats.error_by_distance(old),
    )
    for result in results:
        assert "kept_step" not in result.coords
    with pytest.raises(ValueError, match="not kept at every step"):
        plot.fan(stats.pick(made.assign(validation_loss=-made.loss)))
