"""Promise: a lower floor never imports a higher one; experiments and figures import approx only."""

import ast
from pathlib import Path

import pytest

import approx as ap

ROOT = Path(__file__).parents[1]
# From the ground up: what each folder or module may import besides itself.
GROUND = ("numerics", "tasks", "models", "training", "sweep", "disk")
ALLOWED = {
    **{name: GROUND[:n] for n, name in enumerate(GROUND)},
    "floors": (),
    "stats": (),
    "plot": ("stats",),
    "runs": GROUND,
    "maps": (*GROUND, "stats"),
    "commands": GROUND,
    "__main__": ("commands",),
}


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


def test_every_folder_has_its_place():
    assert {floor(path) for path in FILES} == set(ALLOWED)


@pytest.mark.parametrize(
    "path",
    [p for d in ("experiments", "figures") for p in sorted((ROOT / d).glob("*.py"))],
    ids=lambda p: p.name,
)
def test_scripts_import_the_public_package_only(path):
    inside = {
        name for name in imports(path) if name.split(".")[0] in ("approx", "experiments", "figures")
    }
    public = {"approx", *(f"approx.{name}" for name in ap.__all__)}
    own = {
        name for name in inside if name.startswith(("experiments.benchmark", "experiments.limit"))
    }
    # Which take the benchmark's cases and inner step
    benchmarks = ("speed.py", "sweep_speed.py", "accelerator.py")
    assert inside - (own if path.name in benchmarks else set()) <= public


def test_statistics_do_not_need_jax():
    for path in (ROOT / "approx" / "stats").glob("*.py"):
        assert not {
            name for name in imports(path) if name.split(".")[0] in ("jax", "optax", "flax")
        }
