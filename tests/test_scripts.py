"""Promise: every experiment runs, small, and every figure can be drawn from what it wrote; the commands work."""

import csv
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

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


@pytest.mark.slow  # ten networks to compile
def test_the_other_cases_run(tmp_path, capsys):
    script("experiments", "interval").main(seeds=2, steps=20, results=tmp_path)
    script("experiments", "identity").main(seeds=2, steps=30, size=800, results=tmp_path)
    script("experiments", "clusters").main(seeds=2, passes=1, results=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2 + 4 + 4
    said = capsys.readouterr().out
    assert "literal: 2 seeds, 8,000 steps" in said
    assert "the thread's  0.812: quantile" in said
    assert "B: 2 seeds, 30 steps" in said


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
def waveform():
    return script("experiments", "waveform")


def test_the_waveforms_recipes_are_literal_single_changes_and_a_factorial(waveform):
    """Nine literal, six remedies of three optimisers, sixteen combinations for two, two remedies of 256 for two."""
    assert len(waveform.RECIPES) == 9 + 6 * 3 + 15 * 2 + 2 * 2
    assert set(waveform.QUICK) <= set(waveform.RECIPES)
    task, literal = waveform.RECIPES["64_sgd"]
    for remedy in waveform.REMEDIES:
        other, changed = waveform.RECIPES[f"64_sgd_{remedy}"]
        model = ap.scalings.core(changed.model)
        assert (changed.steps, changed.learning_rate, changed.records) == (3_000, 0.01, literal.records)
        assert (model is not changed.model) == (remedy == "normalise")
        assert (model.widths, model.activation) == (
            (512,) if remedy == "wide" else (64, 128),
            "gaussian" if remedy == "gaussian" else "sigmoid",
        )
        assert (other.dim, other.draw) == (
            225 if remedy == "dim225" else task.dim,
            "random" if remedy == "random" else "each",
        )
        assert other.spread == (1.0 if remedy == "even" else 63 / 255)
    compared = [label for _, *pair in waveform.comparisons() for label in pair]
    assert set(compared) <= set(waveform.RECIPES)


def made_up(waveform, accuracy, loss, steps=(0, 1_500, 2_500, 3_000)):
    """Runs of given accuracies and losses on fresh rows, (seed, step)."""
    values = {"test_accuracy": accuracy, "test_loss": loss}
    return xr.Dataset({of: (("seed", "step"), np.array(x)) for of, x in values.items()}, {"step": list(steps)})


def test_what_became_of_the_waveforms_seeds(waveform):
    """Learned, learned and lost, the constant's log K, still falling, and neither, one seed each."""
    accuracy = [[0, 0.5, 1, 1], [0, 1, 1, 0.9], [0, 0, 0, 0.02], [0, 0.1, 0.2, 0.3], [0, 0.3, 0.3, 0.3]]
    loss = [[5, 1, 0.1, 0.01], [5, 1, 0.1, 0.5], [5, 4.2, 4.16, np.log(64)], [5, 4, 3, 2], [5, 2.5, 2.5, 2.5]]
    found = waveform.kinds("64_sgd", made_up(waveform, accuracy, loss))
    assert found.kind.values.tolist() == ["learned", "lost again", "constant", "not finished", "on no plateau"]


def test_the_waveforms_effects_are_of_pairs_of_the_same_seeds(waveform):
    """Two of sixteen seeds of the literal recipe are compared with both of the changed one."""
    good, bad = [0, 0, 0, 1.0], [0, 0, 0, 0.5]
    literal = made_up(waveform, [bad] * 3 + [good] * 13, [[5, 5, 5, 3.0]] * 16).assign_coords(seed=np.arange(16))
    changed = made_up(waveform, [good, bad], [[5, 5, 5, 1.0]] * 2).assign_coords(seed=[0, 3])
    runs = {"256_adam_keras": literal, "256_adam_keras_wide": changed}
    (row,) = waveform.against_literal(runs)
    assert (row["n"], row["difference"], row["lower loss"]) == (2, 0.0, 1.0)


def test_what_an_advice_changes_on_average(waveform):
    """Of four cells two pairs differ in one factor; the other two factors have no pair."""
    rates = {(): 0, ("normalise",): 1, ("wide",): 0, ("normalise", "wide"): 0}
    runs = {
        waveform.name(32, "adam_keras", changes): made_up(
            waveform, [[0, 0, 0, value]] * 4, [[4, 4, 4, 3.0 - value]] * 4
        ).assign_coords(seed=np.arange(4))
        for changes, value in rates.items()
    }
    found = {row["factor"]: row for row in waveform.factor_effects(runs)}
    assert set(found) == {"normalise", "wide"}
    assert (found["normalise"]["rate"], found["wide"]["rate"], found["normalise"]["loss"]) == (0.5, -0.5, -0.5)


def test_the_waveforms_exact_reference(waveform):
    """Its loss falls with the scale, from log K to nothing, at an accuracy of one."""
    rows = [row for row in waveform.references() if row["levels"] == "k/255"]
    for classes in (32, 64, 256):
        mine = [row for row in rows if row["classes"] == classes]
        losses = [float(row["loss"]) for row in mine]
        assert losses == sorted(losses, reverse=True)
        assert losses[0] == pytest.approx(np.log(classes), rel=0.05)
        assert losses[-1] < 1e-6
        assert all(row["accuracy"] > 1 - 1e-9 for row in mine)


@pytest.mark.slow  # nine networks to compile
def test_the_waveform_is_judged_and_drawn(waveform, tmp_path):
    waveform.main(seeds=4, steps=12, results=tmp_path, quick=True)
    quick = tmp_path / "quick"
    assert "Quick look: 4 seeds, 12 epochs; not the experiment." in (quick / "waveform_claims.md").read_text()
    judged = ap.stats.read_claims(quick / "waveform_claims.csv")
    assert {"64 classes are learned: SGD", "normalising helps, Adam, 64 classes: loss"} <= set(judged.claim.values)
    with (quick / "waveform_recipes.csv").open() as file:
        assert [row["recipe"] for row in csv.DictReader(file)] == list(waveform.QUICK)
    one = ap.load(quick / "waveform_64_adam_keras.nc")
    assert (one.chosen.shape, one.idle.shape) == ((4, 256), (4, 2))
    script("figures", "waveform").main(results=tmp_path, quick=True)
    assert (quick / "waveform.pdf").stat().st_size > 0
    assert set(tmp_path.iterdir()) == {quick}
