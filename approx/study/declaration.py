"""What a study asks: baseline, rows, measures and claims, checked before anything is trained."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from approx.study import checks
from approx.study import claims as claiming
from approx.study.cells import all_rows, checked_factors
from approx.study.claims import BASELINE
from approx.study.measures import Measure, measures_of
from approx.study.reported import Reported
from approx.study.rows import Row, View, checked_tuning
from approx.study.trained import Trained
from approx.sweep.request import check_nouns
from approx.tasks import Task
from approx.training.recipes import Recipe

TUNING_SEEDS = range(10**6, 10**6 + 64)  # they choose numbers, and are none of those reported


@dataclass(frozen=True, eq=False)
class Declaration:
    """The fields of a `Study`, which says what each is."""

    task: Task
    recipe: Recipe
    _: KW_ONLY
    below: float | None = None
    above: float | None = None
    of: str | None = None
    success: Any = None
    when: str = "last"
    changes: Mapping[str, Any] = field(default_factory=dict)
    factors: Mapping[str, Any] = field(default_factory=dict)
    skip: Callable[[dict[str, str]], bool] | None = None
    views: Mapping[str, View] = field(default_factory=dict)
    against: Mapping[str, str] = field(default_factory=dict)
    claims: Sequence[claiming.Claim] = ()
    reported: Sequence[Reported] = ()
    plateaus: Any = None
    tolerance: float = 0.02
    fits: Any = None
    tune: Mapping[str, Sequence[float]] = field(default_factory=dict)
    tuning_seeds: Sequence[int] = TUNING_SEEDS
    matters: float = 0.1
    level: float = 0.95
    judged: Sequence[str] | None = None
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    keep: Sequence[str] = ("prediction", "params")
    metrics: Mapping[str, Callable] | None = None
    title: str = ""
    source: str = ""
    rows: dict[str, Row] = field(init=False, repr=False)
    measures: dict[str, Measure] = field(init=False, repr=False)
    trained: Trained = field(init=False, repr=False)

    def __post_init__(self):
        check_nouns(self.task, self.recipe)
        check_kinds(self)
        measures = measures_of(self.task, self.below, self.above, self.of, self.success)
        factors = checked_factors(self.factors)
        rows = all_rows(self.task, self.recipe, self.changes, factors, self.skip)
        everywhere = checked_tuning("tune", self.tune)
        for label, row in rows.items():
            rows[label] = row._replace(tune={**everywhere, **row.tune})
        self._settle("measures", measures)
        self._settle("factors", factors)
        self._settle("rows", rows)
        self._settle("trained", Trained())
        check_labels(self)

    def _settle(self, name: str, value: Any) -> None:
        """Set a field of the frozen declaration in its plain form."""
        object.__setattr__(self, name, value)

    @property
    def labels(self) -> list[str]:
        """The labels of all rows, and of all views."""
        return [*self.rows, *self.views]

    def other_of(self, label: str) -> str:
        """The label of the row that a row or a view is compared with."""
        return self.against.get(label, BASELINE)


def check_labels(study: Declaration) -> None:
    """Refuse labels that a claim, a view, an option or a number names and that are no rows.

    Raises:
        TypeError, ValueError: naming the label, and those that there are.
    """
    checks.check_views(study.views, study.rows)
    checks.check_texts(study.labels)
    for claim in study.claims:
        checks.check_claim(claim, study.labels, study.measures)
        checks.check_pairs(claim, study.views)
    for number in study.reported:
        checks.check_reported(number, study.rows, study.labels)
    checks.check_options(study.options, study.rows)
    checks.check_judged(study.judged, study.labels)
    checks.check_against(study.against, study.views, study.labels)
    checks.check_distinct([claim.text for claim in study.claims], "claims")
    checks.check_distinct([number.text for number in study.reported], "reported numbers")


def check_kinds(study: Declaration) -> None:
    """Refuse fields that are no dictionary, no list, no function or no number as they must be."""
    for name in ("changes", "factors", "views", "options", "tune"):
        checks.check_mapping(name, getattr(study, name))
    checks.check_list("claims", study.claims, claiming.Claim)
    checks.check_list("reported", study.reported, Reported)
    checks.check_functions(study.skip, study.plateaus, study.factors)
    checks.check_numbers(study.matters, study.level, study.when)
    checks.check_fits(study.fits)
    checks.check_tolerance(study.tolerance)
