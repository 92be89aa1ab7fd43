"""Promise: small multiples and animations draw each kept step as the fan does, on the same axes."""

import gc
import json
import re
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from PIL import Image

from approx import plot

STEPS = [0, 10, 100, 1000]
X = np.linspace(-2, 2, 21)


@pytest.fixture(scope="module")
def runs():
    """Functions that grow from nothing to x², over four kept steps and nine seeds."""
    rng = np.random.default_rng(0)
    share = np.array([0.0, 0.3, 0.9, 1.0])[:, None, None]
    noise = rng.normal(0, 0.2, (4, 9, 1)) * (1.1 - share)
    f = share * X**2 + noise * (1 + X)
    return xr.Dataset(
        {
            "loss": (("seed", "step"), np.ones((9, 4))),
            "prediction": (("kept_step", "seed", "point", "output"), f[..., None]),
        },
        {
            "step": STEPS,
            "kept_step": STEPS,
            "x_test": (("point", "input"), X[:, None]),
            "y_test": (("point", "output"), X[:, None] ** 2),
            "distance": ("point", np.maximum(np.abs(X) - 1, 0)),
        },
    )


@pytest.fixture(autouse=True)
def _style():
    with plt.style.context(plot.STYLE):
        yield


def small():
    """Axes of a picture that is soon drawn."""
    return plt.subplots(figsize=(2.5, 2))[1]


def test_each_panel_has_the_median_of_its_step(runs):
    drawn = plot.snapshots(runs, title="Slowly")
    named = [{text.get_text() for text in ax.texts} >= {"target", "median"} for ax in drawn]
    assert named == [False, False, True, False]
    assert [ax.get_title(loc="left") for ax in drawn] == [
        "after 0 steps",
        "after 10 steps",
        "after 100 steps",
        "after 1,000 steps",
    ]
    for ax, step in zip(drawn, STEPS, strict=True):
        middle = np.sort(runs.prediction.sel(kept_step=step).isel(output=0), 0)[4]
        np.testing.assert_allclose(ax.lines[0].get_ydata(), middle)
        assert ax.get_ylim() == drawn[0].get_ylim()
    assert drawn[0].figure.get_suptitle() == "Slowly"
    some = plot.snapshots(runs, [10, 1000])
    assert [ax.get_title(loc="left") for ax in some] == ["after 10 steps", "after 1,000 steps"]
    assert [ax.get_title(loc="left") for ax in plot.snapshots(runs, most=2)] == [
        "after 0 steps",
        "after 1,000 steps",
    ]
    _, own = plt.subplots(2, 2)
    assert plot.snapshots(runs, panels=own)[3] is own[1, 1]


def test_a_gif_has_a_picture_for_each_kept_step(runs, tmp_path):
    path = tmp_path / "new" / "learning.gif"
    made = plot.animate(runs, path, ax=small(), title="x² grows", pace=2)
    with Image.open(path) as gif:
        durations = []
        for frame in range(gif.n_frames):
            gif.seek(frame)
            durations.append(gif.info["duration"])
    assert gif.n_frames == 4  # equal pictures are joined into one that stays longer
    assert durations == [500, 500, 500, 2500]
    assert sum(durations) == 500 * len(list(made.new_frame_seq()))


def test_a_page_has_the_pictures_and_loads_nothing(runs, tmp_path):
    path = tmp_path / "learning.html"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of an animation that nobody has drawn
        plot.animate(runs, path, ax=small(), title="a < b")
        gc.collect()
    page = path.read_text()
    frames = re.search(r'type="application/json">(.*?)</script>', page, re.S).group(1)
    content = json.loads(frames)
    assert content["steps"] == STEPS
    assert len(set(content["pictures"])) == 4
    assert "<title>a &lt; b</title>" in page
    assert "http" not in page.replace(frames, "")


def test_pictures_share_their_axes_and_say_their_step(runs, tmp_path):
    _, ax = plt.subplots()
    made = plot.animate(runs, ax=ax, title="x² grows")
    seen = []
    for place in range(4):
        made._func(place)
        seen.append((ax.get_ylim(), ax.get_position().bounds))
        assert ax.get_title(loc="left") == f"x² grows: after {STEPS[place]:,} steps"
    assert len(set(seen)) == 1
    made._draw_was_started = True  # it was drawn by hand


def test_what_cannot_be_drawn_over_steps_is_refused(runs, tmp_path):
    one = runs.isel(kept_step=0)
    for panel in (plot.snapshots, plot.animate):
        with pytest.raises(ValueError, match=r"of one step were kept: run with keep_at="):
            panel(one)
        with pytest.raises(ValueError, match="none were kept"):
            panel(runs.drop_vars("prediction"))
        with pytest.raises(ValueError, match="select one of recipe"):
            panel(runs.expand_dims(recipe=2))
    with pytest.raises(ValueError, match="step 7 was not kept; there are 4 kept steps: 0, 10"):
        plot.snapshots(runs, [0, 7])
    with pytest.raises(ValueError, match="no step was given"):
        plot.snapshots(runs, [])
    with pytest.raises(ValueError, match="3 panels for 4 steps"):
        plot.snapshots(runs, panels=plt.subplots(1, 3)[1])
    with pytest.raises(ValueError, match=r"writes \.gif or \.html, not 'learning.mp4'"):
        plot.animate(runs, "learning.mp4")
    with pytest.raises(ValueError, match="pictures a second, positive, not 0"):
        plot.animate(runs, pace=0)


def test_a_fan_of_labels_is_refused(runs):
    labels = runs.isel(kept_step=0).assign_coords(y_test=("point", np.arange(21) % 2))
    with pytest.raises(ValueError, match="the targets are labels of classes"):
        plot.fan(labels)
