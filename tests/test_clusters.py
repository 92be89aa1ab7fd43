"""Promise: what the clusters' experiment says follows from what it measured, and its references
from the data.
"""

import csv

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from scipy import integrate, stats
from scripts import assert_judged_anew, script

import approx as ap

CLUSTERS = script("experiments", "clusters")


def accuracies(values):
    """Runs that end with these test accuracies."""
    values = np.asarray(values, np.float32)
    return xr.Dataset(
        {"test_accuracy": (("seed", "step"), values[:, None])},
        {"seed": range(len(values)), "step": [1]},
    )


def test_the_thresholds_are_the_references():
    found = CLUSTERS.references(ap.tasks.clusters())
    assert found["softmax"][0] == pytest.approx(CLUSTERS.SOFTMAX, abs=1e-9)
    assert found["least squares"][0] == pytest.approx(CLUSTERS.LEAST_SQUARES, abs=1e-9)
    y = ap.tasks.clusters().y_test
    # (1 - Σ p²) / 2 of four even classes
    assert found["constant"][1] == pytest.approx(0.375, abs=1e-3)
    assert found["Bayes' rule"][0] > found["softmax"][0] > found["constant"][0] >= y.mean(0).min()


def test_outputs_that_are_nan_belong_to_no_class():
    outputs = np.stack([np.eye(4), np.full((4, 4), np.nan)])
    runs = xr.Dataset({"prediction": (("seed", "point", "output"), outputs)})
    assert CLUSTERS.confusion(runs, np.arange(4)).sum((1, 2)).tolist() == [4.0, 0.0]


def test_the_density_of_a_direction_is_the_integral_along_its_ray():
    rng = np.random.default_rng(0)
    classes = []
    for _ in range(4):
        root = rng.normal(size=(3, 3))
        classes.append((rng.normal(size=3), root @ root.T + 0.1 * np.eye(3)))
    density = [stats.multivariate_normal(*one) for one in classes]
    points = rng.normal(size=(5, 3))
    whole, rays = (
        CLUSTERS.log_densities(classes, points, directions) for directions in (False, True)
    )
    np.testing.assert_allclose(
        CLUSTERS.log_densities(classes, 7 * points, directions=True), rays, rtol=1e-9
    )
    # Up to a constant that all classes share: differences of logarithms.
    np.testing.assert_allclose(
        np.diff(whole), np.diff([[one.logpdf(row) for one in density] for row in points])
    )
    units = points / np.linalg.norm(points, axis=1, keepdims=True)
    radial = lambda r, one, u: r**2 * one.pdf(r * u)  # noqa: E731
    along = [
        [integrate.quad(radial, 0, 60, (one, u), limit=200)[0] for one in density] for u in units
    ]
    np.testing.assert_allclose(np.diff(rays), np.diff(np.log(along)), rtol=1e-5, atol=1e-5)


def test_moments_do_not_count_rows_of_a_wrong_label():
    rng = np.random.default_rng(0)
    label = np.arange(8000) % 4
    z = rng.normal(size=(8000, 3)) + 6 * np.eye(4)[label][:, :3]
    y = np.eye(4)[
        np.where(rng.random(8000) < CLUSTERS.MISLABELLED, rng.integers(0, 4, 8000), label)
    ]
    for c, (m, s) in enumerate(CLUSTERS.moments(z, y)):
        np.testing.assert_allclose(m, 6 * np.eye(4)[c, :3], atol=0.12)  # five standard errors
        np.testing.assert_allclose(s, np.eye(3), atol=0.16)


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
    for label, chosen in CLUSTERS.combined(CLUSTERS.FACTORS).items():
        both = {"biases", "cross-entropy"} <= set(chosen)
        runs[f"short {label}"] = accuracies(seeds + 0.02 * ("biases" in chosen) + 0.01 * both)
    effects = CLUSTERS.measure_factorial(runs).effect
    expected = {"biases": 0.025, "cross-entropy": 0.005, "biases × cross-entropy": 0.005}
    assert len(effects) == 2 ** len(CLUSTERS.FACTORS) - 1
    for name, effect in effects.items():
        assert effect == pytest.approx(expected.get(name, 0), abs=1e-6), name


def test_kinds_of_endings():
    """Four seeds: all right, least squares' accuracy, below it, and a class given up."""
    labels = np.tile(np.arange(4), 250)
    given = np.tile(labels, (4, 1))
    # Of class 0, 150, 200 and all 250
    given[1, 0:600:4], given[2, 0:800:4], given[3, 0::4] = 1, 1, 2
    accuracy = (given == labels).mean(1)
    runs = accuracies(accuracy)
    runs["prediction"] = (("seed", "point", "output"), np.eye(4)[given])
    runs["test_loss"] = runs.test_accuracy
    found = CLUSTERS.kinds(runs, labels)
    assert accuracy.tolist() == [1.0, 0.85, 0.8, 0.75]
    assert found.kind.values.tolist() == found.attrs["kinds"]
    np.testing.assert_allclose(CLUSTERS.confusion(runs, labels)[1, 0], [0.4, 0.6, 0, 0])


@pytest.mark.slow  # sixteen networks to compile
def test_the_clusters_quick_look_runs_is_judged_and_drawn(tmp_path, capsys, monkeypatch):
    CLUSTERS.main(quick=True, results=tmp_path, summaries=tmp_path / "committed")
    said = capsys.readouterr().out
    assert "literal: 16 seeds, 16,000 steps" in said
    short = [f"short {label}" for label in CLUSTERS.combined(CLUSTERS.FACTORS[:2])]
    trained = [CLUSTERS.path_of(tmp_path / "quick", label) for label in (*CLUSTERS.LONG, *short)]
    # Beside each recipe, and over the tables
    assert said.count("not the experiment") == len(trained) + 1
    assert not (tmp_path / "committed").exists()
    folder = tmp_path / "quick"
    assert set(folder.glob("*.nc")) == set(trained)
    claims = list(csv.DictReader((folder / "clusters_claims.csv").open()))
    assert {row["verdict"] for row in claims} <= {"supported", "contradicted", "undecided"}
    assert {row["n"] for row in claims} == {"16"}
    script("figures", "clusters").main(results=tmp_path, figures=tmp_path / "committed", quick=True)
    assert {path.suffix for path in folder.glob("clusters.p*")} == {".pdf", ".png"}
    assert_judged_anew(monkeypatch, folder, CLUSTERS.main, results=tmp_path, quick=True)
    assert not (tmp_path / "committed").exists()
