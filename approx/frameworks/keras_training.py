"""Keras' losses, optimisers, schedules and callbacks, from dictionaries, as fields of a recipe."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from approx.frameworks import fits, labels
from approx.frameworks.chains import Layer
from approx.frameworks.labels import Meant
from approx.tasks import losses
from approx.training import schedules, stops, watching

# ---- optimisers ----------------------------------------------------------------------------------

# What every optimiser of Keras has, and our names; `use_ema` and its numbers are refused
EXTRAS = ("weight_decay", "clipnorm", "global_clipnorm", "clipvalue")
BETAS = {"beta_1": "b1", "beta_2": "b2", "epsilon": "eps"}
# Class, and (name here, our names of its numbers by theirs)
OPTIMIZERS: dict[str, tuple[str, dict[str, str]]] = {
    "SGD": ("sgd_keras", {"momentum": "momentum", "nesterov": "nesterov"}),
    "RMSprop": (
        "rmsprop_keras",
        {"rho": "decay", "momentum": "momentum", "epsilon": "eps", "centered": "centered"},
    ),
    "Adam": ("adam_keras", BETAS | {"amsgrad": "amsgrad"}),
    "AdamW": ("adamw_keras", BETAS | {"amsgrad": "amsgrad"}),
    "Adagrad": (
        "adagrad_keras",
        {"initial_accumulator_value": "initial_accumulator", "epsilon": "eps"},
    ),
    "Adadelta": ("adadelta_keras", {"rho": "rho", "epsilon": "eps"}),
    "Adamax": ("adamax_keras", BETAS),
    "Nadam": ("nadam_keras", BETAS),
    "Ftrl": (
        "ftrl_keras",
        {
            "learning_rate_power": "rate_power",
            "initial_accumulator_value": "initial_accumulator",
            "l1_regularization_strength": "l1",
            "l2_regularization_strength": "l2",
            "l2_shrinkage_regularization_strength": "l2_shrinkage",
            "beta": "beta",
        },
    ),
    "Lion": ("lion_keras", {"beta_1": "b1", "beta_2": "b2"}),
    "Lamb": ("lamb_keras", BETAS),
}
NEAREST_OPTIMIZERS = {
    "Adafactor": "Adam",
    "Muon": "AdamW",
    "ScheduleFreeAdamW": "AdamW",
    "LossScaleOptimizer": "the optimizer inside it",
}


def optimizer_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """The fields `optimizer`, `learning_rate`, `options` and `schedule` of a recipe.

    Args:
        said: class and configuration of the optimiser.

    Raises:
        ValueError: an optimiser or an option that cannot be translated.
    """
    kind, config = said["class_name"], said["config"]
    name, ours = fits.known("the optimizer", kind, OPTIMIZERS, NEAREST_OPTIMIZERS, "Keras")
    neutral = {"use_ema": False, "gradient_accumulation_steps": None, "loss_scale_factor": None}
    fits.refuse(f"the optimizer {kind}", config, neutral, "leave it out")
    options = {ours[each]: config[each] for each in ours if config.get(each) is not None}
    options |= {each: config[each] for each in EXTRAS if config.get(each) is not None}
    rate = config["learning_rate"]
    if isinstance(rate, Mapping):
        learning_rate, schedule = schedule_of(rate)
        found = {"learning_rate": learning_rate, "schedule": schedule}
    else:
        found = {"learning_rate": fits.shortest(rate)}
    return {"optimizer": name, "options": fits.given_options(name, options), **found}


# ---- schedules -----------------------------------------------------------------------------------


def schedule_of(said: Mapping[str, Any]) -> tuple[float, Any]:
    """The learning rate and the schedule of an optimiser.

    Args:
        said: class and configuration of a keras.optimizers.schedules object.

    Raises:
        ValueError: a schedule that cannot be translated.
    """
    kind, config = said["class_name"], said["config"]
    make = fits.known("the schedule", kind, SCHEDULES, {}, "Keras")
    if kind == "PiecewiseConstantDecay":
        return make(config)
    return config["initial_learning_rate"], make(config)


def exponential(config: Mapping[str, Any]) -> schedules.Schedule:
    """Keras' ExponentialDecay."""
    return schedules.Exponential(
        factor=config["decay_rate"],
        steps=config["decay_steps"],
        staircase=config.get("staircase", False),
    )


def inverse_time(config: Mapping[str, Any]) -> schedules.Schedule:
    """Keras' InverseTimeDecay."""
    return schedules.InverseTime(
        decay=config["decay_rate"],
        steps=config["decay_steps"],
        staircase=config.get("staircase", False),
    )


def polynomial(config: Mapping[str, Any]) -> schedules.Schedule:
    """Keras' PolynomialDecay, whose end is a learning rate."""
    return schedules.Polynomial(
        steps=config["decay_steps"],
        end=config.get("end_learning_rate", 1e-4) / config["initial_learning_rate"],
        power=config.get("power", 1.0),
        cycle=config.get("cycle", False),
    )


def cosine(config: Mapping[str, Any]) -> schedules.Schedule:
    """Keras' CosineDecay; with a warm-up it rises to `warmup_target`.

    Raises:
        ValueError: a first learning rate of 0, of which nothing is a share.
    """
    first, target = config["initial_learning_rate"], config.get("warmup_target")
    if not first:
        raise ValueError(
            "CosineDecay begins at 0, and a schedule is a share of its first learning rate here; "
            "give initial_learning_rate a small number, such as a thousandth of warmup_target"
        )
    rise = {}
    if target is not None and config.get("warmup_steps"):
        rise = {"warmup": config["warmup_steps"], "first": 1.0, "peak": target / first}
    end = config.get("alpha", 0.0)
    return schedules.Cosine(steps=config["decay_steps"], end=end, **rise)


def restarts(config: Mapping[str, Any]) -> schedules.Schedule:
    """Keras' CosineDecayRestarts."""
    return schedules.CosineRestarts(
        steps=config["first_decay_steps"],
        longer=config.get("t_mul", 2.0),
        lower=config.get("m_mul", 1.0),
        end=config.get("alpha", 0.0),
    )


def piecewise(config: Mapping[str, Any]) -> tuple[float, schedules.Schedule]:
    """Keras' PiecewiseConstantDecay: the first rate, and all rates as shares of it."""
    first = config["values"][0]
    factors = tuple(value / first for value in config["values"])
    return first, schedules.Piecewise(after=tuple(config["boundaries"]), factors=factors)


SCHEDULES: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "ExponentialDecay": exponential,
    "InverseTimeDecay": inverse_time,
    "PolynomialDecay": polynomial,
    "CosineDecay": cosine,
    "CosineDecayRestarts": restarts,
    "PiecewiseConstantDecay": piecewise,
}


# ---- callbacks -----------------------------------------------------------------------------------

# These do not change what is trained
SILENT = (
    "History",
    "ProgbarLogger",
    "CSVLogger",
    "ModelCheckpoint",
    "BackupAndRestore",
    "TensorBoard",
    "TerminateOnNaN",
)
NEAREST_CALLBACKS = {
    "LambdaCallback": "a metric of run(metrics=)",
    "SwapEMAWeights": "no average of the weights",
}
MONITORS = {
    "loss": "epoch_loss",
    "val_loss": "validation_loss",
    **dict.fromkeys(("acc", "accuracy", "binary_accuracy"), "epoch_accuracy"),
    **dict.fromkeys(("categorical_accuracy", "sparse_categorical_accuracy"), "epoch_accuracy"),
    **dict.fromkeys(("val_acc", "val_accuracy", "val_binary_accuracy"), "validation_accuracy"),
    "val_categorical_accuracy": "validation_accuracy",
    "val_sparse_categorical_accuracy": "validation_accuracy",
}


def rules_of(fields: Mapping[str, Any]) -> tuple[Any, ...]:
    """The rules among the fields of a recipe that look at the training."""
    return (*fields.get("stop", ()), *fields.get("plateau", ()))


def callbacks_of(said: Sequence[Mapping[str, Any]], per_epoch: int, rate: float) -> dict[str, Any]:
    """The fields `stop`, `plateau` and `schedule` of a recipe.

    Args:
        said: the callbacks as dictionaries.
        per_epoch: steps of an epoch.
        rate: the learning rate of the recipe.

    Raises:
        ValueError: a callback that cannot be translated.
    """
    fields: dict[str, Any] = {}
    for one in said:
        kind, config = one["class_name"], one["config"]
        if kind in SILENT:
            continue
        make = fits.known("the callback", kind, CALLBACKS, NEAREST_CALLBACKS, "Keras")
        field, value = make(config, per_epoch, rate)
        if field in fields and field == "schedule":
            raise ValueError("there are two LearningRateSchedulers; give one")
        fields[field] = value if field == "schedule" else (*fields.get(field, ()), value)
    return fields


def monitored(config: Mapping[str, Any]) -> str:
    """The quantity that a callback looks at, by its name here.

    Raises:
        ValueError: a metric that is not recorded here, or a mode against the quantity's direction.
    """
    of = fits.known("the monitor", config.get("monitor", "val_loss"), MONITORS, {}, "Keras")
    mode, right = config.get("mode", "auto"), "max" if of in watching.RISING else "min"
    if mode not in ("auto", right):
        raise ValueError(f"mode={mode!r} of the monitor {config['monitor']!r} must be {right!r}")
    return of


def early_stopping(config: Mapping[str, Any], *_: Any) -> tuple[str, Any]:
    """Keras' EarlyStopping."""
    return "stop", stops.Patience(
        of=monitored(config),
        patience=config.get("patience", 0),
        min_delta=abs(config.get("min_delta", 0.0)),
        restore_best=config.get("restore_best_weights", False),
        start_from=config.get("start_from_epoch", 0),
        baseline=config.get("baseline"),
    )


def reduce_on_plateau(config: Mapping[str, Any], *_: Any) -> tuple[str, Any]:
    """Keras' ReduceLROnPlateau."""
    return "plateau", stops.ReduceRate(
        of=monitored(config),
        factor=config.get("factor", 0.1),
        patience=config.get("patience", 10),
        min_delta=abs(config.get("min_delta", 1e-4)),
        cooldown=config.get("cooldown", 0),
        min_rate=config.get("min_lr", 0.0),
        convention="keras",
    )


def rate_of_epochs(config: Mapping[str, Any], per_epoch: int, rate: float) -> tuple[str, Any]:
    """Keras' LearningRateScheduler, as a table of its rates."""
    factors = tuple(each / rate for each in config["rates"])
    return "schedule", fits.Table(factors, per_epoch)


CALLBACKS: dict[str, Callable[..., tuple[str, Any]]] = {
    "EarlyStopping": early_stopping,
    "ReduceLROnPlateau": reduce_on_plateau,
    "LearningRateScheduler": rate_of_epochs,
}


# ---- losses --------------------------------------------------------------------------------------

# Keras' class or word, without underscores and in small letters, and our name
PLAIN_LOSSES = {
    **dict.fromkeys(("mse", "meansquarederror"), "mse"),
    **dict.fromkeys(("mae", "meanabsoluteerror"), "mae"),
    **dict.fromkeys(("mape", "meanabsolutepercentageerror"), "mape"),
    **dict.fromkeys(("msle", "meansquaredlogarithmicerror"), "msle"),
    **dict.fromkeys(("logcosh",), "log_cosh"),
    **dict.fromkeys(("kld", "kldivergence", "kullbackleiblerdivergence"), "kl_divergence"),
    "poisson": "poisson",
}
NEAREST_LOSSES = {
    "binaryfocalcrossentropy": "BinaryCrossentropy",
    "categoricalfocalcrossentropy": "CategoricalCrossentropy",
    "categoricalgeneralizedcrossentropy": "CategoricalCrossentropy",
    "cosinesimilarity": "MeanSquaredError",
    "ctc": "CategoricalCrossentropy",
    "dice": "BinaryCrossentropy",
    "tversky": "BinaryCrossentropy",
}


def loss_of(said: Mapping[str, Any], layers: Sequence[Layer], y: Any) -> Meant:
    """What a loss of Keras becomes.

    Args:
        said: its name and its numbers.
        layers: of the network.
        y: the targets.

    Raises:
        ValueError: a loss or an option that cannot be translated.
    """
    name = said["name"].replace("_", "").lower()
    neutral = {"reduction": "sum_over_batch_size", "axis": -1, "ignore_class": None}
    if said.get("reduction") == "mean":
        neutral["reduction"] = "mean"
    fits.refuse(f"the loss {said['name']!r}", said, neutral, "leave it out")
    y = fits.as_array(y, "y")
    make = fits.known(f"the loss {said['name']!r}:", name, LOSSES, NEAREST_LOSSES, "Keras")
    return make(said, layers, y)


def plain_loss(name: str) -> Callable[..., Meant]:
    """The translation of a loss without numbers."""

    def make(said: Mapping[str, Any], layers: Sequence[Layer], y: np.ndarray) -> Meant:
        return Meant(name, labels.as_columns(y, labels.outputs_of(layers)), layers)

    return make


def huber(said: Mapping[str, Any], layers: Sequence[Layer], y: np.ndarray) -> Meant:
    """Keras' Huber: a half of the square up to delta, a line beyond."""
    y = labels.as_columns(y, labels.outputs_of(layers))
    return Meant(losses.with_numbers("huber", delta=said.get("delta", 1.0)), y, layers)


def hinge(name: str) -> Callable[..., Meant]:
    """The translation of a hinge loss, which takes labels 0 and 1 for -1 and 1."""

    def make(said: Mapping[str, Any], layers: Sequence[Layer], y: np.ndarray) -> Meant:
        y = labels.as_floats(labels.as_columns(y, labels.outputs_of(layers)))
        signs = y if y.min() < 0 else 2 * y - 1
        if set(np.unique(signs)) - {-1.0, 1.0}:
            raise ValueError(
                f"the loss {said['name']!r} is of labels -1 and 1, or 0 and 1; others cannot be "
                "translated"
            )
        return Meant(name, signs, layers)

    return make


def binary_cross_entropy(said: Mapping[str, Any], layers: Sequence[Layer], y: np.ndarray) -> Meant:
    """Keras' BinaryCrossentropy, of probabilities that are clipped, or of logits."""
    y = labels.as_floats(labels.as_columns(y, labels.outputs_of(layers)))
    share = said.get("label_smoothing", 0.0)
    y = y * (1 - share) + 0.5 * share
    if said.get("from_logits"):
        return Meant("binary_cross_entropy", y, layers)
    return Meant("probability_binary_cross_entropy", y, layers)


def cross_entropy(said: Mapping[str, Any], layers: Sequence[Layer], y: np.ndarray) -> Meant:
    """Keras' CategoricalCrossentropy, of probabilities that are clipped, or of logits."""
    y = labels.as_floats(labels.as_columns(y, labels.outputs_of(layers)))
    y = labels.smoothed(y, said.get("label_smoothing", 0.0))
    loss = "soft_cross_entropy" if said.get("from_logits") else "probability_cross_entropy"
    return Meant(loss, y, layers)


def sparse_cross_entropy(said: Mapping[str, Any], layers: Sequence[Layer], y: np.ndarray) -> Meant:
    """Keras' SparseCategoricalCrossentropy, of integer labels."""
    classes = labels.outputs_of(layers)
    if said.get("from_logits"):
        return Meant("cross_entropy", labels.as_labels(y, classes), layers)
    rows = labels.one_hot(y.reshape(-1, 1), classes)
    return Meant("probability_cross_entropy", rows, layers)


LOSSES: dict[str, Callable[..., Meant]] = {
    **{name: plain_loss(ours) for name, ours in PLAIN_LOSSES.items()},
    "huber": huber,
    "huberloss": huber,
    "hinge": hinge("hinge"),
    "squaredhinge": hinge("squared_hinge"),
    **dict.fromkeys(("binarycrossentropy", "bce"), binary_cross_entropy),
    "categoricalcrossentropy": cross_entropy,
    "categoricalhinge": plain_loss("categorical_hinge"),
    "sparsecategoricalcrossentropy": sparse_cross_entropy,
}
