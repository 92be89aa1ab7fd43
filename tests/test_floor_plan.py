"""Promise: a lower floor never imports a higher one; experiments and figures import approx only."""

import ast
from pathlib import Path

import pytest

import approx as ap

ROOT = Path(__file__).parents[1]
# From the ground up. README.md's page of the system names the same floors.
FLOORS = (
    *(
        "elementary",
        "losses",
        "tasks",
        "models",
        "scalings",
        "second_order",
        "optimizers",
        "sampling",
        "recipes",
        "steps",
        "training",
        "parameters",
    ),
    *("sweeps", "lanes", "choice", "hosts", "blocks", "plans", "floors", "stats", "store", "results", "progress"),
    *("chunks", "devices", "engines", "runs", "maps", "verification", "commands", "__main__", "plot"),
)


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
    path for path in (ROOT / "approx").rglob("*.py") if path.parent != ROOT / "approx" or path.stem != "__init__"
)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_lower_floors_do_not_import_higher_ones(path):
    here = FLOORS.index(floor(path))
    for name in imports(path):
        if name == "approx" or name.startswith("approx."):
            there = name.split(".")[1] if "." in name else ""
            assert there in FLOORS[: here + 1], f"{floor(path)} imports {name}, which stands above it"


def test_every_module_has_its_floor():
    assert {floor(path) for path in FILES} == set(FLOORS)


@pytest.mark.parametrize(
    "path", [p for d in ("experiments", "figures") for p in sorted((ROOT / d).glob("*.py"))], ids=lambda p: p.name
)
def test_scripts_import_the_public_package_only(path):
    inside = {name for name in imports(path) if name.split(".")[0] in ("approx", "experiments", "figures")}
    public = {"approx", *(f"approx.{name}" for name in ap.__all__)}
    own = {name for name in inside if name.startswith(("experiments.benchmark", "experiments.limit"))}
    benchmarks = ("speed.py", "sweep_speed.py", "accelerator.py")  # which take the benchmark's cases and inner step
    assert inside - (own if path.name in benchmarks else set()) <= public


def test_statistics_do_not_need_jax():
    for path in (ROOT / "approx" / "stats").glob("*.py"):
        assert not {name for name in imports(path) if name.split(".")[0] in ("jax", "optax", "flax")}
