"""Panels draw the numbers they are given, say n and the series, and survive what is missing or
infinite.
"""

from functools import partial
from itertools import pairwise

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from matplotlib.transforms import Bbox

from approx import plot, stats

# Some samples here are nan from step 0 on, on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:.* trainings are nan in every variable")

STEPS = np.array([0, 1, 3, 10, 30, 100, 300, 1000])


@pytest.fixture(autouse=True)
def _clean_figures():
    with plt.style.context(plot.STYLE):
        yield
    plt.close("all")


def runs(share=0.3, recipes=("adam", "sgd"), n=40):
    rng = np.random.default_rng(0)
    upper = rng.choice(STEPS[1:], (len(recipes), n)).astype(float)
    upper[rng.random(upper.shape) < share] = np.inf
    loss = np.where(upper[..., None] <= STEPS, 0.5, 2.0)
    return xr.Dataset(
        {"test_loss": (("recipe", "seed", "step"), loss)},
        {"recipe": list(recipes), "seed": np.arange(n), "step": STEPS},
    )


def cut_off(ax):
    """Sides of the page over which something reaches: labels, titles, or the note above a map."""
    figure = ax.get_figure(root=True)
    figure.canvas.draw()
    width, height = figure.bbox.size
    boxes = [figure.get_tightbbox().transformed(figure.dpi_scale_trans)]
    boxes += [text.get_window_extent() for text in ax.texts if text.get_gid() == "note"]
    box = Bbox.union(boxes)
    over = {"left": -box.x0, "right": box.x1 - width, "bottom": -box.y0, "top": box.y1 - height}
    return [side for side, pixels in over.items() if pixels > 1]


def texts(ax):
    return [t.get_text() for t in ax.texts]


def line_data(ax, i=0):
    return np.asarray(ax.lines[i].get_xydata())


PANELS = {
    "success_curve": lambda h, r: (plot.success_curve, h),
    "survival": lambda h, r: (plot.survival, stats.survival(h)),
    "restart": lambda h, r: (plot.restart, stats.restart(h, resamples=20)),
    "performance_profile": lambda h, r: (plot.performance_profile, stats.performance_profile(h)),
    "threshold_profile": lambda h, r: (plot.threshold_profile, stats.profile(r, floor=1e-7)),
    "best_of": lambda h, r: (plot.best_of, stats.best_of(r, (1, 5, 20), resamples=20)),
    "running_rate": lambda h, r: (
        plot.running_rate,
        stats.running_rate(h.isel(recipe=0, drop=True), width=0.2),
    ),
    "forest": lambda h, r: (plot.forest, stats.ranking(h)),
    "plan": lambda h, r: (plot.plan, stats.plan()),
}


@pytest.mark.parametrize("name", PANELS)
@pytest.mark.parametrize("kind", ["ordinary", "all failed", "nan everywhere"])
def test_every_panel_draws_on_the_axes_given_and_says_n(name, kind):
    data = runs(0.3 if kind == "ordinary" else 1.0)
    data = data.where(False) if kind == "nan everywhere" else data
    panel, result = PANELS[name](stats.success(data, below=1.0), data)
    fig, ax = plt.subplots()
    assert panel(result, ax=ax, title="What it shows") is ax
    fig.canvas.draw()
    assert ax.get_title(loc="left") == "What it shows"
    assert ax.get_xlabel()
    if name not in ("plan", "running_rate"):
        assert any(text.startswith("n = 40 ") for text in texts(ax))
    if name in ("success_curve", "survival", "performance_profile", "threshold_profile"):
        assert {"adam", "sgd"} <= set(texts(ax))
        assert len(ax.collections) == 2, "a band for each series"
        assert ax.get_legend() is None
    assert panel(result).figure is not fig, "without axes it makes its own"


@pytest.mark.parametrize("name", PANELS)
def test_every_panel_refuses_what_are_no_axes(name):
    data = runs()
    panel, result = PANELS[name](stats.success(data, below=1.0), data)
    figure, several = plt.subplots(1, 2)
    with pytest.raises(TypeError, match="ax is of type str: give the Axes of matplotlib"):
        panel(result, ax="step")
    with pytest.raises(TypeError, match="ax is of type Figure: give the Axes"):
        panel(result, ax=figure)
    with pytest.raises(TypeError, match=r"give one of them, as in axes\[0\]"):
        panel(result, ax=several)


def test_success_curve_draws_the_rates_and_their_band():
    hits = stats.success(runs(), below=1.0)
    rates = stats.rate(hits, when="each")
    ax = plot.success_curve(hits)
    for i in range(2):
        np.testing.assert_allclose(line_data(ax, i)[:, 0], STEPS)
        np.testing.assert_allclose(line_data(ax, i)[:, 1], rates.rate[i])
        band = ax.collections[i].get_paths()[0].vertices
        assert set(np.round(rates.low.values[i], 9)) <= set(np.round(band[:, 1], 9))
        assert set(np.round(rates.high.values[i], 9)) <= set(np.round(band[:, 1], 9))
    assert ax.lines[0].get_linestyle() != ax.lines[1].get_linestyle(), "told apart in grey"
    np.testing.assert_allclose(line_data(plot.success_curve(rates))[:, 1], rates.rate[0])


def test_work_curves_end_where_each_method_does():
    rates = stats.rate(stats.success(runs(), below=1e-3), when="each")
    rates = rates.isel({dim: 0 for dim in rates.rate.dims if dim != "step"})
    ax = plot.work_curve(
        {"one": rates, "two": rates.isel(step=slice(-2)).assign_coords(ms=3.0)}, label="work"
    )
    lines = {
        len(line.get_xdata()): line.get_xdata() for line in ax.lines if line.get_marker() == "None"
    }
    assert [x.max() for x in lines.values()] == [rates.step[-1], rates.step[-3]]
    assert (ax.get_xlabel(), ax.get_xscale()) == ("work", "log")
    assert {"one", "two"} <= {text.get_text() for text in ax.texts}
    timed = {
        name: rates.assign_coords(ms=("step", np.full(rates.sizes["step"], ms)))
        for name, ms in (("b", 1), ("a", 0))
    }
    # The curve and the dot of what took any time
    assert len(plot.work_curve(timed, work="ms").lines) == 2


def test_threshold_profile_shows_the_floor():
    ax = plot.threshold_profile(stats.profile(runs(), floor=1e-7))
    assert any(np.allclose(line.get_xdata(), 1e-7) for line in ax.lines)
    assert ax.get_xlim()[0] < 1e-7
    assert any("float32 floor" in text for text in texts(ax))


def test_restart_marks_the_best_cutoff():
    result = stats.restart(
        stats.success(runs(recipes=("adam",)).isel(recipe=0, drop=True), below=1.0), resamples=20
    )
    ax = plot.restart(result)
    marks = [tuple(line.get_xydata()[0]) for line in ax.lines if line.get_marker() == "o"]
    assert marks == [(result.best_cutoff.item(), result.best_cost.item())]
    assert any(f"best {int(result.best_cutoff):,}" in text for text in texts(ax))


def test_forest_fills_what_is_decided_and_points_at_infinity():
    data = xr.Dataset(
        {
            "ratio": ("task", [0.5, 1.1, np.inf]),
            "low": ("task", [0.4, 0.8, 2.0]),
            "high": ("task", [0.7, 1.5, np.inf]),
            "n": ("task", [50, 50, 50]),
        },
        {"task": ["x", "y", "z"]},
        {"a": "adam", "b": "sgd"},
    )
    ax = plot.forest(data)
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [dot.get_markerfacecolor() for dot in dots] == ["C0", "white"]
    assert [line.get_marker() for line in ax.lines].count(">") == 1
    assert [t.get_text() for t in ax.get_yticklabels()] == ["x", "y", "z"]
    assert "adam against sgd" in ax.get_xlabel()
    single = stats.compare(stats.success(runs(), below=1.0), "adam", "sgd")
    assert [t.get_text() for t in plot.forest(single).get_yticklabels()] == ["adam against sgd"]


def test_landscape_maps_rates_on_log_axes_and_hatches_what_is_undecided():
    k = np.array([[0, 10, 20], [20, 10, 0]])
    low, high = stats.binomial_interval(k, 20)
    dims = ("learning_rate", "width")
    rates = xr.Dataset(
        {
            "rate": (dims, k / 20),
            "low": (dims, low),
            "high": (dims, high),
            "n": (dims, np.full((2, 3), 20)),
        },
        {"learning_rate": [0.1, 0.2], "width": [1.0, 10.0, 100.0]},
    )
    ax = plot.landscape(rates, title="A map")
    mesh, hatched = ax.collections
    np.testing.assert_allclose(np.ma.getdata(mesh.get_array()).reshape(2, 3), rates.rate)
    assert len(hatched.get_paths()) == 2, "the two cells at one half"
    assert hatched.get_hatch()
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("width", "learning rate")
    assert any("n = 20 per cell; hatched: may be above or below 50%" in text for text in texts(ax))
    one = rates.isel(learning_rate=0)
    with pytest.raises(ValueError, match="needs two dimensions, got width"):
        plot.landscape(one)


def test_labels_at_the_ends_do_not_overlap_and_keep_their_order():
    rates = xr.Dataset(
        {
            name: (("recipe", "step"), np.full((4, 2), 0.5) + 1e-3 * np.arange(4)[:, None])
            for name in ("rate", "low", "high")
        }
        | {"n": (("recipe", "step"), np.full((4, 2), 9))},
        {"recipe": list("abcd"), "step": [0, 10]},
    )
    ax = plot.success_curve(rates)
    ax.figure.canvas.draw()
    labels = sorted((t for t in ax.texts if t.get_text() in "abcd"), key=lambda t: t.get_text())
    boxes = [t.get_window_extent() for t in labels]
    for lower, upper in pairwise(boxes):
        assert lower.y0 < upper.y0, "in the order of the lines"
        assert (lower.y0 + lower.y1) / 2 + 0.6 * lower.height < (upper.y0 + upper.y1) / 2
    nine = xr.concat([rates.isel(recipe=0)] * 9, "recipe").assign_coords(recipe=list("abcdefghi"))
    with pytest.raises(ValueError, match="9 series over recipe; choose at most eight"):
        plot.success_curve(nine)


def test_a_figure_is_saved_with_the_same_bytes_on_any_day(tmp_path, monkeypatch):
    def drawn(folder):
        ax = plot.success_curve(stats.success(runs(), below=1.0))
        return plot.save(ax.figure, folder, "curve.v2")

    files = drawn(tmp_path / "new" / "folder")
    assert files == [
        tmp_path / "new" / "folder" / f"curve.v2{suffix}" for suffix in (".pdf", ".svg", ".png")
    ]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")  # the day that matplotlib would write
    for one, again in zip(files, drawn(str(tmp_path / "again")), strict=True):
        assert one.read_bytes() == again.read_bytes()
        assert b"19700101" not in again.read_bytes()
    noted = plot.success_curve(stats.success(runs(), below=1.0)).figure
    plot.save(noted, tmp_path, "noted", note="a look")
    assert noted.get_suptitle() == "a look"
    assert (tmp_path / "noted.png").read_bytes() != files[2].read_bytes()
    assert files[0].read_bytes().startswith(b"%PDF")
    assert b"<svg" in files[1].read_bytes()
    assert files[2].read_bytes().startswith(b"\x89PNG")


LABELS = ["standardised inputs, Levenberg-Marquardt", "as it is, with Adam at a rate of 0.001", "z"]


def wide_forest(ax):
    ends = {
        "ratio": [0.5, 1.1, 0.8],
        "low": [0.4, 0.8, 0.6],
        "high": [0.7, 1.5, 1.1],
        "n": [50] * 3,
    }
    data = xr.Dataset({name: ("task", values) for name, values in ends.items()}, {"task": LABELS})
    return plot.forest(data, ax=ax)


def wide_map(ax):
    dims = ("learning_rate", "width")
    ends = {"rate": 0.5, "low": 0.2, "high": 0.8, "n": 65_536, "successes": 9, "filled": 0.5}
    grid = {name: (dims, np.full((3, 3), value)) for name, value in ends.items()}
    rates = xr.Dataset(grid, {"learning_rate": [1e-3, 1e-2, 1e-1], "width": [1.0, 2.0, 4.0]})
    rates.n[0, 0] = 0
    return plot.landscape(rates, ax, diverged=xr.ones_like(rates.rate))


def wide_claims(ax):
    hits = xr.DataArray([True] * 9, dims="seed")
    claim = partial(
        stats.Claim,
        compared="a",
        measure="b",
        effect=partial(stats.rate, hits),
        holds=stats.USUALLY,
    )
    return plot.claims(
        stats.claims("source", [claim(f"{label} is {label}") for label in LABELS]), ax
    )


WIDE = {"forest": wide_forest, "map": wide_map, "claims": wide_claims}


STYLES = {"matplotlib's": "default", "ours": plot.STYLE, "talk": plot.TALK_STYLE}


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
@pytest.mark.parametrize("name", WIDE)
def test_no_label_and_no_note_is_cut_off_in_any_style(name, style):
    with plt.style.context(["default", style]):
        ax = WIDE[name](None)
        assert cut_off(ax) == []
        if name == "map":
            (note,) = [text for text in ax.texts if text.get_gid() == "note"]
            assert note.get_text().replace("\n", " ").split("; ") == [
                "n = 0 to 65,536 per cell",
                "pale: interpolated",
                "hatched: may be above or below 50%",
                "dots: most diverged",
            ]


def test_save_takes_what_panels_return_and_keeps_all_labels(tmp_path):
    with plt.style.context("default"):
        ax = wide_forest(plt.subplots()[1])  # without a layout
        alone, figure = (
            plot.save(given, tmp_path, f"{number}") for number, given in enumerate((ax, ax.figure))
        )
        assert [one.read_bytes() for one in alone] == [one.read_bytes() for one in figure]
        image = plt.imread(alone[-1])[..., :3]
        rim = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        assert (rim == 1).all(), "white all around: nothing is cut"
        several = plt.subplots(2, 2, figsize=(2, 2))[1]
        parts = plt.figure(figsize=(2, 2)).subfigures(1, 2)
        for given in (several, several.tolist()[0], parts[0], parts[0].subplots()):
            assert len(plot.save(given, tmp_path, "some")) == 3
        for given, error, message in (
            (runs(), TypeError, "writes a figure or axes of one, not a Dataset"),
            ([runs()], TypeError, "not a Dataset"),
            ([ax, several[0, 0]], ValueError, "those of 2 figures"),
            ([], ValueError, "those of 0 figures"),
        ):
            with pytest.raises(error, match=message):
                plot.save(given, tmp_path, "none")


def points_of(inputs=1, n=61):
    """Predictions of four seeds at points along one line of that many inputs."""
    x = np.zeros((n, inputs))
    x[:, 0] = np.linspace(-3, 3, n)
    f = np.repeat(x[None, :, :1], 4, 0)
    return xr.Dataset(
        {"prediction": (("seed", "point", "output"), f)},
        {
            "x_test": (("point", "input"), x),
            "y_test": (("point", "output"), x[:, :1]),
            "distance": ("point", np.maximum(abs(x[:, 0]) - 1, 0)),
        },
    )


def test_a_fan_of_two_inputs_is_refused_with_what_draws_them():
    assert plot.fan(points_of()).get_xlabel() == "x"
    with pytest.raises(
        ValueError, match=r"functions of one input, and these have 2.*plot.extrapolation"
    ):
        plot.fan(points_of(2))


def test_panels_by_label_take_one_alone_and_refuse_what_was_not_prepared():
    one = points_of()
    errors, defects = stats.error_by_distance(one), stats.symmetry(one, "odd")
    hits = stats.success(runs(recipes=("adam",)).isel(recipe=0, drop=True), below=1.0)
    rates = stats.rate(hits, when="each")
    for panel, result in (
        (plot.extrapolation, errors),
        (plot.symmetry, defects),
        (plot.work_curve, rates),
    ):
        alone, labelled = panel(result), panel({"a": result})
        np.testing.assert_array_equal(line_data(alone), line_data(labelled))
        for given in (one, {"a": one}):
            with pytest.raises(
                ValueError, match=r"there is no variable .* write plot.*a label.*stats\."
            ):
                panel(given)
        with pytest.raises(ValueError, match="results by label, not a list"):
            panel([result])


def test_a_curve_of_an_accuracy_is_linear_and_its_label_fits():
    said = "share of the test points inside the training range that are correct"
    values = np.linspace(0.1, 0.9, 8) * np.ones((5, 8))
    curves = {
        "test_accuracy": (("seed", "step"), values, {"long_name": said}),
        "loss": (("seed", "step"), values),
    }
    data = xr.Dataset(curves, {"step": STEPS})
    ax = plot.learning_curve(data, of="test_accuracy")
    assert (ax.get_yscale(), ax.get_ylim()) == ("linear", (-0.02, 1.02))
    assert ax.get_ylabel().replace("\n", " ") == said
    assert max(map(len, ax.get_ylabel().split("\n"))) <= 34
    assert cut_off(ax) == []
    assert plot.learning_curve(data).get_yscale() == "log"
    assert plot.learning_curve(data - 0.5).get_yscale() == "linear", (
        "values below 0 have no logarithm"
    )


def test_a_forest_groups_its_rows_and_gives_each_series_a_mark():
    found = xr.Dataset(
        {
            "rate": (("optimizer", "row"), [[0.1, 0.5, np.nan], [0.2, 0.9, 0.4]]),
            "low": (("optimizer", "row"), [[0.0, 0.4, np.nan], [0.1, 0.8, 0.3]]),
            "high": (("optimizer", "row"), [[0.3, 0.6, np.nan], [0.4, 1.0, 0.5]]),
        },
        {"optimizer": ["adam", "sgd"], "row": ["x", "y", "z"]},
    )
    ax = plot.forest(
        found,
        by="optimizer",
        groups={"": ["z"], "later": ["x", "missing"]},
        styles={"sgd": {"color": "k", "clip_on": False}},
    )
    assert [t.get_text() for t in ax.get_yticklabels()] == ["z", "x"], "y is in no group"
    assert "later" in texts(ax)
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["adam", "sgd"]
    drawn = [line for line in ax.lines if len(line.get_xdata()) == 1]
    assert [(line.get_xdata()[0], line.get_color()) for line in drawn] == [
        (0.1, "C0"),
        (0.4, "k"),
        (0.2, "k"),
    ], "what is nan has no mark"
    ax.figure.canvas.draw()  # a warning that the layout fails would be an error


def test_split_takes_colours_for_more_classes_and_more_than_eight_series():
    kinds = list("abcdef")
    counts = np.tile(np.arange(1, 7), (9, 1))
    n = counts.sum(1, keepdims=True) * np.ones_like(counts)
    low, high = stats.binomial_interval(counts, n)
    values = {"rate": counts / n, "low": low, "high": high, "successes": counts, "n": n}
    data = xr.Dataset(
        {name: (("recipe", "kind"), value) for name, value in values.items()},
        {"recipe": [f"r{i}" for i in range(9)], "kind": kinds},
    )
    colors = {kind: f"C{number}" for number, kind in enumerate(kinds)}
    ax = plot.failure_causes(data, colors=colors, numbers=False)
    assert len(ax.patches) == 54
    assert texts(ax) == [], "no percentages and no n"
    with pytest.raises(ValueError, match="no colour for the kinds"):
        plot.failure_causes(data, colors={"a": "C0"})


def test_a_table_writes_every_share_and_leaves_gaps_grey():
    ax = plot.table(np.array([[0.2, 1.0], [np.nan, 0.5]]), ["raw", "z"], ["SGD", "Adam"])
    assert texts(ax) == ["20", "100", "50"]
    assert [t.get_color() for t in ax.texts] == ["white", "black", "white"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["raw", "z"]


def test_a_dot_for_each_seed_has_the_colour_of_its_kind():
    ax = plt.subplots()[1]
    kinds = np.array(["learned", "lost", "learned"], object)
    plot.seed_dots(ax, np.arange(3.0), kinds, {"learned": "C0", "lost": "C1"}, np.zeros(3))
    assert [list(line.get_xdata()) for line in ax.lines] == [[0, 2], [1]]
    with pytest.raises(ValueError, match="no colour"):
        plot.seed_dots(ax, np.arange(3.0), kinds, {"learned": "C0"}, np.zeros(3))


def test_texts_and_legends_can_be_left_out():
    assert not {"target", "median", "n = 4 seeds"} & set(texts(plot.fan(points_of(), names=False)))
    assert wide_claims(None).get_legend() is not None
    hits = xr.DataArray([True] * 9, dims="seed")
    rate = partial(stats.rate, hits)
    claim = stats.Claim("a", compared="a", measure="b", effect=rate, holds=stats.USUALLY)
    assert plot.claims(stats.claims("source", [claim]), legend=False).get_legend() is None


@pytest.mark.parametrize("given", ["runs", "hits", "list"])
def test_maps_and_curves_say_what_they_take(given):
    hits = stats.success(runs(), below=1.0)
    data = {"runs": runs(), "hits": hits, "list": [1, 0]}[given]
    calls = [plot.landscape, plot.extrapolation, plot.symmetry, plot.fan]
    calls += [lambda data: plot.field(data, "time"), lambda data: plot.facets(data, col="recipe")]
    for call in calls:
        with pytest.raises(ValueError, match=r"stats\.|predictions|xarray.Dataset|give the runs"):
            call(data)


def plane(outputs, names, n=10):
    """Predictions over a grid of 5 by 5 places: all seeds agree but for one line of places."""
    x = np.array([(a, b) for b in range(5) for a in range(5)], float)
    f = np.zeros((n, 25, outputs))
    f[:, x[:, 0] < 2, -1] = 1.0
    f[:, x[:, 0] > 2, -1] = -1.0
    f[: n // 5, x[:, 0] == 2, -1] = 1.0
    f[n // 5 :, x[:, 0] == 2, -1] = -1.0
    notes = {"classes": names, "decision": "above 0" if outputs == 1 else "largest"}
    return xr.Dataset(
        {"prediction": (("seed", "point", "output"), f)},
        {
            "seed": np.arange(n),
            "x_test": (("point", "input"), x),
            "y_test": ("point", np.full(25, -1), notes),
            "role": ("point", np.full(25, "at")),
        },
    )


def test_a_boundary_shows_shares_of_seeds_and_marks_rows():
    rows = np.array([[0.0, 1.0], [4.0, 3.0], [4.0, 4.0]]), ["yes", "no", "no"]
    ax = plot.boundary(plane(1, '["no", "yes"]'), rows=rows, title="Which side")
    share = ax.collections[0].get_array().reshape(5, 5)
    np.testing.assert_allclose(share, np.tile([1, 1, 0.2, 0, 0], (5, 1)))
    marks = {each.get_label(): each.get_offsets() for each in ax.collections[-2:]}
    np.testing.assert_array_equal(marks["yes"], rows[0][:1])
    np.testing.assert_array_equal(marks["no"], rows[0][1:])
    half = ax.collections[2].get_paths()[0].vertices  # the lines are at 10, 50 and 90%
    np.testing.assert_allclose(half[:, 0], 1 + 0.5 / 0.8)
    said = texts(ax)[0].replace("\n", " ")
    assert said == "n = 10 seeds; lines: 10, 50 and 90% of the seeds"
    assert not cut_off(ax)
    with pytest.raises(ValueError, match="class 'maybe'; the classes are no, yes"):
        plot.boundary(plane(1, '["no", "yes"]'), rows=(rows[0], ["maybe"] * 3))
    with pytest.raises(ValueError, match=r"plot\.boundary"):
        plot.fan(plane(1, '["no", "yes"]').assign_coords(distance=("point", np.zeros(25))))


def test_a_boundary_of_several_classes_is_coloured_by_the_leading_one():
    ax = plot.boundary(plane(3, '["u", "v", "w"]'))
    colors = ax.collections[0].get_array()
    assert colors.shape == (5, 5, 3)
    assert (colors[:, 0] == colors[:, 1]).all()
    assert (colors[:, 3] == colors[:, 4]).all()
    assert (colors[:, 0] < colors[:, 2]).any()
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["u", "v", "w"]
    assert not cut_off(ax)
