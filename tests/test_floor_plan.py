"""Promise: a lower floor never imports a higher one; experiments and figures import approx only."""

import ast
from functools import cache
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import approx as ap

ROOT = Path(__file__).parents[1]
# From the ground up: what each folder or module may import besides itself.
GROUND = ("late_imports", "numerics", "tasks", "models", "training", "sweep", "changes", "disk")
ALLOWED = {
    **{name: GROUND[:n] for n, name in enumerate(GROUND)},
    "floors": (),
    "stats": (),
    "plot": ("stats",),
    "classical": ("numerics", "tasks", "models", "training", "sweep", "stats"),
    "runs": GROUND,
    "resuming": (*GROUND, "runs"),
    "maps": (*GROUND, "stats"),
    "study": (*GROUND, "stats", "plot", "runs", "maps"),
    "frameworks": ("numerics", "tasks", "models", "training"),
    "asking": ("tasks", "models", "training", "stats", "study"),
    "commands": (*GROUND, "asking"),
    "__main__": ("commands",),
}


@cache
def imports(path: Path) -> set[str]:
    """Every module a file imports: `import a.b`, `from a import b` (as a.b) alike."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def floor(path: Path) -> str:
    return path.relative_to(ROOT / "approx").with_suffix("").parts[0]


FILES = sorted(
    path
    for path in (ROOT / "approx").rglob("*.py")
    if path.parent != ROOT / "approx" or path.stem != "__init__"
)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_folder_imports_only_what_stands_below_it(path):
    here = floor(path)
    for name in imports(path):
        if name.startswith("approx."):
            there = name.split(".")[1]
            assert there in (here, *ALLOWED[here]), (
                f"{here} imports {name}, which does not stand below it"
            )


def test_no_files_import_each_other_in_a_circle():
    """Imports for type checkers alone count too."""
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in FILES}
    uses = {}
    for name, path in modules.items():
        if path.stem != "__init__":
            taken = {each if each in modules else each.rpartition(".")[0] for each in imports(path)}
            uses[name] = taken & set(modules)
    order = list(TopologicalSorter(uses).static_order())  # a circle raises CycleError
    assert set(uses) <= set(order)


def test_every_folder_has_its_place():
    assert {floor(path) for path in FILES} == set(ALLOWED)


SCRIPT_FOLDERS = ("experiments", "experiments/shared", "figures")
SCRIPTS = [path for folder in SCRIPT_FOLDERS for path in sorted((ROOT / folder).glob("*.py"))]
# These take the benchmark's cases and its inner step, which are measured from inside the package
BENCHMARKS = ("speed.py", "sweep_speed.py", "accelerator.py")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_scripts_import_the_public_package_only(path):
    inside = {
        name for name in imports(path) if name.split(".")[0] in ("approx", "experiments", "figures")
    }
    public = {"approx", *(f"approx.{name}" for name in ap.__all__)}
    # A figure takes its study from its experiment, an experiment may build on another one, and
    # all of them may take what experiments/shared holds, which is held to the same rule
    others = {f"experiments.{each.stem}" for each in (ROOT / "experiments").glob("*.py")}
    others.add("experiments.shared")
    inside = {
        name for name in inside if not any(name == o or name.startswith(o + ".") for o in others)
    }
    if path.name in BENCHMARKS:
        own = ("experiments.benchmark", "experiments.limit")
        public |= {name for name in inside if name.startswith(own)}
    assert inside <= public


def modules(tree: ast.AST) -> dict[str, ModuleType]:
    """The package and its public modules by the names that a script gives them."""
    named = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == "approx":
                    named[alias.asname or alias.name] = ap
        elif isinstance(node, ast.ImportFrom) and node.module == "approx":
            for alias in node.names:
                found = getattr(ap, alias.name)
                if isinstance(found, ModuleType):
                    named[alias.asname or alias.name] = found
    return named


def dotted(node: ast.Attribute) -> list[str]:
    """The names of `a.b.c`; nothing if it does not begin with a name, as `f().b` does not."""
    names = []
    inner: ast.expr = node
    while isinstance(inner, ast.Attribute):
        names.append(inner.attr)
        inner = inner.value
    if not isinstance(inner, ast.Name):
        return []
    return [inner.id, *reversed(names)]


def is_public(module: ModuleType, name: str) -> bool:
    """Whether a module offers a name.

    A module without `__all__` offers what is neither private nor a module.
    """
    if hasattr(module, "__all__"):
        return name in module.__all__
    return not name.startswith("_") and not isinstance(getattr(module, name, None), ModuleType)


def internals(text: str) -> set[str]:
    """The names of a script's text that reach into approx past its public names."""
    tree = ast.parse(text)
    named = modules(tree)
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        names = dotted(node)
        if not names or names[0] not in named:
            continue
        module = named[names[0]]
        for depth, name in enumerate(names[1:], 2):
            if not is_public(module, name):
                found.add(".".join(names[:depth]))
                break
            module = getattr(module, name, None)
            if not isinstance(module, ModuleType):
                break
    return found


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_scripts_use_public_names_only(path):
    assert internals(path.read_text()) == set()


@pytest.mark.parametrize(
    ("line", "inside"),
    [
        ("ap.run(ap.tasks.square(), ap.Recipe(model=ap.MLP((2,))), seeds=3).loss.mean()", set()),
        ("ap.stats.rate(hits).rate + stats.rate(hits).low + ap.scalings.core(model).bias", set()),
        ("ap.sweep.programs.accepted({})", {"ap.sweep"}),
        ("ap.tasks.autoencoders.KINDS", {"ap.tasks.autoencoders"}),
        ("stats.rates.rate(hits)", {"stats.rates"}),
        ("ap.losses._anything", {"ap.losses._anything"}),
        ("results.sweep.programs", set()),
    ],
)
def test_an_internal_name_is_found_where_it_is_reached_by_dots(line, inside):
    assert internals(f"import approx as ap\nfrom approx import stats\n{line}") == inside


def test_every_listed_name_is_there():
    """In every `__all__`, and once."""
    for path in FILES:
        if path.stem == "__main__":
            continue
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        module = import_module(name.removesuffix(".__init__"))
        listed = getattr(module, "__all__", [])
        missing = [name for name in listed if not hasattr(module, name)]
        assert not missing, f"{path} lists {missing}"
        assert len(set(listed)) == len(listed), path


def test_statistics_do_not_need_jax():
    for path in (ROOT / "approx" / "stats").glob("*.py"):
        assert not {
            name for name in imports(path) if name.split(".")[0] in ("jax", "optax", "flax")
        }
