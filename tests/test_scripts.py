"""Promise: every experiment runs, small, and every figure can be drawn from what it wrote; the
commands work.
"""

import csv
import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scripts import ROOT, assert_answered_anew, said, script

import approx as ap


@pytest.fixture(scope="module")
def square(tmp_path_factory):
    folder = tmp_path_factory.mktemp("square")
    script("experiments", "square").main(seeds=4, seeds_b=2, steps=20, results=folder)
    return folder


@pytest.mark.slow  # test_a_study_is_trained_judged_and_drawn does the same with fewer programs
def test_square_writes_its_results_and_its_tables(square):
    folder = square / "square_recipes"
    answer = ap.study.Answer.load(folder)
    for label, seeds in {"baseline": 4, "A": 4, "B": 2}.items():
        runs = answer.runs(label)
        assert runs.sizes["seed"] == seeds
        assert int(runs.step[-1]) == 20
        rows = answer.rows[answer.rows.label == label].set_index("measure")
        assert rows.n.tolist() == [seeds, seeds]
        inside = runs.distance == 0
        for measure, of, shown in (
            ("learned", "test_loss", inside),
            ("held", "outside_loss", ~inside),
        ):
            errors = runs[of].isel(step=-1) / float(runs.y_test.where(shown).var())
            assert rows.q95[measure] == pytest.approx(float(errors.max()), rel=1e-5)
    assert answer.reported.number.tolist() == ["f(4)", "f(-4)", "f(11)", "f(20)", "f(8)", "f(-5)"]
    assert (answer.reported.n == 2).all(), "they are B's"
    assert "Reported numbers among our seeds" in (folder / "report.md").read_text()


def test_the_recipes_are_the_threads():
    """Literal recipes of case 4, as the thread and its answers state them."""
    recipes = script("experiments", "square").RECIPES
    a, b, c = (recipes[label][1] for label in "ABC")
    assert (a.model.widths, a.learning_rate, a.steps, a.batch_size) == ((), 1e-4, 50_000, None)
    assert (b.model.widths, b.model.activation, b.l2, b.l2_on) == ((8, 8), "relu", 1e-3, "hidden")
    assert (b.batch_size, b.batches, b.steps / 15_000) == (256, "epoch", np.ceil(8000 / 256))
    assert (c.model.widths, c.optimizer, c.learning_rate, c.steps) == ((10,), "sgd", 1e-3, 15_000)


@pytest.mark.slow
def test_the_figure_is_drawn_and_redrawn_byte_equal(square, tmp_path):
    figure = script("figures", "square")
    files = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        figure.main(results=square, figures=folder)
        files.append({path.suffix: path.read_bytes() for path in folder.iterdir()})
    assert files[0] == files[1]
    assert set(files[0]) == {".pdf", ".svg", ".png"}


@pytest.fixture(scope="module")
def speed(tmp_path_factory):
    path = tmp_path_factory.mktemp("speed") / "speed.json"
    script("experiments", "speed").main(
        json=path, cases=("P1",), seeds=(), quick=True, peers=False, with_limit=False
    )
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
    measures = [
        {"case": c, "form": "step lanes", "threads": cores, "ns": [ns, ns]}
        for c, ns in made.items()
    ]
    found = shares(measures, "P3", None, None)
    assert found == {
        "drawing": dict.fromkeys(("median", "low", "high"), 0.25),
        "shuffling": found["shuffling"],
    }
    assert found["shuffling"]["median"] == 0.5


@pytest.mark.slow
def test_the_limit_trains_the_networks_that_approx_trains(tmp_path):
    """P6 by hand: after 2,000 steps the batches' losses are distributed as here."""
    limit = script("experiments/limit", "limit")
    if limit.missing():
        pytest.skip(limit.missing())
    cases = script("experiments/benchmark", "cases").CASES
    case, programs = cases["P6"], limit.build(tmp_path)
    by_hand = limit.call(programs["limit"], "p6", 4096, 2000, 1, 1)
    model = dataclasses.replace(case.recipe.model, initializer="pytorch")
    recipe = dataclasses.replace(case.recipe, model=model, steps=2000, records=(0, 1999, 2000))
    here = ap.run(case.task, recipe, seeds=512, progress=False).batch_loss.sel(step=2000)
    low, middle, high = here.quantile([0.1, 0.5, 0.9]).values
    assert by_hand["median_loss"] == pytest.approx(middle, rel=0.15)
    assert by_hand["p10"] == pytest.approx(low, rel=0.2)
    assert by_hand["p90"] == pytest.approx(high, rel=0.2)
    for variant in ("p2epoch", "p3epoch", "p6epoch", "p6fix"):
        found = limit.call(programs["limit"], variant, 256, 300, 1, 1)
        drawn = limit.call(programs["limit"], variant[:2], 256, 300, 1, 1)
        assert found["median_loss"] == pytest.approx(drawn["median_loss"], rel=0.5), variant
    assert limit.call(programs["peak"], 1)["gflops"] > 1


@pytest.mark.slow
def test_the_figure_of_speed_is_drawn(speed, tmp_path):
    script("figures", "speed").main(summary=speed, figures=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"speed.pdf", "speed.svg", "speed.png"}


# In place of the networks of the quick look: those of one program, with other starts
STARTS = {"10 tanh": 0.9, "tanh": 1.0, "snake": 1.1}


@pytest.mark.usefixtures("soon")
def test_a_study_is_trained_judged_and_drawn(tmp_path, capsys, monkeypatch):
    """The sine with three of its seven networks, eight seeds and a hundred steps: all that a study
    does, in seconds.
    """
    experiment = script("experiments", "sine")
    for name, scale in STARTS.items():
        model = ap.MLP((8,), "tanh", init_scale=scale)
        monkeypatch.setitem(experiment.NETWORKS, name, model)
    options = {"seeds": 8, "steps": 100, "results": tmp_path, "quick": True}
    experiment.main(**options)
    assert "Quick look: 8 seeds, 100 steps: not the experiment." in capsys.readouterr().out
    quick = tmp_path / "quick"
    answer = ap.study.Answer.load(quick, "sine", runs=quick / "sine")
    for label in experiment.QUICK:
        runs = answer.runs(label)
        assert runs.sizes["seed"] == 8
        first, last = runs.test_loss.isel(step=0), runs.test_loss.isel(step=-1)
        assert (last < first).mean() > 0.9, label
    clean, noisy = answer.runs("tanh, no noise"), answer.runs("tanh, noise")
    assert clean.fingerprint != noisy.fingerprint
    assert set(answer.rows.label) == set(experiment.QUICK)
    medians = answer.rows.set_index(["label", "measure"])["median"]
    inside = np.sort(clean.test_loss.isel(step=-1).values)
    # A seed's own
    assert medians["tanh, no noise", "inside"] == pytest.approx(inside[3], rel=1e-5)
    judged = ap.stats.read_claims(quick / "sine_claims.csv")
    # Inside, not outside, outside, but for its phase, better, noise
    assert judged.sizes["claim"] == 2 + 1 + 1 + 1 + 1 + 2
    assert set(judged.n.values) == {8}
    ends = [
        answer.runs(f"{name}, no noise").outside_loss.isel(step=-1) for name in ("snake", "tanh")
    ]
    better = judged.isel(claim=judged.measure.values == "better outside_loss")
    assert better.effect.item() == pytest.approx(float((ends[0] < ends[1]).mean()), abs=1e-3)
    assert_answered_anew(quick, experiment.main, **options)
    script("figures", "sine").main(results=tmp_path, quick=True)
    assert {path.suffix for path in quick.glob("sine.*")} == {".pdf", ".svg", ".png"}
    # Nothing of the experiment's
    assert {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")} == {"quick"}


@pytest.mark.slow  # twenty networks to compile
def test_the_sine_and_the_floors_run_and_are_drawn(soon, tmp_path):
    main = script("experiments", "sine").main
    options = {"seeds": 3, "steps": 5, "results": tmp_path, "summaries": tmp_path}
    main(**options)
    assert_answered_anew(tmp_path, main, **options)
    floors = script("experiments", "square_floors")
    folders = {"results": tmp_path, "summaries": tmp_path}
    floors.main(seeds=3, levels=3, steps=20, **folders)
    rows = list(csv.DictReader((tmp_path / "square_floors.csv").open()))
    assert [int(row["width"]) for row in rows] == list(floors.WIDTHS)
    shares = list(csv.DictReader((tmp_path / "square_sources.csv").open()))
    assert {row["n"] for row in shares} == {"27"}
    for name in ("sine", "square_floors", "square_causes", "square_sources"):
        script("figures", name).main(figures=tmp_path / "figures", **folders)
        assert (tmp_path / "figures" / f"{name}.pdf").stat().st_size > 0
    judged = ap.stats.read_claims(tmp_path / "sine_claims.csv")
    assert set(judged.n.values) == {3}
    assert set(judged.verdict.values) == {"undecided"}  # of three seeds


@pytest.mark.slow  # eleven networks to compile
def test_the_remedies_of_the_square_run_and_are_drawn(soon, tmp_path, capsys):
    experiment = script("experiments", "square_remedies")
    options = {"seeds": 8, "steps": 10, "results": tmp_path, "quick": True}
    experiment.main(**options)
    assert "Quick look: 8 seeds" in capsys.readouterr().out
    quick = tmp_path / "quick"
    tables = {path.name for path in quick.glob("*.csv")}
    assert tables == {
        f"square_{name}.csv" for name in ("rows", "endings", "effects", "claims", "reported")
    }
    answer = ap.study.Answer.load(quick, "square", runs=quick / "square_remedies")
    assert set(answer.rows.label) == {*experiment.QUICK, "best of 5"}
    asked = dict.fromkeys(experiment.QUICK, 8) | {"B": 2, "best of 5": 1}
    asked |= dict.fromkeys(experiment.QUICK_CELLS, 4)
    assert answer.main_rows.set_index("label").n.to_dict() == asked
    assert_answered_anew(quick, experiment.main, **options)
    script("figures", "square_remedies").main(results=tmp_path, quick=True)
    assert (quick / "square_remedies.pdf").stat().st_size > 0
    assert {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")} == {"quick"}


def test_remedies_of_the_square_change_one_thing():
    remedies = script("experiments", "square_remedies")
    rows = remedies.study().rows
    base = rows["baseline"]
    assert (base.task, base.recipe) == script("experiments", "square").RECIPES["C"]
    fields = ("model", "optimizer", "learning_rate", "steps")
    for group, labels in remedies.changes().items():
        for label in labels if group != "recipe" else ():
            task, recipe = rows[label].task, rows[label].recipe
            changed = {n for n in fields if getattr(recipe, n) != getattr(base.recipe, n)}
            moved = {
                n
                for n in ("range", "size", "frequency")
                if getattr(task, n) != getattr(base.task, n)
            }
            if label in ("BFGS", "LM"):  # which have no rate, and steps of another kind
                changed -= {"learning_rate", "steps"}
            # X / 10 leaves the targets as they are
            expected = {"x / 10": 2, "Adam 1e-2": 2}.get(label, 1)
            assert len(changed) + len(moved) == expected, label
    assert {"A", "B"} < set(rows)
    y = np.linspace(-10, 10, 21) ** 2
    tries = [y[:k].var() * k + y[k:].var() * (21 - k) for k in range(1, 21)]
    assert np.isclose(remedies.steps_mse(y, 2), min(tries) / 21)


def test_the_factorial_of_the_square_tunes_first_order_methods_alone():
    remedies = script("experiments", "square_remedies")
    cells = {label: row for label, row in remedies.study().rows.items() if row.levels}
    assert len(cells) == 4 * 9 * 2
    for label, row in cells.items():
        optimizer, unit, scaling = row.levels
        assert row.recipe.optimizer == optimizer
        assert row.recipe.model == remedies.MODELS[unit], label
        assert row.task.range == (1.0 if scaling == "scaled" else 10.0)
        if optimizer in ("lm", "bfgs"):
            assert row.recipe.learning_rate is None
            assert not row.tune
        else:
            assert row.tune["learning_rate"] == remedies.RATES[optimizer]


def test_the_recipes_of_the_other_cases_are_the_threads():
    """Literal recipes of cases 1, 2, 3 and 6."""
    recipe = script("experiments", "interval").study().recipe
    assert (recipe.model.widths, recipe.optimizer, recipe.learning_rate) == ((2,), "sgd", 0.01)
    assert (recipe.batch_size, recipe.steps) == (32, 1_000 * np.ceil(300 / 32))
    waveform = script("experiments", "waveform").study().rows
    assert {row.task.classes for row in waveform.values()} == {32, 64, 256}
    task, recipe = waveform["64 classes, Adam"][1:3]
    assert (task.dim, recipe.model.widths, recipe.model.outputs) == (200, (64, 128), 64)
    assert (task.spread, recipe.batch_size, recipe.batches, recipe.steps) == (
        63 / 255,
        64,
        "stream",
        3_000,
    )
    identity = script("experiments", "identity").study().rows
    for label, rows, size, epochs in (("A", 139_336, 8, 10), ("B", 99_999, 80, 100)):
        task, recipe = identity[label].task, identity[label].recipe
        assert (task.size, task.dim, task.validation, recipe.learning_rate) == (rows, 84, 0.3, 0.01)
        assert (recipe.batch_size, recipe.steps) == (
            size,
            epochs * np.ceil(np.floor(rows * 0.7) / size),
        )
    study = script("experiments", "clusters").study()
    task, recipe, model = study.task, study.recipe, study.recipe.model.model
    assert (model.widths, model.bias, model.dropout) == ((10,), False, 0.5)
    assert (recipe.batch_size, recipe.batches, recipe.learning_rate, recipe.steps) == (
        1,
        "order",
        0.002,
        300 * 8_000,
    )
    assert (model.initializer, model.init_scale, task.loss) == (
        "uniform",
        0.1,
        "half_squared_error",
    )


@pytest.mark.slow  # 29 programs, and those of the peers
def test_second_order_runs_is_drawn_and_is_timed(tmp_path, capsys):
    script("experiments", "second_order").main(
        seeds=3, steps=5, results=tmp_path, summaries=tmp_path
    )
    folders = {"summaries": tmp_path, "figures": tmp_path / "figures"}
    script("figures", "second_order").main(**folders)
    assert (tmp_path / "figures" / "second_order.png").stat().st_size > 0
    nowhere = {"rscript": "/no/Rscript", "optimistix": "/no/python"}  # left out, not an error
    script("experiments", "second_order_speed").main(
        seeds=8, repeats=1, summaries=tmp_path, **nowhere
    )
    assert "left out: /no/Rscript" in capsys.readouterr().err
    assert "| LM, x², 512 seeds" in (tmp_path / "second_order_speed.md").read_text()


def test_figures_of_widths_and_methods_are_drawn_from_the_committed_tables():
    """The share of networks that could be right and are not is that of the table."""
    summaries = ROOT / "experiments" / "summaries"
    for name in ("square_floors", "square_sources", "second_order", "sine"):
        script("figures", name).draw(summaries).canvas.draw()
    figure = script("figures", "square_causes")
    table = pd.read_csv(summaries / "square_causes.csv")
    missed = table[(table.kind == "did not find") & (table.width == 4)].rate.item()
    assert f"{missed:.0%}" in said(figure.draw(summaries))
    unknown = table.replace({"kind": {"did not find": "something else"}})
    with pytest.raises(ValueError, match="something else"):
        figure.shares_of(unknown)


def test_no_committed_result_lies_below_its_floor():
    """Recomputed floors of x² on [-1, 1]; training rounds its loss to float32."""
    rows = list(csv.DictReader((ROOT / "experiments" / "summaries" / "square_floors.csv").open()))
    assert [int(row["width"]) for row in rows] == list(
        script("experiments", "square_floors").WIDTHS
    )
    for row in rows:
        x = np.linspace(-1, 1, int(row["points"]))
        assert np.isclose(
            ap.floors.pieces_bound(x, x**2, int(row["width"]) + 1), float(row["bound"]), rtol=1e-5
        )
        assert float(row["best"]) >= float(row["bound"]) * (1 - 1e-5)
        assert not row["optimum"] or float(row["best"]) >= float(row["optimum"]) * (1 - 1e-5)


# Scripts whose quantiles are of seconds, not of seeds
TIMINGS = ("speed", "second_order_speed", "sweep_speed", "waiting")


@pytest.mark.parametrize("folder", ["experiments", "figures"])
def test_scripts_leave_no_diverged_seed_out_of_a_median(folder):
    """numpy interpolates between a value and inf, which gives nan; xarray's quantiles and medians
    skip nan.
    """
    for path in (ROOT / folder).glob("*.py"):
        text = path.read_text() if path.stem not in TIMINGS else ""
        found = re.findall(r"np\.(?:quantile|percentile|median)\(|\.(?:median|quantile)\(", text)
        assert not found, f"{path.name}: use stats.quantiles or stats.order_quantiles"


def test_a_figure_without_results_says_what_to_run(tmp_path):
    with pytest.raises(FileNotFoundError, match="run that first"):
        script("figures", "square").main(results=tmp_path, figures=tmp_path)


def command(*arguments: str | Path) -> subprocess.CompletedProcess:
    environment = {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment
    )


SCRIPTS = [
    path for folder in ("experiments", "figures") for path in sorted((ROOT / folder).glob("*.py"))
]


# Every script as `python SCRIPT --help` runs it, in one process: importing JAX and matplotlib takes
# seconds each time.
HELP = """
import io, json, runpy, sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
import approx, jax, matplotlib.pyplot, tyro, xarray

found = {}
wrong = sys.argv[1]
for path, *options in [[path, "--help"] for path in sys.argv[1:]] + [[wrong, "--sead", "3"]]:
    for name in [name for name in sys.modules if name.startswith(("experiments", "figures"))]:
        del sys.modules[name]  # of the script before
    sys.argv, sys.path[0] = [path, *options], str(Path(path).parent)
    asked = " ".join([path, *options])
    with redirect_stdout(io.StringIO()) as output, redirect_stderr(output):
        try:
            code = runpy.run_path(path, run_name="__main__") and "no end"
        except BaseException as end:
            code = getattr(end, "code", repr(end))
    found[asked] = code, output.getvalue()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def helped():
    """{path and options: (exit code, what was printed)} of every script's help, and of the first
    script with an option that there is not.
    """
    done = command("-c", HELP, *SCRIPTS)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_help(path, helped):
    code, printed = helped[f"{path} --help"]
    assert code == 0, printed
    assert "usage" in printed


def test_a_wrong_option_is_refused(helped):
    code, printed = helped[f"{SCRIPTS[0]} --sead 3"]
    assert code == 2
    assert "--sead" in printed
