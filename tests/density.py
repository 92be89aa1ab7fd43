"""How dense the code is: how many ideas stand in a line, for each folder.

    python tests/density.py            print a table of the folders, and the ten functions that
                                       have the most syntax nodes
    python tests/density.py --check    list what `make lint` refuses: two conditional expressions
                                       in one statement

The table is a figure to watch, not a gate: code that is rewritten to read plainly moves it by
itself. A syntax node is what Python's `ast` module counts as one: a name, a number, a call, an
operator. Docstrings are left out.
"""

import ast
import signal
import statistics
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
FOLDERS = (
    *(f"approx/{path.name}" for path in sorted((ROOT / "approx").iterdir()) if path.is_dir()),
    "approx",
)
FOLDERS = (*tuple(name for name in FOLDERS if "__pycache__" not in name), "experiments", "figures")
CHECKED = ("approx", "experiments", "figures", "tests")
LONG_FILE = 300  # lines
COLUMNS = 100


class Function(NamedTuple):
    """One function of the code."""

    place: str
    nodes: int
    lines: int


def is_text(statement: ast.stmt) -> bool:
    """Whether a statement is nothing but a string, as a docstring is."""
    if not isinstance(statement, ast.Expr):
        return False
    return isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)


def functions_of(path: Path, tree: ast.AST) -> list[Function]:
    """Every function of a file that has a body besides its docstring, those inside others too."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        body = node.body[1:] if is_text(node.body[0]) else node.body
        if not body:
            continue
        nodes = sum(1 for statement in body for _ in ast.walk(statement))
        lines = (body[-1].end_lineno or 0) - body[0].lineno + 1
        place = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        found.append(Function(place, nodes, lines))
    return found


def code_lines(text: str, tree: ast.AST) -> int:
    """Lines that are neither empty, nor a comment, nor part of a docstring."""
    texts: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and is_text(node):
            texts |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    count = 0
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        count += bool(stripped) and not stripped.startswith("#") and number not in texts
    return count


def row(folder: str) -> tuple[str, list[Function]]:
    """A line of the table, and the functions of the folder."""
    functions: list[Function] = []
    lines = conditionals = long_lines = long_files = 0
    for path in sorted((ROOT / folder).rglob("*.py")):
        text = path.read_text()
        tree = ast.parse(text)
        functions += functions_of(path, tree)
        lines += code_lines(text, tree)
        conditionals += sum(isinstance(node, ast.IfExp) for node in ast.walk(tree))
        long_lines += sum(len(line) > COLUMNS for line in text.splitlines())
        long_files += len(text.splitlines()) > LONG_FILE
    nodes_a_line = sum(f.nodes for f in functions) / max(1, sum(f.lines for f in functions))
    median = statistics.median(f.nodes for f in functions) if functions else 0
    per_thousand = 1000 * conditionals / max(1, lines)
    density = f"{lines:7,} {nodes_a_line:8.1f} {median:8.0f} {per_thousand:8.0f}"
    return f"{folder:<18}{density} {long_lines:8} {long_files:8}", functions


def conditionals_in(statement: ast.stmt) -> int:
    """Conditional expressions of one statement, without those of the statements inside it."""
    count = 0
    waiting: list[ast.AST] = [
        child for child in ast.iter_child_nodes(statement) if not isinstance(child, ast.stmt)
    ]
    while waiting:
        node = waiting.pop()
        count += isinstance(node, ast.IfExp)
        waiting += [
            child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)
        ]
    return count


def refused() -> list[str]:
    """Statements with more than one conditional expression, as lines for people."""
    found = []
    for folder in CHECKED:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.stmt) and (count := conditionals_in(node)) > 1:
                    place = f"{path.relative_to(ROOT)}:{node.lineno}"
                    said = f"{count} conditional expressions in one statement"
                    found.append(f"{place}: {said}: name one of them first")
    return found


def main() -> int:
    """Print the table, or what is refused; the exit status."""
    if "--check" in sys.argv:
        found = refused()
        print("\n".join(found) or "At most one conditional expression in every statement.")
        return 1 if found else 0
    heads = ("lines", "nodes", "median", "if-else", "long", "long")
    units = ("of code", "a line", "function", "per 1,000", "lines", "files")
    print(" " * 18 + " ".join(f"{head:>8}" for head in heads)[1:])
    print(" " * 18 + " ".join(f"{unit:>8}" for unit in units)[1:])
    everything: set[Function] = set()
    for folder in FOLDERS:
        line, functions = row(folder)
        print(line)
        everything |= set(functions)
    print("\nThe ten functions with most syntax nodes:")
    for function in sorted(everything, key=lambda f: -f.nodes)[:10]:
        print(f"{function.nodes:6} nodes {function.lines:4} lines  {function.place}")
    return 0


if __name__ == "__main__":
    # A reader such as `head` may close the pipe early: the rest of the table is then not wanted.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
