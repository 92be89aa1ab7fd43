"""PyTorch's objects as plain dictionaries, without importing it, for `pytorch.translated`."""

import copy
import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

PLAIN = (int, float, str, bool)


def described(module: Any, optimizer: Any, loss: Any) -> dict[str, Any]:
    """Module, optimiser and loss as dictionaries and numbers.

    Args:
        module: an `nn.Sequential`.
        optimizer: of `torch.optim`, with the module's parameters.
        loss: a loss module such as `nn.MSELoss()`.

    Raises:
        TypeError: something that is none of these.
        ValueError: parameter groups whose numbers differ, or that are not the module's parameters.
    """
    layers = layers_of(module)
    if not hasattr(loss, "named_buffers"):
        name = getattr(loss, "__name__", type(loss).__name__)
        raise TypeError(
            f"the loss {name} is no loss module; give one, such as torch.nn.MSELoss() for mse_loss"
        )
    if isinstance(loss, type):
        raise TypeError(f"the loss {loss.__name__} is a class; give an object, {loss.__name__}()")
    count = sum(1 for _ in module.parameters()) if hasattr(module, "parameters") else 0
    trained = sum(len(group["params"]) for group in getattr(optimizer, "param_groups", []))
    if trained != count and hasattr(optimizer, "param_groups"):
        raise ValueError(
            f"the optimizer has {trained} arrays of parameters and the module {count}; give it "
            "model.parameters()"
        )
    check_parameters(module, optimizer)
    return {
        "layers": layers,
        "dtype": dtype_of(module),
        "optimizer": described_optimizer(optimizer),
        "loss": {"class_name": type(loss).__name__, **attributes(loss), **buffers(loss)},
    }


def dtype_of(module: Any) -> str:
    """The precision of a module's parameters.

    Raises:
        ValueError: half precision, or several precisions.
    """
    found = sorted({str(each.dtype).removeprefix("torch.") for each in module.parameters()})
    if found not in (["float32"], ["float64"], []):
        raise ValueError(f"the parameters are {', '.join(found)}; there is: float32, float64")
    return found[0] if found else "float32"


def check_parameters(module: Any, optimizer: Any) -> None:
    """Refuse an optimiser that has parameters of another module.

    Raises:
        ValueError: it says so.
    """
    own = {id(each) for each in module.parameters()}
    groups = getattr(optimizer, "param_groups", [])
    if any(id(each) not in own for group in groups for each in group["params"]):
        raise ValueError(
            "the optimizer has the parameters of another module; give it model.parameters()"
        )


def layers_of(module: Any) -> list[dict[str, Any]]:
    """The layers of an `nn.Sequential`, inner ones unfolded.

    Raises:
        TypeError: a module whose forward pass is code of one's own.
        ValueError: a layer that stands twice, or that has a hook.
    """
    kind = type(module).__name__
    if kind != "Sequential":
        if not hasattr(module, "named_children"):
            raise TypeError(f"{kind} is no PyTorch module; give an nn.Sequential")
        if next(module.named_children(), None) is not None:
            raise TypeError(
                f"{kind} is a module with a forward pass of its own, which cannot be read; give an "
                "nn.Sequential of the same layers"
            )
        check_hooks(module)
        return [described_layer(module)]
    check_hooks(module)
    children = list(module)
    trained = [child for child in children if next(child.parameters(), None) is not None]
    if len({id(child) for child in trained}) < len(trained):
        raise ValueError(
            "a layer stands twice in the nn.Sequential and shares its weights, which is not "
            "supported; give each its own"
        )
    found = []
    for child in children:
        found += layers_of(child)
    return found


def check_hooks(module: Any) -> None:
    """Refuse a module whose hooks compute something that cannot be read.

    Raises:
        ValueError: with the class of the module.
    """
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    if any(getattr(module, kind, None) for kind in kinds):
        raise ValueError(
            f"{type(module).__name__} has a hook, whose code cannot be read; remove it, also "
            "where it is a parametrization such as weight_norm"
        )


def described_layer(layer: Any) -> dict[str, Any]:
    """One layer by its class, its numbers, and its arrays as lists."""
    one = {"class_name": type(layer).__name__, **attributes(layer)}
    arrays = {**named_arrays(layer.named_parameters()), **buffers(layer)}
    frozen = [name for name, each in layer.named_parameters() if not each.requires_grad]
    if frozen:
        one["frozen"] = frozen
    if arrays:
        one["weights"] = arrays
    return one


def attributes(module: Any) -> dict[str, Any]:
    """The plain attributes of a module: numbers, words, and tuples of numbers."""
    found: dict[str, Any] = {}
    for name, value in vars(module).items():
        if name.startswith("_") or name in ("training", "inplace"):
            continue
        if isinstance(value, PLAIN):
            found[name] = value
        elif isinstance(value, tuple):
            found[name] = list(value)
    return found


def buffers(module: Any) -> dict[str, Any]:
    """The arrays of a module that are no parameters."""
    return named_arrays((name, each) for name, each in module.named_buffers() if each is not None)


def named_arrays(pairs: Any) -> dict[str, Any]:
    """Tensors as nested lists."""
    return {name: np.asarray(each.detach().cpu()).tolist() for name, each in pairs}


def described_optimizer(optimizer: Any) -> dict[str, Any]:
    """An optimiser by its class and the numbers of its parameter groups.

    Raises:
        TypeError: no optimiser.
        ValueError: parameter groups whose numbers differ.
    """
    groups = getattr(optimizer, "param_groups", None)
    if not groups:
        raise TypeError(
            f"{optimizer!r} is no optimiser; give one with the module's parameters, such as "
            "torch.optim.Adam(model.parameters())"
        )
    numbers = [numbers_of(group) for group in groups]
    for other in numbers[1:]:
        differing = [name for name in numbers[0] if numbers[0][name] != other[name]]
        if differing:
            raise ValueError(
                f"the optimizer's parameter groups differ in {', '.join(differing)}; all "
                "parameters must be trained alike here"
            )
    return {"class_name": type(optimizer).__name__, **numbers[0]}


def numbers_of(group: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of a parameter group; the learning rate is that before any scheduler."""
    found = {name: group[name] for name in group if name != "params" and group[name] is not None}
    if "initial_lr" in found:
        found["lr"] = found.pop("initial_lr")
    if hasattr(found["lr"], "item"):
        found["lr"] = found["lr"].item()
    plain = {name: value for name, value in found.items() if isinstance(value, (*PLAIN, tuple))}
    return {name: list(each) if isinstance(each, tuple) else each for name, each in plain.items()}


def tabulated(optimizer: Any, scheduler: Any, calls: int) -> list[float]:
    """The learning rate after each of so many calls of a scheduler, as a share of the first rate.

    Copies of both objects are stepped, so that every scheduler that does not look at the training
    is exact.

    Raises:
        ValueError: a scheduler that looks at the loss, or that moves a momentum too.
    """
    kind = type(scheduler).__name__
    optimizer, scheduler = copy.deepcopy((optimizer, scheduler))
    group = optimizer.param_groups[0]
    base = group.get("initial_lr", group["lr"])
    others = {name: group[name] for name in ("momentum", "betas") if name in group}
    factors = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(calls):
            factors.append(float(group["lr"]) / base)
            scheduler.step()
    for name, before in others.items():
        if group[name] != before:
            raise ValueError(
                f"the scheduler {kind} moves {name} too; only the learning rate can follow a "
                "schedule here: say cycle_momentum=False"
            )
    if not all(map(math.isfinite, factors)):
        raise ValueError(f"the scheduler {kind} gives a learning rate that is not finite")
    return factors


def described_scheduler(optimizer: Any, scheduler: Any, calls: int) -> dict[str, Any]:
    """A scheduler by its class and its numbers, or by the table of its learning rates.

    Args:
        optimizer: whose learning rate it moves.
        scheduler: of `torch.optim.lr_scheduler`.
        calls: how many of its learning rates are needed.

    Raises:
        TypeError: no scheduler.
        ValueError: a scheduler of another optimiser.
    """
    kind = type(scheduler).__name__
    if not hasattr(scheduler, "step"):
        raise TypeError(f"{scheduler!r} is no scheduler of torch.optim.lr_scheduler")
    if scheduler.optimizer is not optimizer:
        raise ValueError(f"the scheduler {kind} moves the rate of another optimizer")
    if kind == "ReduceLROnPlateau":
        return {"class_name": kind, **attributes(scheduler), "min_lrs": list(scheduler.min_lrs)}
    return {"class_name": kind, "factors": tabulated(optimizer, scheduler, calls)}
