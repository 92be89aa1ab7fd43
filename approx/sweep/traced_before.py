"""What an earlier process has traced and lowered is known from disk, and is not traced again.

To trace a program and to lower it to text takes as long as to load its compiled form. So a file
says, for a digest of everything that the program is made from, which text it has (`kept_programs`
finds the compiled form by its text), and of which shapes its results are.

Only programs that are made from parts of `approx`, JAX, NumPy and optax alone are remembered, with
any numbers and arrays. A function of the user's could read a file or a clock while it is traced, of
which no digest tells.
"""

import hashlib
import pickle
import sys
import time
import types
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import optax

from approx.sweep import hosts, kept_programs, program_files

# The modules of approx whose code a program is traced from
TRACED = (
    "approx.models.",
    "approx.numerics.",
    "approx.sweep.blocks.",
    "approx.tasks.",
    "approx.training.",
)
ROOT = Path(__file__).parents[1]
IMPORTED = time.time()
# Packages whose version stands for the code of their functions
VERSIONED = ("jax", "jaxlib", "numpy", "optax")


class Known(NamedTuple):
    """What is known of a program that an earlier process has lowered.

    Attributes:
        text: the sha256 of its text.
        takes, gives: the nesting of its arguments and of its results.
        shapes: its results, as `jax.ShapeDtypeStruct` of each array.

    """

    text: str
    takes: Any
    gives: Any
    shapes: Any


def place_of(
    function: Any, static: tuple[Any, ...], args: Any, options: str, device: Any
) -> Path | None:
    """The file that says what is known of a program.

    None if no file may: there is no folder, or the program holds a function of the user's.

    Args:
        function: of `blocks`, that is lowered.
        static: its arguments that decide the program.
        args: the shapes of its other arguments.
        options: of the compiler, in words.
        device: that the program is for.

    """
    folder = program_files.trusted_folder()
    if folder is None:
        return None
    described = portable(*map(contents, static))
    code = code_of_approx()
    if described is None or code is None:
        return None
    leaves, tree = jax.tree.flatten(args)
    parts = {
        "function": function.__qualname__,
        "static": described,
        "arguments": (str(tree), [(leaf.shape, str(leaf.dtype)) for leaf in leaves]),
        "code": code,
        "versions": (sys.version, np.__version__, optax.__version__),
        "compiled": kept_programs.name_of("", options, device),
    }
    name = hashlib.sha256(repr(parts).encode()).hexdigest()
    return folder / f"{name}{program_files.TRACE}"


def contents(static: Any) -> Any:
    """What decides a program in one of its static arguments.

    A nesting of task and recipe is taken apart; `hosts.fingerprint` is left out, as it holds for
    one process only.
    """
    if not hasattr(static, "tree"):
        return static
    rest = static._replace(tree=None, host="")
    return hosts.static_parts(static.tree), tuple(rest)


def recall(place: Path | None) -> Known | None:
    """What a file says of a program; None if there is no such file.

    A file that cannot be read is removed, and gives None too.
    """
    if place is None:
        return None
    try:
        known = Known(*pickle.loads(program_files.read(place)))
    except FileNotFoundError:
        return None
    except Exception:  # pickle and zlib raise errors of many kinds
        program_files.remove(place)
        return None
    program_files.touch(place)
    return known


def keep(place: Path | None, text: str, lowered: Any) -> None:
    """Write in the background what is known of a program that was lowered."""
    if place is not None and kept_programs.may_keep(place.parent):
        kept_programs.in_background(write, place, text, lowered)


def write(place: Path, text: str, lowered: Any) -> None:
    """Write what is known of a program that was lowered."""

    def shape(leaf: Any) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype)

    known = Known(text, lowered.in_tree, lowered.out_tree, jax.tree.map(shape, lowered.out_info))
    kept_programs.store(place, pickle.dumps(tuple(known)))


class Unlowered:
    """A program that an earlier process has lowered: it is lowered again only if it must be.

    It has the methods of a lowered program that `kept_programs` asks for.

    Args:
        known: of the program.
        lower: a function that traces and lowers it, in any thread.

    """

    def __init__(self, known: Known, lower: Any):
        self.text, self.shapes = known.text, known.shapes
        self.in_tree, self.out_tree = known.takes, known.gives
        self.lower = cache(lower)

    def compile(self) -> Any:
        """Lower the program and compile it, where its compiled form is no longer on disk."""
        return self.lower().compile()

    def as_text(self) -> str:
        """The text of the program, which is lowered for this."""
        return str(self.lower().as_text())


# ---- what can be described to another process ----------------------------------------------------


def portable(*things: Any) -> str | None:
    """A digest of things that another process gives too; None if they hold a user's own code."""
    sha = hashlib.sha256()
    for thing, text in hosts.walked(things):
        if not is_portable(thing):
            return None
        sha.update(text + b"\0")
        if isinstance(thing, types.FunctionType):
            sha.update(function_text(thing).encode())
    return sha.hexdigest()


def is_portable(thing: Any) -> bool:
    """Whether a thing, apart from its parts, is described by its type, its name and its value."""
    if isinstance(thing, (*hosts.PLAIN, np.ndarray, jax.Array)):
        return True
    if hosts.container_parts(thing) is not None:
        return True
    if hosts.is_named(thing):
        return is_known(thing) and "<locals>" not in getattr(thing, "__qualname__", "")
    return is_known(type(thing)) and bool(hosts.state(thing))


def is_known(thing: Any) -> bool:
    """Whether the digest of approx's code, or a package's version, stands for a thing's code."""
    name = hosts.module_name(thing)
    top = name.partition(".")[0]
    if top in VERSIONED or top in sys.stdlib_module_names:
        return hosts.is_installed(thing)  # and no module of the user's that has such a name
    return is_traced(name)


def is_traced(name: str) -> bool:
    """Whether a module is one of those that programs are traced from."""
    return name.startswith("approx.") and f"{name}.".startswith(TRACED)


# ---- the code of approx --------------------------------------------------------------------------


def code_of_approx() -> str | None:
    """A digest of the code that programs are traced from, and of what the modules hold now.

    So a function or a number that was exchanged changes it. None if the source cannot be told.
    """
    source = source_of_approx()
    if source is None:
        return None
    sha = hashlib.sha256(source.encode())
    for name in sorted(filter(is_traced, sys.modules)):
        for attribute, value in vars(sys.modules[name]).items():
            if attribute.startswith("_") and not isinstance(value, (types.FunctionType, type)):
                continue  # Python's own names, and what a module remembers while it runs
            sha.update(f"{name} {attribute} {' '.join(texts(value, name))}".encode())
    return sha.hexdigest()


@cache
def source_of_approx() -> str | None:
    """A digest of the files that programs are traced from.

    None if one cannot be read, or has changed since this process has imported it.
    """
    sha = hashlib.sha256()
    try:
        for path in sorted(ROOT.rglob("*.py")):
            module = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
            if not is_traced(module.removesuffix(".__init__")):
                continue
            status = path.stat()
            if max(status.st_mtime, status.st_ctime) > IMPORTED:
                return None
            sha.update(module.encode() + path.read_bytes())
    except OSError:
        return None
    return sha.hexdigest()


def texts(value: Any, module: str) -> Iterator[str]:
    """Describe what a module holds under a name: a function, a class, a table, a number.

    Args:
        value: to be described.
        module: the module's name. Classes of others are named only.
    """
    if isinstance(value, hosts.PLAIN):
        yield repr(value)
    elif isinstance(value, types.FunctionType):
        yield function_text(value)
    elif isinstance(value, type):
        yield value.__qualname__
        if value.__module__ == module:
            yield from class_texts(value)
    elif isinstance(value, Mapping):
        yield from texts([*value.items()], module)
    elif isinstance(value, Sequence):
        for part in value:
            yield from texts(part, module)
    elif hasattr(value, "__wrapped__"):
        yield from texts(value.__wrapped__, module)
    else:
        yield type(value).__qualname__


def class_texts(kind: type) -> Iterator[str]:
    """Describe the functions and the plain values of a class."""
    for part in map(behind, vars(kind).values()):
        if isinstance(part, types.FunctionType):
            yield function_text(part)
        elif isinstance(part, hosts.PLAIN):
            yield repr(part)


def behind(part: Any) -> Any:
    """The function behind a class's property or method, or the part itself."""
    return getattr(part, "__func__", getattr(part, "fget", part))


def function_text(function: types.FunctionType) -> str:
    """A function's name and its code."""
    return f"{function.__module__} {function.__qualname__} {code_text(function.__code__)}"


@cache
def code_text(code: types.CodeType) -> str:
    """A description of code that is the same in every process.

    It is the place in approx's sources, whose digest counts too. A lambda shares its line with
    others, so it is described by its own digest, and so is code from elsewhere.
    """
    if code.co_filename.startswith(str(ROOT)) and code.co_name != "<lambda>":
        return f"{code.co_filename.removeprefix(str(ROOT))} {code.co_firstlineno}"
    return digest_of(code)


def digest_of(code: types.CodeType) -> str:
    """A digest of a function's code with that of the functions inside it."""
    sha = hashlib.sha256()
    for each in hosts.inner_codes(code):
        constants = [one for one in each.co_consts if isinstance(one, hosts.PLAIN)]
        sha.update(repr((each.co_name, each.co_firstlineno, each.co_names, constants)).encode())
        sha.update(each.co_code)
    return sha.hexdigest()
