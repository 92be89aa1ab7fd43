"""Keras' objects as plain dictionaries, without importing it, for `keras.translated`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def described(model: Any) -> dict[str, Any]:
    """A compiled model as dictionaries and numbers: its layers, their weights, optimiser and loss.

    Args:
        model: a Sequential or functional model.

    Raises:
        TypeError: no Keras model.
        ValueError: a model that is not compiled, or no chain of layers; a weight of the loss.
    """
    if not hasattr(model, "get_compile_config") or not hasattr(model, "layers"):
        raise TypeError(
            f"{type(model).__name__} is no Keras model: give a compiled keras.Sequential, or a "
            "keras.Model that is a chain of layers"
        )
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or model.loss is None:
        raise ValueError(
            "the model has no optimizer or no loss: say model.compile(optimizer, loss) before"
        )
    if not getattr(model, "built", True) or not model.layers:
        raise ValueError("the model has no weights yet: give it keras.Input((columns,)) first")
    weights = getattr(getattr(model, "_compile_loss", None), "_user_loss_weights", None)
    if weights is not None:
        raise ValueError(
            f"the model was compiled with loss_weights={weights!r}, which is not supported; leave "
            "it out, and multiply the learning rate of SGD by it instead"
        )
    return {
        "layers": layers_of(model),
        "optimizer": {
            "class_name": type(optimizer).__name__,
            "config": pruned(optimizer.get_config()),
        },
        "loss": described_loss(model.loss),
    }


def layers_of(model: Any) -> list[dict[str, Any]]:
    """The layers of a chain, inner models unfolded, in the order in which data go through them.

    Raises:
        ValueError: a layer with several inputs, or with one that is not the layer before; a
            function of one's own.
    """
    try:
        config = model.get_config()
    except OSError as error:  # Keras reads the source of a lambda
        raise ValueError(
            "the model holds a function of your own, which cannot be read; give Keras' activations "
            "and initialisers by name"
        ) from error
    if "layers" not in config:
        raise ValueError(
            f"{type(model).__name__} says nothing of its layers in get_config(), as a class "
            "of one's own does; a keras.Sequential of the same layers can be given"
        )
    check_chain(config["layers"])
    found = []
    for layer, said in zip(model.layers, visible(config["layers"], model), strict=True):
        if hasattr(layer, "get_compile_config"):
            found += layers_of(layer)
            continue
        one = {"class_name": type(layer).__name__, "config": pruned(said["config"])}
        weights = [np.asarray(array).tolist() for array in layer.get_weights()]
        if weights:
            one["weights"] = weights
        found.append(one)
    return found


def visible(configs: Sequence[Mapping[str, Any]], model: Any) -> list[Mapping[str, Any]]:
    """The configurations of those layers that `model.layers` has.

    A Sequential leaves the input out of its `layers`.
    """
    names = {layer.name for layer in model.layers}
    return [one for one in configs if one["config"].get("name") in names]


def check_chain(configs: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a functional model that is no chain.

    Raises:
        ValueError: with the layer that has several inputs, or another one than the layer before.
    """
    before = None
    for one in configs:
        nodes = one.get("inbound_nodes")
        if nodes is None:  # of a Sequential
            return
        sources = re.findall(r"'keras_history': \[\s*'([^']*)'", repr(nodes))
        if before is not None and sources != [before]:
            raise ValueError(
                f"layer {one['name']!r} ({one['class_name']}) takes {sources or 'no layer'}, not "
                f"the layer before it, {before!r}: only chains of layers can be translated"
            )
        before = one["name"]


def pruned(value: Any) -> Any:
    """A configuration without what says nothing: modules, registered names, and what is None."""
    if isinstance(value, Mapping):
        if value.get("class_name") == "DTypePolicy":
            return value["config"]["name"]
        dropped = ("module", "registered_name", "build_config", "seed")
        kept = {name: pruned(each) for name, each in value.items() if name not in dropped}
        return {name: each for name, each in kept.items() if each is not None}
    if isinstance(value, list | tuple):
        return [pruned(each) for each in value]
    if hasattr(value, "tolist"):
        return value.tolist()
    return value


def described_loss(loss: Any) -> dict[str, Any]:
    """A loss by its name and its numbers.

    Raises:
        ValueError: several losses, or a function of one's own.
    """
    if isinstance(loss, str):
        return {"name": loss}
    if isinstance(loss, Mapping | list | tuple):
        raise ValueError("the model has several losses; only one output with one loss can be given")
    kind = type(loss)
    if kind.__module__.startswith("keras."):
        # Not get_config(): Huber's leaves its delta out (Keras 3.15.1)
        numbers = dict(getattr(loss, "_fn_kwargs", {}))
        return {"name": kind.__name__, "reduction": loss.reduction, **pruned(numbers)}
    name = getattr(loss, "__name__", kind.__name__)
    if getattr(loss, "__module__", "").startswith("keras."):
        return {"name": name}
    raise ValueError(
        f"the loss {name!r} is a function of your own, which computes with Keras' numbers. Compile "
        "with one of Keras' losses, and give the task yours as a function (outputs, targets) -> "
        "(n,) of JAX numbers: dataclasses.replace(question.task, loss=...)"
    )


def listed(callbacks: Any) -> list[Any]:
    """Callbacks as `fit` takes them: None, one, or several.

    Raises:
        TypeError: something that is no callback.
    """
    if callbacks is None:
        return []
    found = list(callbacks) if isinstance(callbacks, list | tuple) else [callbacks]
    for one in found:
        if isinstance(one, type) or not hasattr(one, "on_epoch_end"):
            raise TypeError(
                f"{one!r} is no callback; give an object, such as keras.callbacks.EarlyStopping()"
            )
    return found


def described_callback(callback: Any, epochs: int, rate: Any) -> dict[str, Any]:
    """A callback by its class and its plain attributes; a function of the epoch by its values.

    Args:
        callback: of keras.callbacks.
        epochs: of the training.
        rate: the learning rate before the training.

    Raises:
        ValueError: a learning rate of a schedule's own, which no callback can set.
    """
    kind = type(callback).__name__
    plain = (int, float, str, bool)
    said: dict[str, Any] = {
        name: value
        for name, value in vars(callback).items()
        if not name.startswith("_") and isinstance(value, plain)
    }
    if kind == "LearningRateScheduler":
        if not isinstance(rate, int | float):
            raise ValueError(
                "the LearningRateScheduler sets the learning rate of an optimizer that has a "
                "schedule of its own; Keras allows one of them"
            )
        said["rates"] = rates_of(callback.schedule, epochs, rate)
    return {"class_name": kind, "config": said}


def rates_of(schedule: Any, epochs: int, rate: float) -> list[float]:
    """The learning rate of every epoch by a function (epoch, rate before) or (epoch)."""
    found = []
    for epoch in range(epochs):
        try:
            rate = float(schedule(epoch, rate))
        except TypeError:
            rate = float(schedule(epoch))
        found.append(rate)
    return found
