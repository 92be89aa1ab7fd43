"""Train published numbers anew, and write what came of it: a command.

    python tests/published/book.py [names] [--page]

Without names all entries are trained. The numbers of our trainings are kept in results.json beside
this file, and docs/published.md is written from them; `--page` writes the page alone. `NAMES` of an
unknown entry are refused with those that there are.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import libraries
import page
import papers
import programs
import tutorials

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PAGE = HERE.parents[1] / "docs" / "published.md"
ENTRIES = {
    **papers.ENTRIES,
    **programs.ENTRIES,
    **tutorials.ENTRIES,
    **libraries.ENTRIES,
}


def trained(name: str) -> dict[str, Any]:
    """The evidence of an entry, from new trainings, and how many seconds of a core they took."""
    entry = ENTRIES[name]
    begin = time.process_time()
    values = entry.train()
    seconds = time.process_time() - begin
    numbers = {key: number.evidence(values[key]) for key, number in entry.numbers.items()}
    return {"seconds": round(seconds, 1), "numbers": numbers}


def results() -> dict[str, Any]:
    """The committed results."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def rounded(value: Any) -> Any:
    """Numbers with eight digits, so that results can be read."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return float(f"{value:.8g}") if isinstance(value, float) else value


def keep(found: dict[str, Any]) -> None:
    """Write results, in the order of the entries."""
    ordered = {name: rounded(found[name]) for name in ENTRIES if name in found}
    RESULTS.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n")


def write_page() -> None:
    """Write the page."""
    PAGE.write_text(page.page(ENTRIES, results()))


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, judge and write."""
    parser = argparse.ArgumentParser(description="Train published numbers anew.")
    parser.add_argument("names", nargs="*", help=f"of: {', '.join(ENTRIES)}; all if left out")
    parser.add_argument("--page", action="store_true", help="write the page alone")
    asked = parser.parse_args(arguments)
    for name in asked.names:
        if name not in ENTRIES:
            parser.error(f"unknown entry {name!r}; there is: {', '.join(ENTRIES)}")
    names = [] if asked.page else asked.names or list(ENTRIES)
    for name in names:
        print(f"{name} ...", file=sys.stderr)
        result = trained(name)
        for key, number in ENTRIES[name].numbers.items():
            evidence = result["numbers"][key]
            said, ours = number.said(), number.found(evidence)
            print(f"{name}: {number.text}: {said}; ours {ours}: {number.judged(evidence)}")
        keep(results() | {name: result})
    write_page()


if __name__ == "__main__":
    main()
