"""PyTorch's losses, optimisers and schedulers, from dictionaries, as fields of task and recipe."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from approx.frameworks import fits, labels
from approx.frameworks.chains import Layer
from approx.frameworks.labels import Meant
from approx.tasks import losses
from approx.training import stops

# ---- optimisers ----------------------------------------------------------------------------------

ADAM = {"betas": ("b1", "b2"), "eps": "eps", "weight_decay": "weight_decay", "amsgrad": "amsgrad"}
DECOUPLED = {"decoupled_weight_decay": "decoupled"}
# Class, and (name here, our names of its numbers by theirs)
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "SGD": (
        "sgd",
        {
            "momentum": "momentum",
            "dampening": "dampening",
            "weight_decay": "weight_decay",
            "nesterov": "nesterov",
        },
    ),
    "Adam": ("adam", ADAM),
    "AdamW": ("adamw", ADAM),
    "Adagrad": (
        "adagrad",
        {
            "lr_decay": "rate_decay",
            "eps": "eps",
            "weight_decay": "weight_decay",
            "initial_accumulator_value": "initial_accumulator",
        },
    ),
    "Adadelta": ("adadelta", {"rho": "rho", "eps": "eps", "weight_decay": "weight_decay"}),
    "Adamax": ("adamax", {name: ADAM[name] for name in ("betas", "eps", "weight_decay")}),
    "NAdam": (
        "nadam",
        {name: ADAM[name] for name in ("betas", "eps", "weight_decay")}
        | DECOUPLED
        | {"momentum_decay": "momentum_decay"},
    ),
    "RAdam": ("radam", {name: ADAM[name] for name in ("betas", "eps", "weight_decay")} | DECOUPLED),
    "RMSprop": (
        "rmsprop",
        {
            "alpha": "decay",
            "eps": "eps",
            "momentum": "momentum",
            "weight_decay": "weight_decay",
            "centered": "centered",
        },
    ),
    "Rprop": ("rprop", {"etas": ("shrink", "grow"), "step_sizes": ("shortest", "longest")}),
    "ASGD": ("asgd", {"lambd": "lambd", "alpha": "alpha", "weight_decay": "weight_decay"}),
    "LBFGS": (
        "lbfgs_torch",
        {
            "tolerance_grad": "tolerance_grad",
            "tolerance_change": "tolerance_change",
            "history_size": "memory_size",
        },
    ),
}
NEAREST_OPTIMIZERS = {"Adafactor": "Adam", "Muon": "AdamW", "SparseAdam": "Adam"}


def optimizer_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """The fields `optimizer`, `learning_rate` and `options` of a recipe.

    Raises:
        ValueError: an optimiser or an option that cannot be translated.
    """
    kind = said["class_name"]
    name, ours = fits.known("the optimizer", kind, OPTIMIZERS, NEAREST_OPTIMIZERS, "PyTorch")
    what = f"the optimizer {kind}"
    fits.refuse(what, said, {"maximize": False, "line_search_fn": None}, "leave it out")
    if kind == "Adam" and said.get("decoupled_weight_decay"):
        name = "adamw"
    options: dict[str, Any] = {}
    for theirs, mine in ours.items():
        if isinstance(mine, tuple):
            options |= dict(zip(mine, said[theirs], strict=True))
        elif theirs in said:
            options[mine] = said[theirs]
    kept = fits.given_options(name, options)
    if kind == "ASGD" and said["t0"] < 1e6:
        raise ValueError(
            f"the optimizer ASGD has t0={said['t0']}; it averages the weights from that step on, "
            "but does not train with the average: leave it out"
        )
    return {"optimizer": name, "learning_rate": float(said["lr"]), "options": kept}


def length_of(said: Mapping[str, Any], epochs: int) -> dict[str, int]:
    """The field `epochs` of a recipe, or `steps` for LBFGS, which makes several in one.

    They are `max_iter`, or less where `max_eval` evaluations are too few for them: there is one
    before the first, and one after each but the last.
    """
    if said["class_name"] != "LBFGS":
        return {"epochs": epochs}
    inner = min(said["max_iter"], max(1, said["max_eval"] - 1))
    return {"steps": epochs * inner}


# ---- schedulers ----------------------------------------------------------------------------------


EVERY = ("epoch", "step")  # how often a loop calls scheduler.step()


def scheduler_of(said: Mapping[str, Any] | None, per_epoch: int, validated: bool) -> dict[str, Any]:
    """The field `schedule` or `plateau` of a recipe; none without a scheduler.

    Args:
        said: a scheduler with the table of its factors, or ReduceLROnPlateau.
        per_epoch: steps of an epoch.
        validated: whether there are validation rows, at whose loss ReduceLROnPlateau then looks.

    Raises:
        ValueError: another word than "epoch" and "step".
    """
    if said is None:
        return {}
    if said["class_name"] == "ReduceLROnPlateau":
        of = "validation_loss" if validated else "epoch_loss"
        return {"plateau": plateau_of(said, of)}
    every = said.get("every", "epoch")
    if every not in EVERY:
        raise ValueError(f"scheduler_every is {every!r}; there is: {', '.join(EVERY)}")
    return {"schedule": fits.Table(tuple(said["factors"]), 1 if every == "step" else per_epoch)}


def plateau_of(said: Mapping[str, Any], of: str) -> stops.ReduceRate:
    """PyTorch's ReduceLROnPlateau, told a quantity after each epoch.

    Args:
        said: its numbers.
        of: the quantity, see `stops`.

    Raises:
        ValueError: a mode for a quantity that rises; another least change of the rate than 1e-8.
    """
    fits.refuse("ReduceLROnPlateau", said, {"eps": 1e-8}, "leave it out")
    if said["mode"] != "min":
        raise ValueError(f"ReduceLROnPlateau has mode={said['mode']!r}; only 'min' is supported")
    return stops.ReduceRate(
        of=of,
        factor=said["factor"],
        patience=said["patience"],
        min_delta=said["threshold"],
        relative=said["threshold_mode"] == "rel",
        cooldown=said["cooldown"],
        min_rate=said["min_lrs"][0],
        convention="torch",
    )


# ---- losses --------------------------------------------------------------------------------------


def loss_of(said: Mapping[str, Any], layers: Sequence[Layer], y: Any) -> Meant:
    """What a loss module becomes.

    Args:
        said: its class and its numbers.
        layers: of the network.
        y: the targets.

    Raises:
        ValueError: a loss or an option that cannot be translated.
    """
    kind = said["class_name"]
    make = fits.known("the loss", kind, LOSSES, NEAREST_LOSSES, "PyTorch")
    neutral = dict.fromkeys(("weight", "pos_weight"), None)
    fits.refuse(f"the loss {kind}", said, neutral, "all rows and classes count alike")
    if said["reduction"] not in ("mean", "sum"):
        raise ValueError(f"the loss {kind} has reduction={said['reduction']!r}; give mean or sum")
    meant = make(said, layers, fits.as_array(y, "y"))
    if said["reduction"] == "mean":
        return meant
    if kind not in OF_CLASSES and labels.outputs_of(layers) > 1:
        raise ValueError(
            f"the loss {kind} sums over {labels.outputs_of(layers)} outputs too, which is not "
            "supported; nearest is reduction='mean' with a learning rate as many times larger"
        )
    note = "The sum over the rows of a batch is descended; losses here are per row."
    return meant._replace(recipe={"reduction": "sum"}, notes=(*meant.notes, note))


def of_columns(name: str, **numbers: str) -> Callable[..., Meant]:
    """The translation of a loss of outputs against targets of the same shape.

    Args:
        name: our name.
        numbers: our names of its numbers, by PyTorch's.
    """

    def make(said: Mapping[str, Any], layers: Sequence[Layer], y: np.ndarray) -> Meant:
        y = labels.as_floats(labels.as_columns(y, labels.outputs_of(layers)))
        given = {ours: said[theirs] for theirs, ours in numbers.items()}
        return Meant(losses.with_numbers(name, **given) if given else name, y, layers)

    return make


def cross_entropy(said: Mapping[str, Any], layers: Sequence[Layer], y: np.ndarray) -> Meant:
    """PyTorch's CrossEntropyLoss, of labels or of probabilities, from logits."""
    classes = labels.outputs_of(layers)
    share = said.get("label_smoothing", 0.0)
    if y.ndim == 1 and not share:
        return Meant("cross_entropy", labels.as_labels(y, classes), layers)
    y = labels.as_columns(labels.one_hot(y, classes), classes)
    return Meant("soft_cross_entropy", labels.smoothed(y, share), layers)


def negative_log_likelihood(
    said: Mapping[str, Any], layers: Sequence[Layer], y: np.ndarray
) -> Meant:
    """PyTorch's NLLLoss after a LogSoftmax: the cross-entropy of the logits before it.

    Raises:
        ValueError: no LogSoftmax at the end.
    """
    if labels.last_activation(layers) != "log_softmax":
        raise ValueError("the loss NLLLoss needs a LogSoftmax as the last layer")
    note = "The last LogSoftmax is part of the loss here, so outputs are logits."
    meant = cross_entropy(said, layers[:-1], y)
    return meant._replace(notes=(note,))


def poisson(said: Mapping[str, Any], layers: Sequence[Layer], y: np.ndarray) -> Meant:
    """PyTorch's PoissonNLLLoss: `e^z - y z` of the logarithm z of the rate."""
    fits.refuse("the loss PoissonNLLLoss", said, {"full": False}, "leave it out")
    if not said["log_input"]:
        raise ValueError("the loss PoissonNLLLoss has log_input=False; give it the logarithm")
    return of_columns("poisson_log")(said, layers, y)


def of_probabilities(said: Mapping[str, Any], layers: Sequence[Layer], y: np.ndarray) -> Meant:
    """PyTorch's BCELoss, which refuses outputs that are no probabilities.

    Raises:
        ValueError: a last layer whose outputs may lie outside [0, 1].
    """
    last = labels.last_activation(layers)
    if last not in PROBABILITIES:
        raise ValueError(
            f"the loss BCELoss is of probabilities, and the last layer gives {last or 'numbers'}; "
            "put a Sigmoid there, or give BCEWithLogitsLoss"
        )
    return of_columns("probability_binary_cross_entropy")(said, layers, y)


PROBABILITIES = ("sigmoid", "hard_sigmoid", "softmax")
OF_CLASSES = ("CrossEntropyLoss", "NLLLoss")
LOSSES: dict[str, Callable[..., Meant]] = {
    "MSELoss": of_columns("mse"),
    "L1Loss": of_columns("mae"),
    "HuberLoss": of_columns("huber", delta="delta"),
    "SmoothL1Loss": of_columns("smooth_l1", beta="beta"),
    "BCEWithLogitsLoss": of_columns("binary_cross_entropy"),
    "BCELoss": of_probabilities,
    "CrossEntropyLoss": cross_entropy,
    "NLLLoss": negative_log_likelihood,
    "PoissonNLLLoss": poisson,
}
NEAREST_LOSSES = {
    "KLDivLoss": "CrossEntropyLoss with probabilities as targets",
    "MultiMarginLoss": "CrossEntropyLoss",
    "MultiLabelSoftMarginLoss": "BCEWithLogitsLoss",
    "SoftMarginLoss": "BCEWithLogitsLoss with labels 0 and 1",
    "HingeEmbeddingLoss": "BCEWithLogitsLoss with labels 0 and 1",
    "GaussianNLLLoss": "MSELoss",
}
