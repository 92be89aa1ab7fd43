"""Hidden layers in a change: one number for all their widths, and how many of them there are."""

from collections.abc import Mapping
from typing import Any

from approx.changes import names
from approx.sweep import numbers
from approx.tasks import shortened
from approx.training.recorded_steps import is_whole

DEPTH = "depth"  # no field of a model: how often a hidden width is repeated
WIDTHS = ("widths", "model.widths")


def resolved(change: Mapping[str, Any], model: Any) -> dict[str, Any]:
    """A change in which `widths` is a tuple, and `depth` has become a part of it.

    `widths=n` gives every hidden layer n units: as many layers as `depth` says, else as many as the
    model has, or one if it has none. `depth=d` makes d hidden layers of the width that the change
    or else the model has. Models without a field `widths`, and those with a field `depth` of their
    own, are left alone.

    Args:
        change: values by names.
        model: that the change alters.

    Raises:
        ValueError: a depth that is no whole number, or that would have to repeat several widths.

    Example:
        `resolved({"widths": 8, "depth": 2}, MLP((10,)))` is `{"widths": (8, 8)}`.

    """
    own = [name for each in numbers.nested(model) for name in names.model_fields(each)]
    written = [name for name in WIDTHS if name in change]
    asks_for_depth = DEPTH in change and DEPTH not in own
    if "widths" not in own or len(written) > 1 or not (written or asks_for_depth):
        return dict(change)
    found = dict(change)
    name = written[0] if written else "model.widths"
    has = widths_of(model)
    asked = found.get(name, has)
    if asks_for_depth:
        asked = repeated(asked, found.pop(DEPTH))
    elif is_whole(asked):
        asked = (int(asked),) * max(1, len(has))
    found[name] = asked
    return found


def widths_of(model: Any) -> tuple[int, ...]:
    """The hidden widths of the outermost of the nested models that has such."""
    for each in numbers.nested(model):
        if "widths" in names.model_fields(each):
            found = each.widths
            return (found,) if is_whole(found) else tuple(found)
    return ()


def repeated(widths: Any, depth: Any) -> tuple[int, ...]:
    """So many layers of one width.

    Raises:
        ValueError: no whole number of layers; several widths, or none that could be repeated.
    """
    if not (is_whole(depth) and depth >= 0):
        raise ValueError(f"depth is {shortened(depth)}; it must be a whole number of hidden layers")
    if is_whole(widths):
        return (int(widths),) * int(depth)
    different = sorted(set(widths))
    if len(different) > 1:
        raise ValueError(
            f"depth={depth} repeats one width, and the widths are {tuple(widths)}: give one, such "
            f"as widths={widths[0]}"
        )
    if depth and not different:
        raise ValueError(
            f"depth={depth} repeats a width, and the model has no hidden layer: give widths= too"
        )
    return tuple(different) * int(depth)
