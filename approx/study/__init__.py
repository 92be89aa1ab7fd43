"""Studies: a baseline, what counts as success, and changes of it, each on the same seeds.

`Study` declares a question and answers it: how many seeds of the baseline succeed, which changes
help, what becomes of the seeds that fail, and which claims hold. The functions `never`, `rarely`,
`usually`, `always`, `between`, `helps`, `hurts`, `same`, `better` and `own` state claims.
`remedies` makes the study of the usual remedies for a baseline, and `doubts` says what cannot work.
"""

import importlib
from typing import TYPE_CHECKING

from approx.study.answers import Answer
from approx.study.claims import (
    BASELINE,
    Claim,
    always,
    better,
    between,
    helps,
    hurts,
    never,
    own,
    rarely,
    same,
    usually,
)
from approx.study.doubts import doubts
from approx.study.grids import Axis, Map, Over, load_maps, maps_script, train_maps
from approx.study.map_rates import load_rates, save_rates
from approx.study.measures import Measure, targets_variance, threshold
from approx.study.plateaus import known_plateaus
from approx.study.remedies import remedies
from approx.study.reported import Reported
from approx.study.rows import Row, View, best_of, until
from approx.study.studies import Study
from approx.study.verdicts import finding

__all__ = [
    "BASELINE",
    "Answer",
    "Axis",
    "Claim",
    "Map",
    "Measure",
    "Over",
    "Reported",
    "Row",
    "Study",
    "View",
    "always",
    "best_of",
    "better",
    "between",
    "doubts",
    "draw_endings",
    "draw_keys",
    "draw_rates",
    "figure_script",
    "finding",
    "helps",
    "hurts",
    "known_plateaus",
    "load_maps",
    "load_rates",
    "maps_script",
    "never",
    "own",
    "rarely",
    "remedies",
    "same",
    "save_rates",
    "table_figure_script",
    "targets_variance",
    "threshold",
    "train_maps",
    "until",
    "usually",
]

if TYPE_CHECKING:
    from approx.study.drawing import draw_endings, draw_keys, draw_rates
    from approx.study.scripts import figure_script, table_figure_script

# What draws, and the file that it stands in
OF_FIGURES = {
    "draw_endings": "drawing",
    "draw_keys": "drawing",
    "draw_rates": "drawing",
    "figure_script": "scripts",
    "table_figure_script": "scripts",
}


def __dir__() -> list[str]:
    """All names, with those that are imported when they are first used."""
    return sorted({*globals(), *__all__})


def __getattr__(name: str):
    """Import what draws when it is first used: it needs matplotlib, a large part of all imports."""
    if name in OF_FIGURES:
        module = importlib.import_module(f"approx.study.{OF_FIGURES[name]}")
        return getattr(module, name)
    raise AttributeError(f"module 'approx.study' has no attribute {name!r}")
