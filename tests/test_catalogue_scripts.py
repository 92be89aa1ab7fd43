"""Promise: the experiments on tasks of the catalogue judge what they say, and their figures can be
drawn; their committed verdicts are those of their committed rates.
"""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scripts import ROOT, script

import approx as ap

SUMMARIES = ROOT / "experiments" / "summaries"
NAMES = ("spirals", "decay")


def test_a_solution_fails_by_its_start_or_by_its_curve():
    """Six known functions: the solution, a wrong amplitude, a bump, and one that diverged."""
    decay = script("experiments", "decay")
    t = np.linspace(0, 5, 11)
    right = np.exp(-t)
    functions = [right, 0.5 * right, right + 0.02 * np.sin(t), right + 5e-3 * t, right + np.nan]
    functions.append(right + 5e-4)
    runs = xr.Dataset(
        {"prediction": (("seed", "point", "output"), np.stack(functions)[..., None])},
        {"y_test": (("point", "output"), right[:, None]), "seed": np.arange(6)},
    )
    found = decay.errors(runs)
    bump = 0.02 * abs(np.sin(t)).max()
    np.testing.assert_allclose(found.largest, [0, 0.5, bump, 0.025, np.inf, 5e-4], atol=1e-12)
    became = ["right", "start wrong", "curve wrong", "curve wrong", "start wrong", "right"]
    assert decay.kinds(runs).values.tolist() == became
    close = [True, False, False, False, False, True]
    for most in (decay.CLOSE, decay.CLOSER):
        assert decay.hits(runs, most).hit.values.tolist() == close


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_verdicts_are_those_of_the_committed_rates(name):
    """Verdicts follow from their intervals, and each claim about one rate has that of its line."""
    verdicts = pd.read_csv(SUMMARIES / f"{name}_verdicts.csv")
    rates = pd.read_csv(SUMMARIES / f"{name}_rates.csv")
    assert (rates.n == 128).all()
    for line in verdicts.itertuples():
        said = ap.stats.verdict(line.low_all, line.high_all, (line.holds_from, line.holds_to))
        assert line.verdict == said, line.claim
        assert line.n == 0 or line.low_all <= line.effect <= line.high_all
    shown = set(rates.filter(regex="^(rate|close|closer|fitted|between)$").to_numpy().ravel())
    of_all = verdicts[(verdicts.n == 128) & verdicts.holds_from.isin([0.5, 0.95, 0.0])]
    alone = [effect for effect in of_all.effect if effect in shown]
    assert len(alone) >= 2


@pytest.mark.slow  # eight programs, and three
@pytest.mark.parametrize("name", NAMES)
def test_a_quick_look_is_trained_judged_and_drawn(name, tmp_path, capsys):
    experiment = script("experiments", name)
    experiment.main(results=tmp_path, quick=True)
    assert "not the experiment" in capsys.readouterr().out
    quick = tmp_path / "quick"
    rates = pd.read_csv(quick / f"{name}_rates.csv")
    assert (rates.n == 8).all()
    verdicts = pd.read_csv(quick / f"{name}_verdicts.csv")
    assert set(verdicts.verdict) <= {"supported", "undecided", "contradicted"}
    script("figures", name).main(results=tmp_path, quick=True)
    assert {path.suffix for path in quick.glob(f"{name}.p*")} == {".pdf", ".png"}
    assert {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")} == {"quick"}
