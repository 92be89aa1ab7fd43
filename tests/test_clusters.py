"""Promise: what the clusters' experiment says follows from what it measured, and its references from the data."""

import csv
import importlib.util
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from scipy import integrate, stats

import approx as ap

ROOT = Path(__file__).parents[1]


def script(folder: str, name: str):
    spec = importlib.util.spec_from_file_location(f"{folder}_{name}", ROOT / folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CLUSTERS = script("experiments", "clusters")


def accuracies(values):
    """Runs that end with these test accuracies."""
    values = np.asarray(values, np.float32)
    return xr.Dataset({"test_accuracy": (("seed", "step"), values[:, None])}, {"seed": range(len(values)), "step": [1]})


def test_the_thresholds_are_the_references():
    found = CLUSTERS.references(ap.tasks.clusters())
    assert found["softmax"][0] == pytest.approx(CLUSTERS.SOFTMAX, abs=1e-9)
    assert found["least squares"][0] == pytest.approx(CLUSTERS.LEAST_SQUARES, abs=1e-9)
    y = ap.tasks.clusters().y_test
    assert found["constant"][1] == pytest.approx(0.375, abs=1e-3)  # (1 - Σ p²) / 2 of four even classes
    assert found["Bayes' rule"][0] > found["softmax"][0] > found["constant"][0] >= y.mean(0).min()


def test_the_density_of_a_direction_is_the_integral_along_its_ray():
    rng = np.random.default_rng(0)
    y = np.repeat(np.eye(4), 50, 0)
    x = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 3)) + y @ rng.normal(size=(4, 3))
    test = rng.normal(size=(5, 3))
    whole, rays = CLUSTERS.gaussians(x, y, test), CLUSTERS.gaussians(x, y, test, directions=True)
    np.testing.assert_allclose(CLUSTERS.gaussians(x, y, 7 * test, directions=True), rays, rtol=1e-9)
    moments = [(x[y[:, c] == 1].mean(0), np.cov(x[y[:, c] == 1].T)) for c in range(4)]
    density = [stats.multivariate_normal(*moment) for moment in moments]
    # Up to a constant that all classes share: differences of logarithms.
    exact = np.array([[one.logpdf(row) for one in density] for row in test])
    np.testing.assert_allclose(np.diff(whole), np.diff(exact), rtol=1e-6, atol=1e-6)
    units = test / np.linalg.norm(test, axis=1, keepdims=True)
    along = [[integrate.quad(lambda r: r**2 * one.pdf(r * u), 0, 60, limit=200)[0] for one in density] for u in units]  # noqa: B023
    np.testing.assert_allclose(np.diff(rays), np.diff(np.log(along)), rtol=1e-5, atol=1e-5)


def test_without_biases_only_the_direction_counts():
    """So that no such network is better than Bayes' rule of the direction."""
    task, recipe = CLUSTERS.RECIPES["literal"]
    x = jnp.asarray(task.x_test[:50], "float32")
    params = recipe.model.init(jax.random.key(1), x)
    outputs = np.asarray(recipe.model.apply(params, x))
    np.testing.assert_allclose(recipe.model.apply(params, 5 * x), 5 * outputs, rtol=1e-5, atol=1e-6)


def test_the_factorials_effects_are_those_put_in():
    """0.02 of biases, 0.01 more with cross-entropy, for every seed."""
    rng = np.random.default_rng(0)
    seeds = 0.7 + 0.05 * rng.random(40)
    runs = {}
    for label, chosen in CLUSTERS.COMBINED.items():
        both = {"biases", "cross-entropy"} <= set(chosen)
        runs[f"short {label}"] = accuracies(seeds + 0.02 * ("biases" in chosen) + 0.01 * both)
    effects = CLUSTERS.measure_factorial(runs).effect
    expected = {"biases": 0.025, "cross-entropy": 0.005, "biases × cross-entropy": 0.005}
    assert len(effects) == 15
    for name, effect in effects.items():
        assert effect == pytest.approx(expected.get(name, 0), abs=1e-6), name


def test_kinds_of_endings():
    """Four seeds: all right, least squares' accuracy, below it, and a class given up."""
    labels = np.tile(np.arange(4), 250)
    given = np.tile(labels, (4, 1))
    given[1, 0:600:4], given[2, 0:800:4], given[3, 0::4] = 1, 1, 2  # of class 0, 150, 200 and all 250
    accuracy = (given == labels).mean(1)
    runs = accuracies(accuracy)
    runs["prediction"] = (("seed", "point", "output"), np.eye(4)[given])
    runs["test_loss"] = runs.test_accuracy
    found = CLUSTERS.kinds(runs, labels)
    assert accuracy.tolist() == [1.0, 0.85, 0.8, 0.75]
    assert found.kind.values.tolist() == found.attrs["kinds"]
    np.testing.assert_allclose(CLUSTERS.confusion(runs, labels)[1, 0], [0.4, 0.6, 0, 0])


@pytest.mark.slow  # sixteen networks to compile
def test_the_clusters_quick_look_runs_is_judged_and_drawn(tmp_path, capsys):
    CLUSTERS.main(quick=True, results=tmp_path, summaries=tmp_path / "committed")
    said = capsys.readouterr().out
    assert "literal: 16 seeds, 16,000 steps" in said
    assert said.count("not the experiment") > len(CLUSTERS.RECIPES)
    assert not (tmp_path / "committed").exists()
    folder = tmp_path / "quick"
    assert len(list(folder.glob("*.nc"))) == len(CLUSTERS.RECIPES)
    claims = list(csv.DictReader((folder / "clusters_claims.csv").open()))
    assert {row["verdict"] for row in claims} <= {"supported", "contradicted", "undecided"}
    assert {row["n"] for row in claims} == {"16"}
    script("figures", "clusters").main(results=tmp_path, figures=tmp_path / "committed", quick=True)
    assert {path.suffix for path in folder.glob("clusters.p*")} == {".pdf", ".png"}
    assert not (tmp_path / "committed").exists()
