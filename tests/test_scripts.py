"""Promise: every experiment runs, small, and every figure can be drawn from what it wrote; the commands work."""

import csv
import importlib.util
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest
import xarray as xr

import approx as ap

ROOT = Path(__file__).parents[1]


def script(folder: str, name: str):
    """One script as a module."""
    path = ROOT / folder / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"{folder}_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def square(tmp_path_factory):
    folder = tmp_path_factory.mktemp("square")
    script("experiments", "square").main(seeds=4, seeds_b=2, steps=20, results=folder)
    return folder


def test_square_writes_its_results_and_its_table(square, capsys):
    for label in "ABC":
        runs = ap.load(square / f"square_{label}.nc")
        assert runs.sizes["seed"] == (2 if label == "B" else 4)
        assert int(runs.step[-1]) == 20
        table = script("experiments", "square").table(label, runs)
        assert f"{label}: {runs.sizes['seed']} seeds, 20 steps" in table
        assert "Wilson 95%" in table
        assert ("the thread's" in table) == (label == "B")


def test_the_recipes_are_the_threads(square):
    """Literal recipes of case 4, as the thread and its answers state them."""
    recipes = script("experiments", "square").RECIPES
    a, b, c = (recipes[label][1] for label in "ABC")
    assert (a.model.widths, a.learning_rate, a.steps, a.batch_size) == ((), 1e-4, 50_000, None)
    assert (b.model.widths, b.model.activation, b.l2, b.l2_on) == ((8, 8), "relu", 1e-3, "hidden")
    assert (b.batch_size, b.batches, b.steps / 15_000) == (256, "epoch", np.ceil(8000 / 256))
    assert (c.model.widths, c.optimizer, c.learning_rate, c.steps) == ((10,), "sgd", 1e-3, 15_000)


def test_the_figure_is_drawn_and_redrawn_byte_equal(square, tmp_path):
    figure = script("figures", "square")
    files = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        figure.main(results=square, figures=folder)
        files.append({path.suffix: path.read_bytes() for path in folder.iterdir()})
    assert files[0] == files[1]
    assert set(files[0]) == {".pdf", ".png"}


@pytest.fixture(scope="module")
def speed(tmp_path_factory):
    path = tmp_path_factory.mktemp("speed") / "speed.json"
    script("experiments", "speed").main(json=path, cases=("P1",), seeds=(), quick=True, peers=False, with_limit=False)
    return path


@pytest.mark.slow
def test_the_benchmark_writes_ratios_and_shares(speed):
    """Its structure; never its seconds."""
    result = json.loads(speed.read_text())
    forms = {m["form"] for m in result["measures"] if m["case"] == "P1"}
    assert {"naive", "step lanes", "step vmap", "run lanes", "run vmap", "host lanes"} <= forms
    assert all(len(m["ns"]) == result["repeats"] and min(m["ns"]) > 0 for m in result["measures"])
    summary = result["summary"]["P1"]
    assert summary["against limit"]["run"] is None  # it was not asked for
    assert summary["faster than"]["naive"]["low"] <= summary["faster than"]["naive"]["high"]
    assert {"recording", "host", "recording_and_host"} <= set(summary["shares"])
    assert "No C limit: it was not asked for" in speed.with_suffix(".md").read_text()


def test_the_share_of_drawing_is_what_a_fixed_batch_saves():
    shares = script("experiments/benchmark", "report").shares
    cores = script("experiments/benchmark", "timing").CORES
    made = {"P3": 100.0, "P3 fix": 75.0, "P3 epoch": 150.0}
    measures = [{"case": c, "form": "step lanes", "threads": cores, "ns": [ns, ns]} for c, ns in made.items()]
    found = shares(measures, "P3", None, None)
    assert found == {"drawing": dict.fromkeys(("median", "low", "high"), 0.25), "shuffling": found["shuffling"]}
    assert found["shuffling"]["median"] == 0.5


@pytest.mark.slow
def test_the_figure_of_speed_is_drawn(speed, tmp_path):
    script("figures", "speed").main(summary=speed, figures=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"speed.pdf", "speed.png"}


@pytest.mark.slow  # fifteen networks to compile
def test_the_sine_and_the_floors_run_and_are_drawn(tmp_path):
    script("experiments", "sine").main(seeds=3, steps=5, results=tmp_path)
    summary = tmp_path / "floors.csv"
    script("experiments", "square_floors").main(seeds=3, levels=3, steps=20, results=tmp_path, summary=summary)
    assert len(summary.read_text().splitlines()) == 1 + len(script("experiments", "square_floors").WIDTHS)
    for name in ("sine", "square_floors"):
        script("figures", name).main(results=tmp_path, figures=tmp_path / "figures")
        assert (tmp_path / "figures" / f"{name}.pdf").stat().st_size > 0


def test_the_recipes_of_the_other_cases_are_the_threads():
    """Literal recipes of cases 1, 2, 3 and 6."""
    task, recipe = script("experiments", "interval").RECIPES["literal"]
    assert (recipe.model.widths, recipe.optimizer, recipe.learning_rate) == ((2,), "sgd", 0.01)
    assert (recipe.batch_size, recipe.steps) == (32, 1_000 * np.ceil(300 / 32))
    waveform = script("experiments", "waveform").RECIPES
    assert {key.split("_", 1)[0] for key in waveform} == {"32", "64", "256"}
    task, recipe = waveform["64_adam_keras"]
    assert (task.dim, recipe.model.widths, recipe.model.outputs) == (200, (64, 128), 64)
    assert (task.spread, recipe.batch_size, recipe.batches, recipe.steps) == (63 / 255, 64, "stream", 3_000)
    identity = script("experiments", "identity").RECIPES
    for label, rows, size, epochs in (("A", 139_336, 8, 10), ("B", 99_999, 80, 100)):
        task, recipe = identity[label]
        assert (task.size, task.dim, task.validation, recipe.learning_rate) == (rows, 84, 0.3, 0.01)
        assert (recipe.batch_size, recipe.steps) == (size, epochs * np.ceil(np.floor(rows * 0.7) / size))
    task, recipe = script("experiments", "clusters").RECIPES["literal"]
    assert (recipe.model.widths, recipe.model.bias, recipe.model.dropout) == ((10,), False, 0.5)
    assert (recipe.batch_size, recipe.batches, recipe.learning_rate, recipe.steps) == (1, "order", 0.002, 300 * 8_000)
    assert (recipe.model.initializer, recipe.model.init_scale, task.loss) == ("uniform", 0.1, "half_squared_error")


@pytest.mark.slow  # 29 programs, and those of the peers
def test_second_order_runs_is_drawn_and_is_timed(tmp_path, capsys):
    script("experiments", "second_order").main(seeds=3, steps=5, results=tmp_path)
    script("figures", "second_order").main(results=tmp_path, figures=tmp_path / "figures")
    assert (tmp_path / "figures" / "second_order.png").stat().st_size > 0
    nowhere = {"rscript": "/no/Rscript", "optimistix": "/no/python"}  # left out, not an error
    script("experiments", "second_order_speed").main(seeds=8, repeats=1, summaries=tmp_path, **nowhere)
    assert "left out: /no/Rscript" in capsys.readouterr().err
    assert "| LM, x², 512 seeds" in (tmp_path / "second_order_speed.md").read_text()


@pytest.mark.slow  # nineteen networks to compile
def test_the_other_cases_run(tmp_path, capsys):
    script("experiments", "waveform").main(seeds=2, steps=3, results=tmp_path)
    script("experiments", "clusters").main(seeds=2, passes=1, results=tmp_path)
    assert len(list(tmp_path.iterdir())) == 9 + 4
    said = capsys.readouterr().out
    assert "literal: 2 seeds, 8,000 steps" in said
    assert "the thread's  0.812: quantile" in said


def test_no_committed_result_lies_below_its_floor():
    """Recomputed floors of x² on [-1, 1]; training rounds its loss to float32."""
    rows = list(csv.DictReader((ROOT / "experiments" / "summaries" / "square_floors.csv").open()))
    assert [int(row["width"]) for row in rows] == list(script("experiments", "square_floors").WIDTHS)
    for row in rows:
        x = np.linspace(-1, 1, int(row["points"]))
        assert np.isclose(ap.floors.pieces_bound(x, x**2, int(row["width"]) + 1), float(row["bound"]), rtol=1e-5)
        assert float(row["best"]) >= float(row["bound"]) * (1 - 1e-5)
        assert not row["optimum"] or float(row["best"]) >= float(row["optimum"]) * (1 - 1e-5)


def test_a_figure_without_results_says_what_to_run(tmp_path):
    with pytest.raises(FileNotFoundError, match="run the experiment that writes it first"):
        script("figures", "square").main(results=tmp_path, figures=tmp_path)


def command(*arguments: str | Path) -> subprocess.CompletedProcess:
    environment = {"PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment)


SCRIPTS = [path for folder in ("experiments", "figures") for path in sorted((ROOT / folder).glob("*.py"))]


# Every script as `python SCRIPT --help` runs it, in one process: importing JAX and matplotlib takes seconds each time.
HELP = """
import io, json, runpy, sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
import approx, jax, matplotlib.pyplot, tyro, xarray

found = {}
for path in sys.argv[1:]:
    for name in [name for name in sys.modules if name.startswith(("experiments", "figures"))]:
        del sys.modules[name]  # of the script before
    sys.argv, sys.path[0] = [path, "--help"], str(Path(path).parent)
    with redirect_stdout(io.StringIO()) as output, redirect_stderr(output):
        try:
            found[path] = runpy.run_path(path, run_name="__main__") and "no end"
        except BaseException as end:
            found[path] = getattr(end, "code", repr(end))
    found[path] = found[path], output.getvalue()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def helped():
    """{path: (exit code, what was printed)} of every script."""
    done = command("-c", HELP, *SCRIPTS)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_help(path, helped):
    code, printed = helped[str(path)]
    assert code == 0, printed
    assert "usage" in printed


def test_a_wrong_option_is_refused():
    done = command(ROOT / "experiments" / "square.py", "--sead", "3")
    assert done.returncode == 2
    assert "--sead" in done.stderr + done.stdout


@pytest.fixture(scope="module")
def identity():
    return script("experiments", "identity")


def test_the_identitys_remedies_change_one_thing(identity):
    """Against A with fewer rows; the factorial holds every combination once, that one among them."""
    assert len(identity.FACTORIAL) == 3 * 2 * 2
    task, plain = identity.FACTORIAL[identity.PLAIN]
    assert (plain.optimizer, plain.learning_rate, plain.batch_size) == ("sgd", 0.01, 8)
    assert (plain.model, task.loss) == (identity.LITERAL["A"][1].model, "mse")
    assert plain.steps == 10 * np.ceil(0.7 * task.size / 8)
    for label, (its_task, its_recipe) in identity.ONE_FACTOR.items():
        if label != "lbfgs":  # which takes all of fewer rows
            fields = ("model", "optimizer", "learning_rate", "batch_size", "l2", "dtype")
            changed = [name for name in fields if getattr(its_recipe, name) != getattr(plain, name)]
            assert len(changed) + (its_task.loss != task.loss) == 1, label
    assert pytest.approx(84 / (84 * identity.MEAN**2 + 1) / 2, rel=0.01) == identity.STABLE


def test_the_identitys_closed_form_is_gradient_descent(identity):
    """Against the trajectory of `floors.descent`, in the units in which each recipe is plain descent."""
    task, rng = ap.tasks.identity("B", size=60, dim=4), np.random.default_rng(0)
    weights, bias = rng.normal(size=(4, 4)), rng.normal(size=4)
    chosen = ap.Recipe(model=ap.MLP((), outputs=4), optimizer="sgd", learning_rate=0.3, batch_size=8)
    away = np.vstack([weights - np.eye(4), bias])[None]
    key, steps = jax.random.key(0), [0, 3, 200]
    x = np.asarray(task.split(key, key)[0][0], float)
    plain = ap.floors.descent(x, x, weights, bias, 0.3, steps).loss
    np.testing.assert_allclose(identity.expected_error(identity.expected(task, chosen), away, steps)[0], plain)
    m, sd = identity.MEAN, identity.SD
    around = replace(chosen, model=ap.scalings.PerFeature(chosen.model, m, sd, m, sd), learning_rate=1e-7)
    z = (x - m) / sd
    for loss, rate in (("mse", 1e-7 * sd**2), (ap.losses.ScaledError(sd), 1e-7)):
        found = identity.expected(replace(task, loss=loss), around)
        path = ap.floors.descent(z, z, weights, bias, rate, steps).loss * sd**2
        np.testing.assert_allclose(identity.expected_error(found, away, steps)[0], path)
        assert found.largest_rate == pytest.approx(ap.floors.modes(z, 4, rate).largest_rate * 1e-7 / rate)


def test_what_became_of_an_identity(identity):
    spread = identity.variance(identity.SMALL)
    ends = {
        "learned": 1e-3,
        "mean only": 1.01,
        "noise added": 1.97,
        "on no plateau": 1.5,
        "on the way": 0.5,
        "diverged": 1e9,
    }
    first = [4e6, 4e6, 4e6, 1.5, 0.6, 4e6]
    mse = spread * np.array([first, first, list(ends.values())]).T
    mse[3, 1] = mse[3, 2]
    runs = xr.Dataset({"mse": (("seed", "step"), mse)}, {"seed": range(6), "step": [0, 5, 10]})
    assert identity.kinds(identity.PLAIN, runs).kind.values.tolist() == list(ends)
    assert identity.plateaus("l1", spread)["shrunk outputs"] == pytest.approx(0.42**2)


@pytest.mark.slow  # twenty networks to compile
def test_the_identity_is_judged_and_drawn(identity, tmp_path, capsys):
    identity.main(seeds=3, remedies=4, steps=20, size=400, results=tmp_path, quick=True)
    assert "Quick look: 3 seeds, at most 20 updates and 400 rows; not the experiment." in capsys.readouterr().out
    quick = tmp_path / "quick"
    tables = {path.name: path.read_text() for path in quick.glob("*.csv")}
    assert {f"identity_{name}.csv" for name in ("claims", "reported", "outcomes", "exact", "kinds")} < set(tables)
    assert ap.stats.read_claims(quick / "identity_claims.csv").sizes["claim"] == 22
    identity.main(seeds=3, remedies=4, steps=20, size=400, results=tmp_path, quick=True, only=())
    assert tables == {path.name: path.read_text() for path in quick.glob("*.csv")}
    plain, lbfgs, at_identity = (
        ap.load(quick / f"identity_{label}.nc") for label in (identity.PLAIN, "lbfgs", "identity")
    )
    np.testing.assert_array_equal(*(ap.params(runs, kept_step=0)[0]["w"] for runs in (plain, lbfgs)))  # the same starts
    assert (at_identity.loss == 0).all()
    assert at_identity.sizes["seed"] == 12
    script("figures", "identity").main(results=tmp_path, quick=True)
    assert (quick / "identity.pdf").stat().st_size > 0


@pytest.fixture(scope="module")
def interval():
    return script("experiments", "interval")


def test_the_intervals_factorial_holds_every_combination_once(interval):
    """Two inputs, three initialisers and five widths, with nine pairs of optimiser and loss."""
    cells = {label: recipe for label, recipe in interval.RECIPES.items() if label.count("_") == 4}
    assert len(cells) == 2 * 3 * 5 * 9
    assert set(interval.QUICK) <= set(interval.RECIPES)
    assert not any("_lm_" in label and "entropy" in label for label in cells)
    for named, label in (("literal", interval.LITERAL), ("answer", interval.ANSWER)):
        (task, recipe), (its_task, its_recipe) = interval.RECIPES[named], cells[label]
        changed = replace(recipe, steps=its_recipe.steps, records=its_recipe.records)
        assert (changed.model, changed.optimizer, changed.learning_rate, changed.batch_size) == (
            its_recipe.model, its_recipe.optimizer, its_recipe.learning_rate, its_recipe.batch_size,
        )  # fmt: skip
        np.testing.assert_array_equal(task.x, its_task.x)
        assert task.loss == its_task.loss


def test_the_intervals_plateaus_are_the_closed_forms(interval):
    """One third and two thirds; then a hundred rows of 0 and two hundred of one half."""
    thirds = np.array([1, 2]) / 3
    assert interval.plateaus("entropy") == pytest.approx(
        {"constant": -(thirds * np.log(thirds)).sum(), "one edge": 2 / 3 * np.log(2)}, rel=1e-12
    )
    assert interval.plateaus("squares") == pytest.approx(
        {"constant": 2 / 9, "one edge": 1 / 6, "zero": 1 / 3}, rel=1e-12
    )


def test_what_ten_starts_add_to_one(interval):
    """At a rate of 0.2: 1 - 0.8^10 - 0.2; the interval is the range over that of the rate."""
    hits = xr.DataArray(np.arange(100) < 20, dims="seed").to_dataset(name="hit")
    found, rate = interval.best_of(hits, 10, 0.95), ap.stats.rate(hits)
    assert float(found.gain) == pytest.approx(0.8 - 0.8**10)
    most = 10 ** (-1 / 9)  # the rate of failure at which the gain is largest, by its derivative
    assert 1 - rate.high < most < 1 - rate.low
    assert float(found.high) == pytest.approx(most - most**10, abs=1e-5)
    assert float(found.low) == pytest.approx(
        min(1 - p - (1 - p) ** 10 for p in map(float, (rate.low, rate.high))), abs=1e-9
    )


def test_what_is_not_finished(interval):
    """A loss that fell by 2% in the last tenth, one that rests, and a method cut off by the budget."""
    loss = np.array([[1.0, 0.5, 0.49], [1.0, 0.5, 0.4999]])
    runs = xr.Dataset({"loss": (("seed", "step"), loss)}, {"step": [0, 90, 100]})
    assert interval.falling(runs).values.tolist() == [True, False]
    assert interval.falling(runs.assign(stopped=(("seed", "step"), [[0, 0, 3], [0, 0, 0]]))).values.tolist() == [
        False,
        True,
    ]


@pytest.mark.slow  # twelve networks to compile
def test_the_interval_is_judged_and_drawn(interval, tmp_path):
    interval.main(seeds=6, steps=40, results=tmp_path, quick=True)
    quick = tmp_path / "quick"
    text = (quick / "interval_claims.md").read_text()
    assert "Quick look: 6 seeds, at most 4 epochs; not the experiment." in text
    judged = ap.stats.read_claims(quick / "interval_claims.csv")
    assert judged.sizes["claim"] == 27
    with (quick / "interval_factorial.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(interval.QUICK) - 2 + sum("_adam" in label for label in interval.QUICK)
    literal, nnet = (ap.load(quick / f"interval_{label}.nc") for label in (interval.NNET_GD, interval.NNET))
    for first, second in zip(ap.params(literal, kept_step=0), ap.params(nnet, kept_step=0), strict=True):
        np.testing.assert_array_equal(first["w"], second["w"])  # the same starts
    script("figures", "interval").main(results=tmp_path, quick=True)
    assert (quick / "interval.pdf").stat().st_size > 0
    assert set(tmp_path.iterdir()) == {quick}
