"""Promise: what is announced is what it takes, as far as the first steps tell."""

import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import tqdm.auto
from conftest import QUICK
from scipy.optimize import nnls

import approx as ap
from approx.sweep import driver, progress
from approx.sweep.devices import fitted, is_enough, longer, non_negative


@pytest.mark.parametrize(
    ("overhead", "step", "record"),
    [
        (1e-3, 0.02, 0.0),
        (1e-3, 2.0, 0.0),
        (0.5e-3, 1e-6, 5e-6),
        (2e-4, 1e-5, 1e-2),
        (0.0, 0.02, 0.02),
    ],
    ids=["slow steps", "very slow steps", "fast steps", "records cost most", "no overhead"],
)
def test_the_rest_is_foretold_within_a_factor_of_two(overhead, step, record):
    counts, seconds = timed(overhead, step, record)
    noise = np.random.default_rng(0).uniform(0.9, 1.1, len(seconds))
    a, b, c = fitted(counts, (np.array(seconds) * noise).tolist())
    right = 20_000 * step + 50 * record
    assert right / 2 <= 20_000 * b + 50 * c <= 2 * right
    assert min(a, b, c) >= 0


def timed(overhead, step, record, held_up=()):
    """The pilot's segments and their seconds, some of which are held up by so many seconds."""
    counts, seconds, length = [(0, 0)], [overhead + sum(held_up[:1])], 8
    while not is_enough(counts, seconds):
        number = len(counts)
        counts.append((length, 1 + number // 2))
        seconds.append(overhead + length * step + counts[-1][1] * record)
        seconds[-1] += sum(held_up[number : number + 1])
        length = longer(length, seconds[-1])
    return counts, seconds


@pytest.mark.parametrize("held_up", [(0.0, 0.3), (0.2, 0.1), (0.0, 0.0, 0.2)], ids=str)
@pytest.mark.parametrize(("step", "record"), [(1e-6, 5e-6), (1e-4, 1e-4), (2e-3, 0.0)])
def test_a_segment_that_is_held_up_misleads_nobody(step, record, held_up):
    """Seen: on a busy machine a map was announced as 86 hours, since 8 steps took long, and a
    single one, which came next, not much less.
    """
    counts, seconds = timed(1e-4, step, record, held_up)
    _, b, c = fitted(counts, seconds)
    right = 20_000 * step + 50 * record
    assert right / 2 <= 20_000 * b + 50 * c <= 2 * right + 0.05


def test_a_slow_step_is_not_taken_for_overhead():
    """The empty segment was disturbed: 30 ms, where the one step took 20 ms."""
    overhead, step, _ = fitted([(0, 0), (1, 0), (1, 0)], [0.030, 0.020, 0.021])
    assert (overhead, step) == pytest.approx((0.0, 0.0205), rel=0.03)


def test_a_training_that_had_ended_costs_what_an_empty_call_does():
    assert fitted([(0, 0)], [0.01]) == (0.01, 0.0, 0.0)


def test_an_interrupt_in_memory_hands_back_what_has_ended(quiet, monkeypatch):
    task, recipe = ap.tasks.square(), ap.Recipe(model=ap.MLP(()), steps=4)
    whole = ap.run(task, recipe, seeds=20, learning_rate=[0.1, 0.2], **quiet)
    drive = driver.drive

    def interrupted(plan, ready, batches, *more):
        # 32 of 40: the second cell's last 8 are missing
        drive(plan, ready, batches[:4], *more)
        raise KeyboardInterrupt

    monkeypatch.setattr(driver, "drive", interrupted)
    with pytest.raises(KeyboardInterrupt, match="12 seeds had ended") as stopped:
        ap.run(task, recipe, seeds=20, learning_rate=[0.1, 0.2], **quiet)
    np.testing.assert_array_equal(stopped.value.runs.loss, whole.loss.isel(seed=slice(12)))
    monkeypatch.undo()
    assert (
        stopped.value.runs.fingerprint
        == ap.run(task, recipe, seeds=12, learning_rate=[0.1, 0.2], **quiet).fingerprint
    )


def test_an_interrupt_hands_back_the_recipes_and_batches_before(quiet, monkeypatch):
    task, recipe = ap.tasks.square(), ap.Recipe(model=ap.MLP(()), steps=4)
    drive, calls = driver.drive, []

    def interrupted(plan, ready, batches, *more):
        calls.append(len(batches))
        drive(plan, ready, batches if len(calls) == 1 else batches[:1], *more)
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(driver, "drive", interrupted)
    with pytest.raises(KeyboardInterrupt, match=r"those of a, b are in \.recipes") as stopped:
        ap.run(task, {"a": recipe, "b": recipe}, seeds=20, **quiet)
    assert {label: runs.sizes["seed"] for label, runs in stopped.value.recipes.items()} == {
        "a": 20,
        "b": 8,
    }
    assert stopped.value.runs is stopped.value.recipes["b"]
    calls.clear()
    with pytest.raises(KeyboardInterrupt) as stopped:
        ap.run(task, recipe, seeds=200, until=lambda runs: False, **quiet)
    assert stopped.value.runs.seed.values.tolist() == list(range(128 + 8))
    assert not stopped.value.recipes


def test_a_notebook_is_known_by_its_kernel(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not progress.in_notebook()
    shell = type("ZMQInteractiveShell", (), {})()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert progress.in_notebook()


def test_in_a_notebook_the_bar_is_that_of_tqdm_auto(monkeypatch):
    """Although standard error goes to no terminal there."""
    shown = []

    class Bar(tqdm.auto.tqdm):
        def update(self, n=1):
            shown.append((self.n, n, self.total))
            return super().update(n)

    assert progress.tqdm is tqdm.auto.tqdm
    monkeypatch.setattr(progress, "tqdm", Bar)
    for here, expected in ((False, []), (True, [(0, 3, 9), (3, 4, 9)])):
        monkeypatch.setattr(progress, "in_notebook", lambda here=here: here)
        with progress.bar(9, True) as update:
            update(3)
            update(7)
        assert shown == expected


def test_costs_of_steps_and_records_are_no_worse_than_scipys_non_negative_least_squares():
    rng = np.random.default_rng(0)
    for _ in range(200):
        work = rng.integers(0, 40, (rng.integers(1, 6), 2)).astype(float)
        seconds = rng.normal(0.02, 0.02, len(work))
        ours, (theirs, _) = non_negative(work, seconds), nnls(work, seconds)
        distance = [((work @ costs - seconds) ** 2).sum() for costs in (ours, theirs)]
        assert min(ours) >= 0
        # scipy 1.15.2 does not always end at the best
        assert distance[0] <= distance[1] * (1 + 1e-9) + 1e-15


def test_an_import_takes_none_of_the_slow_libraries_along():
    """scipy, matplotlib and Dask take half a second or more each, which a first answer would wait
    for.
    """
    slow = ["scipy.optimize", "scipy.stats", "matplotlib", "dask"]
    look = f"import sys, approx; print([name for name in {slow} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_several_recipes_say_in_how_many_programs_they_run(capsys):
    """Recipes that differ in numbers only share a program."""
    one = ap.Recipe(model=ap.MLP(()), steps=2, records=2)
    recipes = {
        "slow": one,
        "fast": replace(one, learning_rate=0.1),
        "relu": replace(one, model=ap.MLP((2,), "relu")),
    }
    ap.run(ap.tasks.square(), recipes, seeds=2, compiler_options=QUICK)
    assert "3 recipes in 2 compiled programs" in capsys.readouterr().err


def test_a_model_that_is_no_mlp_says_which_form_it_takes(capsys):
    dense = ap.models.Chain([ap.models.Dense(2, "relu"), ap.models.Dense(1)])
    recipe = ap.Recipe(model=dense, steps=2, records=2)
    ap.run(ap.tasks.square(), recipe, seeds=2, compiler_options=QUICK)
    assert "a Chain takes the form vmap; only an MLP" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("form", "count", "seconds", "advice"),
    [
        ("columns", 1, 60.0, "lanes=1 takes about 3% of the time"),
        ("columns", 4, 60.0, "lanes=8 takes about 25% of the time"),
        ("vmap", 9, 60.0, "lanes=16 takes about 50% of the time"),
        ("columns", 4, 1.0, ""),
        ("columns", 17, 60.0, ""),
        ("columns", 64, 60.0, ""),
        ("lanes", 4, 60.0, ""),
    ],
)
def test_a_long_training_of_few_networks_is_told_of_a_smaller_block(form, count, seconds, advice):
    plan = SimpleNamespace(lanes=32, structure=SimpleNamespace(form=form))
    cpu = SimpleNamespace(platform="cpu")
    said = driver.remark_on_lanes(plan, count, cpu, seconds)
    assert advice in said
    assert bool(said) == bool(advice)
    assert not driver.remark_on_lanes(plan, count, SimpleNamespace(platform="gpu"), seconds)
