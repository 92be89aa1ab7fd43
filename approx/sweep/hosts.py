"""What a traced program does not show: values of the host that functions read, and functions of the
host it calls.

JAX traces a function once and remembers the program by the function's identity. A number that the
function closes over may change afterwards, and a callback is for the program a place in a table,
whatever stands there.
"""

import dataclasses
import hashlib
import sys
import sysconfig
import types
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import jax
import numpy as np
from jax.extend import core

LIBRARIES = tuple(
    sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
CALLBACKS = ("pure_callback", "io_callback", "debug_callback")


def fingerprint(*things: Any) -> str:
    """A digest of functions and objects with all values that they read: closures, defaults,
    globals, fields.

    Functions of installed packages count by their name and by what they close over. It is for
    comparisons inside one
    process: what cannot be described counts by its identity.

    Example:
        `factor = 1.0; f = lambda x: factor * x` has another fingerprint once `factor = 2.0`.
    """
    sha = hashlib.sha256()
    for part in described(things):
        sha.update(part)
        sha.update(b"\0")
    return sha.hexdigest()


def described(things: Any) -> Iterator[bytes]:
    """The parts of a description, depth first; what was met before counts by its place."""
    # Place and object, which is kept so that no other gets its id
    seen: dict[int, tuple[int, Any]] = {}
    left = [things]
    while left:
        thing = left.pop()
        if thing is None or isinstance(
            thing, bool | int | float | complex | str | bytes | np.generic
        ):
            yield f"{type(thing).__name__} {thing!r}".encode()
            continue
        if id(thing) in seen:
            yield f"again {seen[id(thing)][0]}".encode()
            continue
        seen[id(thing)] = len(seen), thing
        if isinstance(thing, np.ndarray | jax.Array) and thing.dtype != object:
            array = np.asarray(thing)
            yield f"{array.dtype} {array.shape}".encode() + array.tobytes()
            continue
        its = parts(thing)
        yield f"{type(thing).__qualname__} of {len(its)}".encode()
        left += reversed(its)


def parts(thing: Any) -> list[Any]:
    """What a thing is made of."""
    if isinstance(thing, list | tuple):
        return list(thing)
    if isinstance(thing, set | frozenset):
        return sorted(fingerprint(one) for one in thing)
    if isinstance(thing, Mapping):
        return [part for item in thing.items() for part in item]
    if isinstance(thing, partial):
        return [thing.func, thing.args, thing.keywords]
    if isinstance(thing, types.MethodType):
        return [thing.__func__, thing.__self__]
    if is_named(thing) and is_installed(thing):
        name = getattr(thing, "__qualname__", thing.__class__.__qualname__)
        return [getattr(thing, "__module__", ""), name, *closed_over(thing)]
    if isinstance(thing, types.FunctionType):
        return function_parts(thing)
    if isinstance(thing, type):
        return class_parts(thing)
    return state(thing) or [id(thing)]


def is_named(thing: Any) -> bool:
    """Whether a thing of a package is known by its name: a function, jitted too, a class, a module."""
    kinds = type | types.FunctionType | types.BuiltinFunctionType | types.ModuleType
    return isinstance(thing, kinds) or callable(getattr(thing, "__wrapped__", None))


def class_parts(kind: type) -> list[Any]:
    """A class's functions, also those behind properties and class methods, its other values, and
    the classes above.
    """
    found: list[Any] = [kind.__qualname__, kind.__bases__]
    for name, value in vars(kind).items():
        inner = [getattr(value, each, None) for each in ("__func__", "fget", "fset")]
        if isinstance(value, staticmethod | classmethod | property):
            found += [name, inner]
        elif not name.startswith("__") or isinstance(value, types.FunctionType):
            found += [name, value]
    return found


def function_parts(function: types.FunctionType) -> list[Any]:
    """A function's code, defaults, closure, and the globals that its code names."""
    codes: list[types.CodeType] = [function.__code__]
    names: list[str] = []
    for code in codes:
        codes += [one for one in code.co_consts if isinstance(one, types.CodeType)]
        names += code.co_names
    used = {name: function.__globals__[name] for name in names if name in function.__globals__}
    modules = [
        one for one in used.values() if isinstance(one, types.ModuleType) and not is_installed(one)
    ]
    used |= {
        f"{one.__name__}.{name}": vars(one)[name]
        for one in modules
        for name in names
        if name in vars(one)
    }
    used = {name: value for name, value in used.items() if not isinstance(value, types.ModuleType)}
    constants = [
        one for code in codes for one in code.co_consts if not isinstance(one, types.CodeType)
    ]
    return [
        [code.co_code for code in codes],
        repr(constants),
        function.__defaults__,
        function.__kwdefaults__,
        closed_over(function),
        used,
    ]


def closed_over(function: Any) -> list[Any]:
    """What a function closes over: that of a package may hold a user's function, as an optimiser
    holds a schedule.
    """
    cells = getattr(function, "__closure__", None) or ()
    return [cell.cell_contents for cell in cells if has_contents(cell)]


def has_contents(cell: types.CellType) -> bool:
    """Whether a closure's cell is filled: a function that names itself is made before it is."""
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def state(thing: Any) -> list[Any]:
    """An object's class and fields, or what a copy of it would be made from; [] where it does not
    say.
    """
    if isinstance(thing, types.ModuleType | types.BuiltinFunctionType):
        return []
    if dataclasses.is_dataclass(thing):
        names = [field.name for field in dataclasses.fields(thing)]
        return [type(thing), *(getattr(thing, name, None) for name in names)]
    if hasattr(thing, "__dict__") and not hasattr(type(thing), "__slots__"):
        return [type(thing), *vars(thing).items()]
    try:
        made = thing.__reduce_ex__(4)  # as pickle asks
    except Exception:  # whatever an object that cannot be copied says
        return []
    if isinstance(made, str):
        return []
    return [list(part) if isinstance(part, Iterator) else part for part in made]


def is_installed(thing: Any) -> bool:
    """Whether a function, class, module or object's class comes with Python, with a package, or
    with approx.
    """
    owner = (
        thing
        if hasattr(thing, "__module__") or isinstance(thing, types.ModuleType)
        else type(thing)
    )
    name = (
        getattr(thing, "__name__", "")
        if isinstance(thing, types.ModuleType)
        else getattr(owner, "__module__", "")
    )
    top = str(name).partition(".")[0]
    if top in ("approx", "builtins") or top in sys.builtin_module_names:
        return True
    # Compiled modules have parts that are none
    module = sys.modules.get(str(name), sys.modules.get(top))
    file = getattr(module, "__file__", None)
    return file is not None and file.startswith(LIBRARIES)


def callbacks(jaxpr: Any) -> Iterator[Any]:
    """The functions of the host that a program calls while it runs, in order."""
    for equation in jaxpr.eqns:
        if equation.primitive.name in CALLBACKS:
            callback = equation.params["callback"]
            yield getattr(callback, "callback_func", callback)
        for inner in inner_programs(equation.params):
            yield from callbacks(inner)


def inner_programs(params: Mapping[str, Any]) -> Iterator[Any]:
    """The programs inside an operation: a loop's body, a condition's branches."""
    for value in params.values():
        for one in value if isinstance(value, list | tuple) else (value,):
            if isinstance(one, core.Jaxpr | core.ClosedJaxpr):
                yield getattr(one, "jaxpr", one)
