"""Promise: the same training has the same bits, whatever stands around it; and what would change
bits has a name.
"""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import QUICK
from jax import export

import approx as ap
from approx.disk import exports
from approx.disk.seals import read_sealed
from approx.sweep import programs, provenance
from approx.training import loop

KEPT = {"keep": ("prediction", "params"), "progress": False, "lanes": 16}
CASES = {
    "sgd": (ap.tasks.square(), ap.Recipe(optimizer="sgd", learning_rate=1e-3, steps=400)),
    "adam": (
        ap.tasks.square(range=1.0, size=50, inputs="uniform", noise=0.1),
        ap.Recipe(
            model=ap.MLP((4, 3), "relu", dropout=0.1),
            learning_rate=1e-2,
            batch_size=16,
            steps=300,
            l2=1e-3,
            l2_on="hidden",
        ),
    ),
}


# The slow one has no batches, no dropout and no noise: fewer of what could differ
NAMES = ["adam", pytest.param("sgd", marks=pytest.mark.slow)]


@pytest.fixture(scope="module", params=NAMES)
def case(request):
    """A task, a recipe, and 512 trainings of them."""
    task, recipe = CASES[request.param]
    return task, recipe, ap.run(task, recipe, seeds=512, **KEPT)


def same(a, b):
    assert a.sizes == b.sizes
    for name in a.data_vars:
        assert a[name].values.tobytes() == b[name].values.tobytes(), name


def test_alone_among_others_and_in_another_order(case):
    task, recipe, runs = case
    assert np.isfinite(runs.loss).all()
    assert len(np.unique(runs.loss.isel(step=-1))) == 512
    same(ap.run(task, recipe, seeds=[7], **KEPT), runs.sel(seed=[7]))
    order = np.random.default_rng(0).permutation(512)[:100].tolist()
    same(ap.run(task, recipe, seeds=order, **KEPT), runs.sel(seed=order))


def test_with_a_grid_around_it(case):
    task, recipe, runs = case
    rate = float(recipe.learning_rate)
    grid = ap.run(
        task, recipe, seeds=20, learning_rate=[rate / 3, rate], init_scale=[0.5, 1.0, 2.0], **KEPT
    )
    same(grid.sel(learning_rate=rate, init_scale=1.0, drop=True), runs.isel(seed=slice(20)))
    ranges = ap.run(task, recipe, seeds=3, range=[float(task.range), 2.0], **KEPT)
    same(ranges.isel(range=0, drop=True), runs.isel(seed=slice(3)))


def test_on_one_thread_or_more_and_in_segments(case):
    task, recipe, runs = case
    fewer = runs.isel(seed=slice(100))
    for options in ({"threads": 1}, {"threads": 3}, {"segment": 1}, {"segment": 37}):
        count = 20 if "segment" in options else 100
        same(ap.run(task, recipe, seeds=count, **options, **KEPT), fewer.isel(seed=slice(count)))


def test_seeds_bought_in_batches_until_enough_is_known(case):
    task, recipe, runs = case
    asked = []

    def until(result):
        asked.append(result.sizes["seed"])
        rate = ap.stats.rate(
            ap.stats.success(result, below=float(runs.test_loss.isel(step=-1).median()))
        )
        return ap.stats.enough(rate.successes, rate.n, width=0.11)

    bought = ap.run(task, recipe, seeds=512, until=until, **KEPT)
    assert 128 < bought.sizes["seed"] < 512
    assert asked[0] == 128
    same(bought, runs.isel(seed=slice(bought.sizes["seed"])))
    assert (
        bought.fingerprint == ap.run(task, recipe, seeds=bought.sizes["seed"], **KEPT).fingerprint
    )
    everything = ap.run(task, recipe, seeds=150, until=lambda result: False, **KEPT)
    same(everything, runs.isel(seed=slice(150)))


@pytest.mark.slow
def test_in_the_other_form_too():
    task, recipe = CASES["adam"]
    runs = ap.run(task, recipe, seeds=40, form="vmap", **KEPT)
    same(
        ap.run(task, recipe, seeds=[30, 7], form="vmap", threads=1, segment=41, **KEPT),
        runs.sel(seed=[30, 7]),
    )


def test_in_a_dictionary_of_recipes(case):
    task, recipe, runs = case
    both = ap.run(
        task, {"slow": replace(recipe, learning_rate=1e-5), "this": recipe}, seeds=5, **KEPT
    )
    same(both.sel(recipe="this", drop=True), runs.isel(seed=slice(5)))


@pytest.mark.slow  # and what other tests compiled is forgotten too
def test_programs_are_forgotten_before_the_process_has_no_maps_left(monkeypatch, quiet):
    """XLA's compiler crashes the process where it gets none."""

    def run(steps: int):
        return ap.run(
            ap.tasks.square(range=1.0), ap.Recipe(model=ap.MLP((2,)), steps=steps), seeds=2, **quiet
        )

    first = run(2)
    run(3)
    assert programs.maps_used() == 0 or programs.maps_used() < programs.maps_allowed()
    before = programs.maps_used()
    monkeypatch.setattr(programs, "maps_allowed", lambda: before)
    run(4)
    assert len(programs._compiled) == 4  # look, draw, start and advance of the last
    assert before == 0 or programs.maps_used() < before
    same(first, run(2))


def test_after_save_and_load(case, tmp_path):
    _, _, runs = case
    loaded = ap.load(ap.save(runs, tmp_path / "result.nc"))
    same(loaded, runs)
    assert loaded.identical(runs)


def test_a_saved_state_goes_on_with_the_same_bits(tmp_path):
    task, recipe = CASES["adam"]
    key, steps = jax.random.key(3), recipe.steps
    advance = jax.jit(loop.advance, compiler_options=QUICK)
    begun = jax.jit(loop.start, compiler_options=QUICK)(key, task, recipe)
    whole = advance(begun, key, task, recipe, 0, steps)
    half = advance(begun, key, task, recipe, 0, steps // 2)
    leaves, tree = jax.tree.flatten(half)
    np.savez(tmp_path / "state.npz", *leaves)
    with np.load(tmp_path / "state.npz") as file:
        half = jax.tree.unflatten(tree, [file[name] for name in file.files])
    rest = advance(half, key, task, recipe, steps // 2, steps)
    for a, b in zip(jax.tree.leaves(whole), jax.tree.leaves(rest), strict=True):
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()


@pytest.mark.parametrize("due", [(0, 1, 4, 9), (3,), (0, 9), (5, 12)], ids=str)
@pytest.mark.parametrize("ends", [(12,), (0, 12), (1, 4, 5, 12), (9, 10, 12), (3, 3, 12)], ids=str)
def test_both_loops_make_each_record_once_and_in_its_place(due, ends):
    """A state that counts its steps, and a trace that holds the state and how often it was held."""
    size = len(due)
    began = jnp.int32(0), (jnp.full(size, -1), jnp.zeros(size, jnp.int32))
    padded = np.append(due, loop.NEVER)

    def stepped(n, state):
        return jnp.where(n == state, state + 1, -100)  # a step out of turn would show

    def recorded(carry, slot):
        state, (values, times) = carry
        return state, (values.at[slot].set(state), times.at[slot].add(1))

    def by_records(carry, begin, end):
        return loop.record_by_record(carry, (begin, end), padded, stepped, recorded)

    state, (values, times) = loop.step_by_step(began, (0, 12), padded, stepped, recorded)
    assert (int(state), values.tolist(), times.tolist()) == (12, list(due), [1] * size)

    carry, begin = began, 0
    advanced = jax.jit(by_records)
    for end in ends:
        carry = advanced(carry, begin, end)
        begin = end
    state, (values, times) = carry
    again = [1] * size
    if due[0] == 0:
        again[0] += ends[0] == 0  # an empty span makes it, and the next one, the same, once more
    assert (int(state), values.tolist(), times.tolist()) == (12, list(due), again)


def test_train_agrees_with_run_for_ten_steps(case):
    """Two programs agree until chaos sets in; a wrong stream or batch would show at once."""
    task, recipe, runs = case
    key = jax.random.fold_in(jax.random.key(0), 5)
    alone = jax.jit(ap.train, compiler_options=QUICK)(key, task, recipe)
    early = runs.step.values <= 10
    assert early.sum() >= 8
    expected = runs.loss.sel(seed=5).values
    np.testing.assert_allclose(alone.loss[early], expected[early], rtol=2e-5)


@pytest.mark.slow
def test_float64_beside_float32():
    task, recipe = ap.tasks.square(), ap.Recipe(optimizer="sgd", steps=8, records=9)
    single = ap.run(task, recipe, seeds=3, **KEPT)
    double = ap.run(task, replace(recipe, dtype="float64"), seeds=3, **KEPT)
    again = ap.run(task, recipe, seeds=3, **KEPT)
    same(single, again)
    assert double.loss.dtype == np.float64
    assert double["params.0.w"].dtype == np.float64
    state = ap.params(double, seed=1)
    x = double.x_test.values
    np.testing.assert_allclose(
        np.tanh(x @ state[0]["w"] + state[0]["b"]) @ state[1]["w"] + state[1]["b"],
        double.prediction.sel(seed=1),
        rtol=1e-12,
    )


PROGRAM = """
import sys, json, approx as ap
task = ap.tasks.square()
recipe = ap.Recipe(model=ap.MLP((3,)), steps=20, records=5, optimizer="sgd")
runs = ap.run(task, recipe, seeds=3, lanes=4, progress=False)
program = json.loads(runs.provenance)["program"]
print(json.dumps([runs.fingerprint, program, runs.loss.values.tolist()]))
"""


def test_another_process_has_the_same_identity_program_and_bits(capsys):
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    other = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        env=environment | {"PYTHONHASHSEED": "1"},
    )
    exec(PROGRAM, {})
    assert json.loads(capsys.readouterr().out) == json.loads(other.stdout)


def is_precise(folder):
    """Whether the program of the steps that a folder keeps asks for exact products of matrices."""
    (path,) = folder.rglob("*.advance.jax")
    return "HIGHEST" in export.deserialize(bytearray(read_sealed(path))).mlir_module()


def program_of(runs):
    """The text's digest of the program that made runs, or that made those of every recipe."""
    (found,) = set(re.findall(r'"program": "(\w+)"', runs.provenance))
    return found


def test_a_setting_of_jax_in_a_with_block_reaches_every_thread(tmp_path):
    """Programs are traced in other threads, which such a block does not reach by itself."""
    task = ap.tasks.square(range=1.0, size=9)
    short = ap.Recipe(model=ap.MLP((2,)), optimizer="sgd", batch_size=None, steps=2)
    options = {"lanes": 2, "form": "vmap", "compiler_options": QUICK}
    asked = options | {"seeds": 2, "progress": False}

    def made(folder):
        folder.mkdir()
        study = ap.Study(
            task, short, success=lambda runs: runs.seed < 1, options={"baseline": options}
        )
        with ThreadPoolExecutor(1) as pool:
            elsewhere = ap.run(task, short, out=folder / "pool", executor=pool, **asked)
        exports._exported.clear()  # or the folder below gets the files of the one above
        return {
            "one": ap.run(task, short, **asked),
            "several": ap.run(task, {"a": short, "b": short}, **asked),
            "folder": ap.run(task, short, out=folder / "folder", **asked),
            "executor": elsewhere,
            "study": study.run(2, progress=False).runs("baseline"),
        }

    plain = made(tmp_path / "plain")
    with jax.default_matmul_precision("highest"):
        precise = made(tmp_path / "precise")
    for name, runs in precise.items():
        assert program_of(runs) != program_of(plain[name]), name
    for where in ("folder", "pool"):
        assert not is_precise(tmp_path / "plain" / where)
        assert is_precise(tmp_path / "precise" / where)


@pytest.mark.parametrize("programs_too", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_what_changes_bits_changes_the_identity(monkeypatch, programs_too):
    kept, narrow = KEPT | {"compiler_options": QUICK}, QUICK | {"xla_cpu_prefer_vector_width": 128}
    task, recipe = ap.given([1.0, 2.0], [1.0, 4.0]), ap.Recipe(model=ap.MLP(()), steps=3)
    base = ap.run(task, recipe, seeds=2, **kept)
    changed = {
        "number": ap.run(task, replace(recipe, learning_rate=1.1e-3), seeds=2, **kept),
        "optimiser's number": ap.run(task, replace(recipe, options={"b1": 0.8}), seeds=2, **kept),
        "optimiser's whole number": ap.run(
            task, replace(recipe, options={"b1": 0}), seeds=2, **kept
        ),
        "array": ap.run(ap.given([1.0, 2.1], [1.0, 4.0]), recipe, seeds=2, **kept),
        "seeds": ap.run(task, recipe, seeds=3, **kept),
        "root": ap.run(task, recipe, seeds=2, key=1, **kept),
    }
    if programs_too:  # what makes another program
        changed |= {
            "steps": ap.run(task, replace(recipe, steps=4), seeds=2, **kept),
            "frozen stream": ap.run(task, recipe, seeds=2, freeze=("init",), **kept),
            "lanes": ap.run(task, recipe, seeds=2, **kept | {"lanes": 17}),
            "option": ap.run(task, recipe, seeds=2, **kept | {"compiler_options": narrow}),
            "start": ap.run(task, recipe, seeds=2, init_params=ap.params(base, seed=0), **kept),
        }
    monkeypatch.setattr(provenance, "versions", lambda: {"jax": "99"})
    changed["version"] = ap.run(task, recipe, seeds=2, **kept)
    monkeypatch.undo()
    monkeypatch.setattr(provenance, "processor", lambda: "another")
    changed["processor"] = ap.run(task, recipe, seeds=2, **kept)
    monkeypatch.undo()
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true")
    changed["environment"] = ap.run(task, recipe, seeds=2, **kept)
    monkeypatch.undo()
    identities = [runs.fingerprint for runs in (base, *changed.values())]
    assert len(set(identities)) == len(identities), [
        name for name, runs in changed.items() if identities.count(runs.fingerprint) > 1
    ]
    assert ap.run(task, recipe, seeds=2, **kept).fingerprint == base.fingerprint
