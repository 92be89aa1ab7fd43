"""How often small sigmoid networks find one interval, and which advice really changes that.

Source: "Keras: simple neural network with simple data not working", Stack Overflow. The question:
300 points, 1 on the middle hundred; 1-2-1 sigmoids in Keras, binary cross-entropy, SGD at 0.01,
batches of 32, 200 and 1,000 epochs, raw x: accuracy 0.6667, the share of the majority. The answer
standardises x and takes Adam at 0.1 for 20 epochs: accuracy 1.0 from epoch 13 on. It says that SGD
at 0.1 would be slower, that one hidden unit cannot do it, that R's nnet (BFGS) finds it for some
seeds, and that several initialisations help, as k-means has them.
Remedies: every combination of inputs (raw, z-scored), optimiser (SGD 0.01, SGD 0.1, Adam 0.1, BFGS,
LM), initialiser (Keras', PyTorch's, nnet's), width (1, 2, 3, 4, 8) and loss (cross-entropy,
squares; an entropy is no sum of squares, so LM has squares only): 270 recipes on the same seeds.
Budgets: 1,000 epochs of SGD and of Adam, which is also judged after the answer's 20; 200
evaluations of BFGS (by nnet's rules of stopping) and of LM, which start from the weights that SGD
starts from, in float64.
Expected finding: the literal recipe never succeeds; the answer's does for some seeds and not for
others.
Cost: eight minutes on two cores, a fifth of them compilation; --quick, the recipes that claims
speak of, takes one. Writes results/interval, a folder of trainings, and in experiments/summaries
interval_{rows,endings,effects,claims,reported}.csv, interval_study.json and interval_report.md, and
what the figures draw of single trainings (interval_{curves,functions}.csv), so that they need none.
"""

from collections.abc import Hashable, Mapping
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
import tyro
import xarray as xr
from scipy.special import expit

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
SUMMARIES = Path(__file__).parent / "summaries"
NAME = "interval"
EPOCH = 10  # updates: 300 rows in batches of 32, the last of them on 12 rows
EPOCHS = (
    *range(21),
    *(25, 30, 40, 50, 70, 100, 150, 199),
    *range(200, 1_000, 100),
    *(999, 1_000),
)
EVALUATIONS = (*range(20), *range(20, 100, 5), *range(100, 201, 10))
SHORT = 20  # epochs, the answer's
TRIES = 10  # initialisations, of which k-means in scikit-learn takes the best
# Times the seeds for the thread's two recipes: if none of 2,048 seeds succeeds, it can be ruled out
# that the best of ten does
MORE = 4
QUICK_SEEDS, QUICK_EPOCHS = 48, 200

# ---- the recipes ---------------------------------------------------------------------------------

RAW, Z_SCORED = ap.tasks.interval(), ap.tasks.interval(standardise=True)
NETWORK = ap.MLP((2,), "sigmoid", initializer="keras")  # the output's sigmoid belongs to the loss
ADAM: dict[str, Any] = {"optimizer": "adam_keras", "learning_rate": 0.1}
ALL_ROWS = {
    "batch_size": None,
    "dtype": "float64",
    "steps": EVALUATIONS[-1],
    "records": EVALUATIONS,
}
INITIALIZERS = {"Keras": "keras", "PyTorch": "pytorch", "nnet": "nnet"}
WIDTHS = {"2 units": 2, "1 unit": 1, "3 units": 3, "4 units": 4, "8 units": 8}
# The factors of the factorial, the literal level first
FACTORS: dict[str, dict[str, Any]] = {
    "inputs": {"raw": {}, "z": Z_SCORED},
    "optimizer": {
        "SGD 0.01": {},
        "SGD 0.1": {"learning_rate": 0.1},
        "Adam 0.1": ADAM,
        "BFGS": {"optimizer": "bfgs"} | ALL_ROWS,
        "LM": {"optimizer": "lm"} | ALL_ROWS,
    },
    "weights": {name: {"model.initializer": rule} for name, rule in INITIALIZERS.items()},
    "width": {name: {"model.widths": (width,)} for name, width in WIDTHS.items()},
    "loss": {"entropy": {}, "squares": {"task.loss": "brier"}},
}


def cell(
    inputs: str,
    optimizer: str,
    weights: str = "Keras",
    width: str = "2 units",
    loss: str = "entropy",
) -> str:
    """The label of one combination of the factors' levels."""
    return ", ".join([inputs, optimizer, weights, width, loss])


def impossible(levels: Mapping[str, str]) -> bool:
    """Whether a combination makes no sense: LM needs squares, and an entropy is no sum of them."""
    return levels["optimizer"] == "LM" and levels["loss"] == "entropy"


def weights_of_sgd(model: ap.MLP, seeds: np.ndarray) -> list:
    """The first weights of SGD, which is in float32; in float64 the same seeds draw others."""
    recipe = ap.Recipe(model=model)

    def of_one(seed: Any) -> list:
        key = jax.random.fold_in(jax.random.key(0), seed)
        return ap.init(key, RAW, recipe).params

    return jax.vmap(of_one)(seeds)


def options() -> dict[str, dict]:
    """More seeds for the thread's two recipes, and the weights that BFGS and LM start from."""
    found: dict[str, dict] = {BASELINE: {"seeds": MORE}, ANSWER: {"seeds": MORE}}
    for levels in product(*FACTORS.values()):
        named = dict(zip(FACTORS, levels, strict=True))
        if named["optimizer"] in ("BFGS", "LM") and not impossible(named):
            rule, width = INITIALIZERS[named["weights"]], WIDTHS[named["width"]]
            model = replace(NETWORK, widths=(width,), initializer=rule)
            found[cell(*levels)] = {"init_params": partial(weights_of_sgd, model)}
    return found


BASELINE, ANSWER = ap.study.BASELINE, "answer"
# The cells that claims and the figure name
SGD, SGD_8 = cell("raw", "SGD 0.01"), cell("raw", "SGD 0.01", width="8 units")
Z_SGD, Z_SGD_FASTER = cell("z", "SGD 0.01"), cell("z", "SGD 0.1")
RAW_ADAM, Z_ADAM = cell("raw", "Adam 0.1"), cell("z", "Adam 0.1")
Z_ADAM_1, Z_ADAM_8 = (cell("z", "Adam 0.1", width=width) for width in ("1 unit", "8 units"))
BFGS = cell("raw", "BFGS")
NNET, Z_NNET, Z_NNET_LM, NNET_SGD, Z_NNET_SGD = (
    cell(inputs, optimizer, "nnet", loss="squares")
    for inputs, optimizer in (
        ("raw", "BFGS"),
        ("z", "BFGS"),
        ("z", "LM"),
        ("raw", "SGD 0.01"),
        ("z", "SGD 0.01"),
    )
)
QUICK = (
    *(BASELINE, ANSWER, SGD, SGD_8, Z_SGD, Z_SGD_FASTER, RAW_ADAM, Z_ADAM, Z_ADAM_1, Z_ADAM_8),
    *(BFGS, NNET, Z_NNET, Z_NNET_LM, NNET_SGD, Z_NNET_SGD),
)


def after(label: str, epochs: int) -> str:
    """The label of a row as it was after so many epochs."""
    return f"{label}, {epochs} epochs"


SHORTER = (
    *((label, SHORT) for label in (RAW_ADAM, Z_SGD, Z_ADAM, Z_ADAM_8)),
    (SGD, 200),
    (ANSWER, 13),
)
VIEWS = {after(label, epochs): ap.study.until(label, EPOCH * epochs) for label, epochs in SHORTER}

# ---- what is measured ----------------------------------------------------------------------------

learned = partial(ap.stats.success, above=1.0, of="accuracy")
nearly = partial(ap.stats.success, above=0.99, of="accuracy")
RIGHT = ap.study.Measure("every training row on its side of one half", learned)
NEARLY = ap.study.Measure("99% of the training rows on their side of one half", nearly)

# Losses of the constant that is best, and of the best function with one edge: 0 on one outer
# hundred and 1/2 on the other two. Squares have a plateau of their own, the output that is 0
# throughout, where the output's sigmoid saturates and the slope vanishes; it was named after it was
# found. To the entropy such an output is infinitely bad
PLATEAUS = {
    "entropy": {
        "the constant 1/3": np.log(3) - 2 / 3 * np.log(2),
        "one edge, then 1/2": 2 / 3 * np.log(2),
    },
    "squares": {"the constant 1/3": 2 / 9, "one edge, then 1/2": 1 / 6, "0 throughout": 1 / 3},
}


def plateaus(label: str) -> dict[str, float]:
    """The losses at which a row's trainings may stay."""
    return PLATEAUS["squares" if label.endswith("squares") else "entropy"]


# ---- what the figures draw -----------------------------------------------------------------------

CONSTANT, EDGE, ZERO = PLATEAUS["squares"]
LEARNED, OTHER = "learned", "between these"
ENDINGS = (LEARNED, EDGE, CONSTANT, ZERO, OTHER)
CURVES = (Z_ADAM, Z_SGD_FASTER, RAW_ADAM, Z_SGD)
WHOLE = (SGD, RAW_ADAM, NNET, Z_SGD, Z_SGD_FASTER, Z_ADAM, Z_NNET)  # rows, each to its end
MOST = 12  # functions of one ending


def drawn_as(ending: str) -> str:
    """The name under which an ending is drawn."""
    return ending if ending in ENDINGS else OTHER


def curve_table(label: str, runs: xr.Dataset) -> pd.DataFrame:
    """The share of seeds in success at every record, with its exact 95% interval."""
    rates = ap.stats.rate(learned(runs), when="each")
    return pd.DataFrame(
        {
            "label": label,
            "epoch": rates.step.values / EPOCH,
            "n": rates.n.values,
            "successes": rates.successes.values,
            "rate": rates.rate.values,
            "low": rates.low.values,
            "high": rates.high.values,
            "fingerprint": runs.fingerprint[:12],
        }
    )


def endings_of(label: str, runs: xr.Dataset) -> np.ndarray:
    """The name under which the ending of every seed is drawn."""
    found = ap.stats.endings(runs, learned(runs), plateaus(label))
    return np.array([drawn_as(kind) for kind in found.kind.values])


def network_table(label: str, ending: str, seeds: Any, params: Any) -> pd.DataFrame:
    """The weights of networks of two units, a line each.

    Args:
        label: of the row.
        ending: that these networks share.
        seeds: of the networks.
        params: the two layers of all networks, as `ap.params` returns them.
    """
    hidden, output = params
    table = pd.DataFrame({"label": label, "ending": ending, "seed": seeds})
    for unit in (0, 1):
        table[f"slope {unit + 1}"] = hidden["w"][:, 0, unit]
        table[f"shift {unit + 1}"] = hidden["b"][:, unit]
        table[f"weight {unit + 1}"] = output["w"][:, unit, 0]
    table["bias"] = output["b"][:, 0]
    return table


def functions(networks: pd.DataFrame, x: np.ndarray) -> np.ndarray:
    """The functions of `network_table`'s networks, (networks, points), at raw x.

    A network is `P(y = 1) = σ(bias + Σ_k weight_k σ(slope_k u + shift_k))`, where u is x or, of the
    recipes on standardised x, its z-score.
    """
    rows = np.asarray(RAW.x, float)
    z = (x - rows.mean()) / rows.std()  # by the training rows' mean, as Z_SCORED
    is_standardised = networks.label.str.startswith("z, ").to_numpy()
    u = np.where(is_standardised[:, None], z, x)
    logits = networks["bias"].to_numpy()[:, None]
    for unit in (1, 2):
        slope, shift, weight = (
            networks[f"{name} {unit}"].to_numpy()[:, None] for name in ("slope", "shift", "weight")
        )
        logits = logits + weight * expit(slope * u + shift)
    return expit(logits)


def drawn_functions(question: ap.Study) -> pd.DataFrame:
    """A dozen networks of each ending, of the row in which this ending is the most frequent."""
    there = [label for label in WHOLE if label in question.trained.by_row]
    kinds = {label: endings_of(label, question.runs(label)) for label in there}
    tables = []
    for ending in ENDINGS:
        shares = {label: float((found == ending).mean()) for label, found in kinds.items()}
        label = max(shares, key=lambda one: shares[one])
        runs = question.runs(label)
        chosen = runs.isel(seed=np.flatnonzero(kinds[label] == ending)[:MOST])
        table = network_table(label, ending, chosen.seed.values, ap.params(chosen))
        tables.append(table.assign(fingerprint=runs.fingerprint[:12]))
    return pd.concat(tables)


def write_drawn(question: ap.Study, summaries: Path) -> list[Path]:
    """Write what the figures draw of single trainings, of those rows that are trained."""
    there = [label for label in CURVES if label in question.trained.by_row]
    tables = {
        "curves": pd.concat([curve_table(label, question.runs(label)) for label in there]),
        "functions": drawn_functions(question),
    }
    paths = []
    for name, table in tables.items():
        path = summaries / f"{NAME}_{name}.csv"
        table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
        paths.append(path)
    return paths


def keeps_majority(epochs: int, runs: Mapping[str, xr.Dataset], **options: Any) -> xr.Dataset:
    """The rate at which the literal recipe has the majority's accuracy after so many epochs."""
    accuracy = runs[BASELINE].accuracy.sel(step=slice(0, EPOCH * epochs)).isel(step=-1)
    return ap.stats.rate(abs(accuracy - 2 / 3) < 1e-3, **options)


def sooner(runs: Mapping[str, xr.Dataset], **options: Any) -> xr.Dataset:
    """How probably Adam succeeds at an earlier epoch than SGD 0.1 from the same weights."""
    times: dict[Hashable, xr.Dataset] = {}
    for label in (Z_ADAM, Z_SGD_FASTER):
        times[label] = ap.stats.time_to_success(learned(runs[label]))
    return ap.stats.improvement(times, Z_ADAM, Z_SGD_FASTER, of="upper", pairs="seed", **options)


def gain_of_ten(
    label: str, runs: Mapping[str, xr.Dataset], level: float = 0.95, interval: str = "exact"
) -> xr.Dataset:
    """What the best of ten seeds adds to the rate of one: q - q^10 for the rate of failure q.

    Its interval holds the gains of all rates in the rate's own interval, so that it covers the
    truth whenever that does. The gain is largest where its slope 1 - 10 q^9 is 0.
    """
    rate = ap.stats.rate(learned(runs[label]), level=level, interval=interval)
    low, high = float(rate.low), float(rate.high)
    largest_at = 1 - TRIES ** (-1 / (TRIES - 1))
    rates = np.array([float(rate.rate), low, high, np.clip(largest_at, low, high)])
    failures = 1 - rates
    gains = failures - failures**TRIES
    ends = {"low": gains[1:].min(), "high": gains[1:].max()}
    return xr.Dataset({"gain": gains[0], **ends, "n": int(rate.n)})


# ---- what is claimed -----------------------------------------------------------------------------


def stays(epochs: int) -> ap.study.Claim:
    """That the literal recipe has the majority's accuracy after so many epochs."""
    return ap.study.own(
        f"raw x, SGD 0.01: after {epochs:,} epochs the accuracy is the majority's share",
        partial(keeps_majority, epochs),
        ap.stats.ALWAYS,
        compared=BASELINE,
        measure="accuracy 2/3",
    )


def several_help(recipe: str, label: str) -> ap.study.Claim:
    """That the best of ten seeds of a recipe succeeds more often than one."""
    return ap.study.own(
        f"several initialisations help: the best of {TRIES}, {recipe}",
        partial(gain_of_ten, label),
        ap.stats.HELPS,
        compared=label,
        measure=f"{RIGHT.says}, best of {TRIES} - one",
    )


SOONER = ap.study.own(
    "z-scores: SGD 0.1 is slower than Adam 0.1",
    sooner,
    ap.stats.BETTER,
    compared=f"{Z_ADAM} against {Z_SGD_FASTER}",
    measure="every row right at an earlier epoch, never being the latest",
)
Z_ADAM_SHORT, RAW_ADAM_SHORT = after(Z_ADAM, SHORT), after(RAW_ADAM, SHORT)

# The regions were written before anything was measured
CLAIMS = (
    ap.never(text="raw x, SGD 0.01, 1,000 epochs: the literal recipe does not learn the interval"),
    stays(200),
    stays(1_000),
    ap.helps(SGD, "raw x, SGD 0.01: 1,000 epochs help, against 200", against=after(SGD, 200)),
    ap.usually(ANSWER, "z-scores, Adam 0.1, 20 epochs: learned more often than not"),
    ap.always(ANSWER, "z-scores, Adam 0.1, 20 epochs: learned whatever the seed"),
    ap.usually(after(ANSWER, 13), "z-scores, Adam 0.1: learned by epoch 13 more often than not"),
    ap.helps(Z_ADAM_SHORT, "z-scores with Adam 0.1, 20 epochs, help the literal recipe"),
    ap.helps(Z_SGD, "z-scores alone help (SGD 0.01, 1,000 epochs)"),
    ap.helps(RAW_ADAM_SHORT, "Adam 0.1 alone helps (raw x, 20 epochs)"),
    ap.helps(RAW_ADAM, "Adam 0.1 alone helps (raw x, 1,000 epochs)"),
    ap.helps(Z_ADAM_SHORT, "Adam 0.1 needs z-scores (20 epochs)", against=RAW_ADAM_SHORT),
    ap.helps(Z_ADAM, "Adam 0.1 needs z-scores (1,000 epochs)", against=RAW_ADAM),
    ap.helps(
        Z_ADAM_SHORT,
        "z-scores need Adam 0.1 rather than SGD 0.01 (20 epochs)",
        against=after(Z_SGD, SHORT),
    ),
    SOONER,
    ap.usually(Z_SGD_FASTER, "z-scores: SGD 0.1 gets there within 1,000 epochs"),
    ap.never(Z_ADAM_1, "one hidden unit cannot (z-scores, Adam 0.1, 1,000 epochs)"),
    ap.helps(Z_ADAM, "two hidden units can (z-scores, Adam 0.1, 1,000 epochs)", against=Z_ADAM_1),
    ap.study.between(0.01, 0.99, NNET, "R's nnet (BFGS, squares, raw x) works for some seeds"),
    ap.helps(NNET, "nnet, raw x: BFGS rather than gradient descent helps", against=NNET_SGD),
    ap.helps(Z_NNET, "nnet, z-scores: BFGS rather than gradient descent helps", against=Z_NNET_SGD),
    ap.helps(BFGS, "literal recipe, raw x: BFGS rather than gradient descent helps"),
    several_help("raw x, SGD 0.01, 1,000 epochs", BASELINE),
    several_help("z-scores, Adam 0.1, 20 epochs", ANSWER),
    several_help("R's nnet, raw x", NNET),
    ap.helps(SGD_8, "wider helps: 8 units rather than 2 (raw x, SGD 0.01, 1,000 epochs)"),
    ap.helps(
        after(Z_ADAM_8, SHORT),
        "wider helps: 8 units rather than 2 (z-scores, Adam 0.1, 20 epochs)",
        against=Z_ADAM_SHORT,
    ),
)


def printed(row: str, of: str, epoch: int, value: float, rounding: float) -> ap.study.Reported:
    """A number that the thread prints: a mean over the batches of one epoch, as Keras gives it."""
    text = f"{row}: mean {of} of epoch {epoch:,}"
    return ap.study.Reported(text, row, value, f"batch_{of}", EPOCH * epoch, rounding)


PRINTED = (
    printed(BASELINE, "accuracy", 200, 2 / 3, 5e-5),
    printed(BASELINE, "accuracy", 1_000, 2 / 3, 5e-5),
    printed(BASELINE, "loss", 1_000, 0.5566, 5e-5),
    printed(ANSWER, "accuracy", 13, 1.0, 5e-5),
    printed(ANSWER, "loss", SHORT, 0.072, 5e-4),
)

# ---- the study -----------------------------------------------------------------------------------


def study(epochs: int = EPOCHS[-1]) -> ap.Study:
    """The question; trainings with epochs have at most so many, one of EPOCHS."""
    steps = EPOCH * epochs
    literal = ap.Recipe(
        model=NETWORK,
        optimizer="sgd",
        learning_rate=0.01,
        batch_size=32,
        steps=steps,
        records=tuple(EPOCH * epoch for epoch in EPOCHS if epoch <= epochs),
    )
    short: dict[str, Any] = {"steps": EPOCH * SHORT, "records": range(0, EPOCH * SHORT + 1, EPOCH)}
    return ap.Study(
        RAW,
        literal,
        success={"all rows": RIGHT, "99% of the rows": NEARLY},
        changes={ANSWER: (Z_SCORED, replace(literal, **ADAM, **short))},
        factors=FACTORS,
        skip=impossible,
        views=VIEWS,
        claims=CLAIMS,
        reported=[one for one in PRINTED if one.step in literal.records],
        plateaus=plateaus,
        judged=(),  # all verdicts are about claims
        options=options(),
        keep=("params",),
        title=f"One interval in one dimension: sigmoid networks, at most {epochs:,} epochs",
        source='"Keras: simple neural network with simple data not working", Stack Overflow',
    )


def main(
    seeds: int = 512, results: Path = RESULTS, summaries: Path = SUMMARIES, quick: bool = False
) -> None:
    """Train the literal recipe, the answer's and all remedies, and judge the thread's claims.

    Args:
        seeds: of each recipe; four times as many of the thread's two.
        results: the folder to write to. What it has already is not trained again.
        summaries: the folder of the tables.
        quick: a look at the recipes of the claims, with few seeds and epochs, in results/quick.
    """
    question, rows = study(), None
    if quick:
        question, rows = study(QUICK_EPOCHS), QUICK
        seeds = min(seeds, QUICK_SEEDS)
        results = summaries = results / "quick"
    results.mkdir(parents=True, exist_ok=True)
    question.run(seeds, only=rows, out=results / NAME)
    question.answer().write(summaries, NAME)
    write_drawn(question, summaries)
    print(question.report())


if __name__ == "__main__":
    tyro.cli(main)
