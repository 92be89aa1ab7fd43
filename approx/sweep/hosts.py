"""What a traced program does not show of the Python code around it.

JAX traces a function once, and remembers the program by the function's identity. It then misses two
things. A number that the function reads, from a closure or a global, may change afterwards. And
where a program calls a Python function back, the program holds a place in a table, whatever
function stands there.
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

# Folders of Python's own library and of installed packages
LIBRARIES = tuple(
    sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
# JAX's operations that call a Python function while the program runs
CALLBACKS = ("pure_callback", "io_callback", "debug_callback")

# Objects that are described by their type and their text
PLAIN = (type(None), bool, int, float, complex, str, bytes, np.generic)


def fingerprint(*things: Any) -> str:
    """A digest of functions and objects with all values that they read.

    These values are closures, defaults, globals and fields. Functions of installed packages count
    by their name and by what they close over. Fingerprints can be compared inside one process only,
    since what cannot be described counts by its `id`.

    Example:
        `factor = 1.0; f = lambda x: factor * x` has another fingerprint once `factor = 2.0`.
    """
    sha = hashlib.sha256()
    for _, text in walked(things):
        sha.update(text)
        sha.update(b"\0")
    return sha.hexdigest()


def walked(things: Any) -> Iterator[tuple[Any, bytes]]:
    """Things and all their parts, one after another, each with its description.

    Each thing stands before its parts. One that came before is described by its number.
    """
    # By id: the thing's number, and the thing, which is kept so that no other gets its id.
    seen: dict[int, tuple[int, Any]] = {}
    waiting = [things]
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, PLAIN):
            yield thing, f"{type(thing).__name__} {thing!r}".encode()
            continue
        if id(thing) in seen:
            number, _ = seen[id(thing)]
            yield thing, f"again {number}".encode()
            continue
        seen[id(thing)] = len(seen), thing
        if isinstance(thing, np.ndarray | jax.Array) and thing.dtype != object:
            array = np.asarray(thing)
            yield thing, f"{array.dtype} {array.shape}".encode() + array.tobytes()
            continue
        inner = parts(thing)
        yield thing, f"{type(thing).__qualname__} of {len(inner)}".encode()
        waiting += reversed(inner)


# ---- the parts of a thing ------------------------------------------------------------------------


def parts(thing: Any) -> list[Any]:
    """The things that describe a thing."""
    found = container_parts(thing)
    if found is not None:
        return found
    if is_named(thing) and is_installed(thing):
        return named_parts(thing)
    if isinstance(thing, types.FunctionType):
        return function_parts(thing)
    if isinstance(thing, type):
        return class_parts(thing)
    return state(thing) or [id(thing)]


def container_parts(thing: Any) -> list[Any] | None:
    """The parts of a container, a partial function or a method; None for anything else."""
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
    return None


def is_named(thing: Any) -> bool:
    """Whether a package's thing can be described by its name: a function, a class or a module.

    Jitted functions are among them.
    """
    kinds = type | types.FunctionType | types.BuiltinFunctionType | types.ModuleType
    return isinstance(thing, kinds) or callable(getattr(thing, "__wrapped__", None))


def named_parts(thing: Any) -> list[Any]:
    """A package's thing: its module, its name, and what it closes over."""
    module = getattr(thing, "__module__", "")
    name = getattr(thing, "__qualname__", thing.__class__.__qualname__)
    return [module, name, *closed_over(thing)]


def class_parts(kind: type) -> list[Any]:
    """A class: its functions and other values, and the classes that it is derived from.

    Functions behind properties, class methods and static methods are among them.
    """
    found: list[Any] = [kind.__qualname__, kind.__bases__]
    for name, value in vars(kind).items():
        if isinstance(value, staticmethod | classmethod | property):
            found += [name, [getattr(value, each, None) for each in ("__func__", "fget", "fset")]]
        elif isinstance(value, types.FunctionType) or not name.startswith("__"):
            found += [name, value]
    return found


def function_parts(function: types.FunctionType) -> list[Any]:
    """A function: its code, defaults, closure, and the globals that its code names."""
    codes = inner_codes(function.__code__)
    constants = []
    for code in codes:
        constants += [one for one in code.co_consts if not isinstance(one, types.CodeType)]
    return [
        [code.co_code for code in codes],
        repr(constants),
        function.__defaults__,
        function.__kwdefaults__,
        closed_over(function),
        read_globals(function, codes),
    ]


def inner_codes(code: types.CodeType) -> list[types.CodeType]:
    """A function's code, and that of the functions which are defined inside it."""
    found = [code]
    for each in found:  # grows on the way
        found += [one for one in each.co_consts if isinstance(one, types.CodeType)]
    return found


def read_globals(function: types.FunctionType, codes: list[types.CodeType]) -> dict[str, Any]:
    """The values of the global names that a function uses, also of those in a user's own modules.

    Args:
        function: whose globals they are.
        codes: its code, and that of the functions inside it.
    """
    names = [name for code in codes for name in code.co_names]
    found = {}
    modules = []
    for name in names:
        if name not in function.__globals__:
            continue
        value = function.__globals__[name]
        if not isinstance(value, types.ModuleType):
            found[name] = value
        elif not is_installed(value):
            modules.append(value)
    for module in modules:
        for name in names:
            value = vars(module).get(name)
            if name in vars(module) and not isinstance(value, types.ModuleType):
                found[f"{module.__name__}.{name}"] = value
    return found


def closed_over(function: Any) -> list[Any]:
    """The values that a function closes over.

    A package's function may close over a user's, as an optimiser holds a schedule.
    """
    cells = getattr(function, "__closure__", None) or ()
    return [cell.cell_contents for cell in cells if has_contents(cell)]


def has_contents(cell: types.CellType) -> bool:
    """Whether a closure's cell is filled. A function that names itself is made before it is."""
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def state(thing: Any) -> list[Any]:
    """An object's class and fields, or what a copy of it would be made from.

    [] if the object does not tell either.
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
    except Exception:  # an object that cannot be copied can raise anything
        return []
    if isinstance(made, str):
        return []
    return [list(part) if isinstance(part, Iterator) else part for part in made]


# ---- where a thing comes from --------------------------------------------------------------------


def is_installed(thing: Any) -> bool:
    """Whether a thing comes with Python, with a package, or with approx.

    Args:
        thing: a function, a class, a module, or any object, which comes with its class.
    """
    name = module_name(thing)
    top = name.partition(".")[0]
    if top in ("approx", "builtins") or top in sys.builtin_module_names:
        return True
    # Parts of compiled modules are in no table: then the whole module tells.
    module = sys.modules.get(name, sys.modules.get(top))
    file = getattr(module, "__file__", None)
    return file is not None and file.startswith(LIBRARIES)


def module_name(thing: Any) -> str:
    """The name of the module that a thing is defined in, or that a module has."""
    if isinstance(thing, types.ModuleType):
        return str(getattr(thing, "__name__", ""))
    if hasattr(thing, "__module__"):
        return str(thing.__module__)
    return str(getattr(type(thing), "__module__", ""))


# ---- callbacks -----------------------------------------------------------------------------------


def callbacks(jaxpr: Any) -> Iterator[Any]:
    """The Python functions that a program calls while it runs, in order."""
    for equation in jaxpr.eqns:
        if equation.primitive.name in CALLBACKS:
            callback = equation.params["callback"]
            yield getattr(callback, "callback_func", callback)
        for inner in inner_programs(equation.params):
            yield from callbacks(inner)


def inner_programs(params: Mapping[str, Any]) -> Iterator[Any]:
    """The programs inside an operation: a loop's body, the branches of a condition."""
    for value in params.values():
        values = value if isinstance(value, list | tuple) else (value,)
        for one in values:
            if isinstance(one, core.Jaxpr | core.ClosedJaxpr):
                yield getattr(one, "jaxpr", one)


def static_parts(tree: Any) -> list[Any]:
    """The classes of a pytree's nodes and what is static in them: all but numbers and arrays."""
    inner = [part for child in tree.children() for part in static_parts(child)]
    return [tree.node_data(), *inner]
