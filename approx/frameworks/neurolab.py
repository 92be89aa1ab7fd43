"""neurolab's `newff` and its trainers as a task and a recipe."""

from collections.abc import Sequence
from typing import Any

from approx import models
from approx.frameworks import fits, printed
from approx.frameworks.questions import Conventions, Question
from approx.training import stops
from approx.training.recipes import Recipe

TRANSFERS = {"TanSig": "tanh", "LogSig": "sigmoid", "PureLin": "linear"}
REFUSED_TRANSFERS = {
    "HardLim": "a step has no slope; nearest is LogSig",
    "HardLims": "a step has no slope; nearest is TanSig",
    "SatLin": "nearest is LogSig",
    "SatLins": "nearest is TanSig",
}
TRAINERS: dict[str, dict[str, Any]] = {
    "train_gd": {"optimizer": "sgd", "learning_rate": 0.01},
    "train_gdm": {"optimizer": "gdm_neurolab", "learning_rate": 0.01},
    "train_gda": {"optimizer": "gda_neurolab", "learning_rate": 0.01},
    "train_gdx": {"optimizer": "gdx_neurolab", "learning_rate": 0.01},
    "train_rprop": {
        "optimizer": "rprop_minus",
        "learning_rate": 0.07,
        "options": {"shortest": 1e-9},
    },
    "train_bfgs": {"optimizer": "bfgs"},
}
REFUSED_TRAINERS = {
    "train_cg": "nearest is train_bfgs",
    "train_ncg": "nearest is train_bfgs",
    "train_delta": "nearest is train_gd",
}
# The trainers' own words, and what they are called here
OPTIONS = {
    "mc": "momentum",
    "lr_inc": "lr_inc",
    "lr_dec": "lr_dec",
    "max_perf_inc": "max_perf_inc",
    "rate_dec": "shrink",
    "rate_inc": "grow",
    "rate_min": "shortest",
    "rate_max": "longest",
}
FIRST = 1.01  # length of the first step that SciPy's BFGS tries
GRADIENT = 1e-5  # SciPy's gtol of fmin_bfgs: the largest component of the gradient


def question(  # noqa: PLR0913 (the arguments of newff and of a trainer)
    x: Any,
    y: Any,
    *,
    minmax: Sequence[Sequence[float]],
    size: Any,
    transf: Sequence[str] | None = None,
    trainf: str = "train_bfgs",
    epochs: int = 500,
    goal: float = 0.01,
    lr: float | None = None,
    adapt: bool = False,
    rr: float = 0.0,
    test: Any = None,
    **more: Any,
) -> Question:
    """A feed-forward network of neurolab and its training, by neurolab's own words.

    Args:
        x: inputs, (n,) or (n, i).
        y: targets, (n,) or (n, o).
        minmax: least and largest value of each input, which scale the first weights only. All
            inputs must have the same two.
        size: neurons of all layers, that of the outputs too, as in `newff(minmax, [10, 1])`.
        transf: names of the layers' transfer functions; None is TanSig in all, the outputs too.
        trainf: "train_bfgs", "train_gd", "train_gdm", "train_gda", "train_gdx" or "train_rprop".
        epochs: at most. In batches neurolab makes one update less.
        goal: the training ends when half the sum of squares is below this.
        lr: learning rate; None for the trainer's own.
        adapt: row by row in the order given, with "train_gd" and "train_gdm".
        rr: must be 0: neurolab's objective with it is not the one that its gradient belongs to.
        test: rows (x, y) for the test loss; None for none.
        more: the trainer's other numbers (`mc`, `lr_inc`, `rate_dec`, ...), or further fields of
            the recipe, such as `records`.

    Returns:
        A `Question`, which unpacks into task and recipe. The recorded loss is half the squares of a
        row; neurolab's error is its sum over the rows.

    Raises:
        ValueError: a word that cannot be translated.

    Example:
        >>> ap.frameworks.neurolab.question(x, x**2, minmax=[[-1, 1]], size=[10, 1])

    """
    x, y = printed.rows(x, y)
    if rr:
        raise ValueError(
            f"rr is {rr}; neurolab's penalty is not supported, nearest is l2=rr / 2 / n"
        )
    *hidden, outputs = printed.widths("size", size)
    if outputs != y.shape[1]:
        raise ValueError(f"size ends with {outputs} outputs, and y has {y.shape[1]} columns")
    names = ["TanSig"] * (len(hidden) + 1) if transf is None else [*transf]
    kinds = [printed.find("transf", name, TRANSFERS, REFUSED_TRANSFERS) for name in names]
    if len(kinds) != len(hidden) + 1:
        raise ValueError(f"transf has {len(kinds)} names, for {len(hidden) + 1} layers")
    low, high = common_range(minmax, x.shape[1])
    model = models.MLP(
        tuple(hidden),
        tuple(kinds[:-1]),
        outputs,
        initializer=models.initializer("neurolab", low=low, high=high),
        output_activation=kinds[-1],
    )
    chosen = dict(printed.find("trainf", trainf, TRAINERS, REFUSED_TRAINERS))
    given = {OPTIONS[name]: more.pop(name) for name in OPTIONS if name in more}
    chosen["options"] = {**chosen.get("options", {}), **given}
    n = len(x)
    fields: dict[str, Any] = {"model": model, "dtype": "float64"}
    if trainf == "train_bfgs":
        fields |= {"optimizer": "bfgs", "steps": 2 * epochs, "stop": quasi_newton_stop(n)}
        fields["options"] = {
            "abstol": goal,
            "reltol": 0.0,
            "maxit": float(epochs + 1),
            "first_step": FIRST,
        }
    elif adapt:
        fields |= chosen
        fields |= {"epochs": epochs, "batch_size": 1, "batches": "order"}
        fields["stop"] = stops.Below(of="loss", value=goal / n)
    else:
        fields |= chosen
        fields |= {"epochs": max(epochs - 1, 1), "reduction": "sum"}
        fields["stop"] = stops.Below(of="loss", value=goal / n)
    if lr is not None:
        fields["learning_rate"] = lr
    task = fits.task_of(x, y, loss=printed.SquaresOf(0.5), test=test)
    return Question(task, Recipe(**fields | more), NOTES)


def quasi_newton_stop(n: int) -> Any:
    """SciPy's bound on the gradient of the sum over n rows."""
    return stops.GradientNorm(below=GRADIENT / n, norm="max")


def common_range(minmax: Sequence[Sequence[float]], inputs: int) -> tuple[float, float]:
    """The range that all inputs have.

    Raises:
        ValueError: another number of ranges than of inputs, or ranges that differ.
    """
    if len(minmax) != inputs:
        raise ValueError(f"minmax has {len(minmax)} ranges, and x has {inputs} columns")
    ranges = {(float(low), float(high)) for low, high in minmax}
    if len(ranges) != 1:
        raise ValueError(
            f"minmax has ranges that differ: {sorted(ranges)}; give all inputs the same, and scale "
            "the columns of x before"
        )
    return ranges.pop()


NOTES = (
    "neurolab's error is half the sum of squares over all rows; the loss here is that per row.",
    "neurolab's BFGS is SciPy's, whose line search differs from the backtracking of R's here: "
    "single steps differ, and so may their number.",
)
CONVENTIONS = Conventions(
    "neurolab",
    "0.3.5 (numpy below 2)",
    {
        "first weights": "Nguyen-Widrow: size 0.7 n^(1/i) times half the active range.",
        "first biases": "equidistant, times the sign of the first weight.",
        "activations": "tanh, the outputs too.",
        "loss that is descended": "half the sum of squares over rows and outputs.",
        "loss that is reported": "the same sum.",
        "optimiser": "SciPy's BFGS; gradient descent 0.01 on the summed gradient.",
        "batches": "all rows; N epochs of gradient descent are N - 1 updates.",
        "scaling": "none; minmax scales first weights only.",
        "stopping": "error below 0.01 (absolute), or 500 epochs.",
        "precision": "float64.",
    },
    "three steps and 2,000 first networks recorded (tests/recorded/words).",
)
