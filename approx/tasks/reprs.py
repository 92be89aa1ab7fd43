"""How tasks, models and recipes print: as one would write them in code."""

from collections.abc import Sequence
from dataclasses import MISSING, Field, fields
from html import escape
from typing import Any

from approx.tasks.values import shortened


def described(thing: Any, always: Sequence[str] = ()) -> str:
    """A dataclass as one would write it in code: without the fields that have their defaults.

    Args:
        thing: the dataclass. always: names of fields that are shown whatever their value.

    Example:
        `described(Recipe(steps=5), ["optimizer"])` is "Recipe(optimizer='adam', steps=5)".

    """
    parts = [f"{name}={as_code(value)}" for name, value in said(thing, always).items()]
    return f"{type(thing).__name__}({', '.join(parts)})"


def as_html(thing: Any, always: Sequence[str] = ()) -> str:
    """The same as a small table of HTML, which a notebook shows.

    Args:
        thing: the dataclass. always: names of fields that are shown whatever their value.

    """
    rows = []
    for name, value in said(thing, always).items():
        head = f'<th style="text-align: left">{escape(name)}</th>'
        rows.append(f'<tr>{head}<td style="text-align: left">{escape(as_code(value))}</td></tr>')
    title = f"<strong>{escape(type(thing).__name__)}</strong>"
    return f"<div>{title}<table>{''.join(rows)}</table></div>"


def said(thing: Any, always: Sequence[str]) -> dict[str, Any]:
    """The fields that are shown: those that differ from their defaults, and some always."""
    found = {}
    for each in fields(thing):
        value = getattr(thing, each.name, None)
        hidden = not each.repr or is_default(each, value)
        if each.name in always or not hidden:
            found[each.name] = value
    return found


def is_default(its_field: Field, value: Any) -> bool:
    """Whether a field has the value that it gets if it is left out; of arrays it never says so."""
    default = its_field.default
    if its_field.default_factory is not MISSING:
        default = its_field.default_factory()
    if not isinstance(value, bool | int | float | str | tuple | dict | None):
        return value is default
    return type(value) is type(default) and value == default


def as_code(value: Any) -> str:
    """A value for a repr: functions by name, arrays by their shapes, long values cut short."""
    name = getattr(value, "__qualname__", "") or getattr(value, "__name__", "")
    if callable(value) and name:
        return name
    return shortened(value, 100)
