"""What a study asks: baseline, rows, measures and claims, checked before anything is trained."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from approx.study import claims as claiming
from approx.study.claims import BASELINE
from approx.study.measures import Measure, measures_of
from approx.study.reported import Reported
from approx.study.rows import Row, View, all_rows, checked_factors, checked_tuning
from approx.study.trained import Trained
from approx.sweep.request import check_nouns
from approx.tasks import Task, shortened
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
        check_numbers(self)

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
    for label, view in study.views.items():
        if not isinstance(view, View):
            raise TypeError(
                f"the view {label!r} is {shortened(view)}; make one with ap.study.best_of or "
                "ap.study.until"
            )
        if label in study.rows:
            raise ValueError(f"a row and a view are both called {label!r}")
        require_label(study.rows, view.of, f"the view {label!r}")
    for claim in study.claims:
        check_claim(study, claim)
    for number in study.reported:
        if not isinstance(number, Reported):
            raise TypeError(f"reported has {shortened(number)}; make it with ap.study.Reported")
        require_label(study.labels, number.row, f"the reported number {number.text!r}")
    for label in study.options:
        require_label(study.rows, label, "options")
    for label in study.judged or ():
        require_label(study.labels, label, "judged")
    check_against(study)


def check_claim(study: Declaration, claim: Any) -> None:
    """Refuse a claim that is none, or that names a row or measure that there is not."""
    if not isinstance(claim, claiming.Claim):
        raise TypeError(
            f"claims has {shortened(claim)}; make it with ap.never, ap.usually, ap.helps, ..."
        )
    if claim.measure is not None and claim.kind != claiming.OWN:
        require_label(study.measures, claim.measure, f"the claim {claim.text!r}", "measure")
    for label in claim.labels:
        require_label(study.labels, label, f"the claim {claim.text!r}")


def check_against(study: Declaration) -> None:
    """Refuse comparisons of rows that there are not, or of a row with itself.

    Raises:
        ValueError: naming the label, and those that there are.
    """
    for label, other in study.against.items():
        require_label(study.labels, label, "against")
        require_label(study.labels, other, f"against, for {label!r},")
        if label == other:
            raise ValueError(f"against compares {label!r} with itself; name another row")
        if label in study.views and study.views[label].beside is not None:
            raise ValueError(f"against names the view {label!r}, which brings its own comparison")


def require_label(known: Any, label: str, what: str, kind: str = "row") -> None:
    """Raise a ValueError that lists the labels unless one of them is meant."""
    if label not in known:
        there = ", ".join(map(repr, known))
        raise ValueError(f"{what} names the {kind} {label!r}; there are only: {there}")


def check_numbers(study: Declaration) -> None:
    """Refuse numbers of a study that are out of their range."""
    if not 0 < study.matters < 1:
        raise ValueError(
            f"matters is {study.matters!r}; it is a difference of two rates between 0 and 1, such "
            "as 0.1"
        )
    if not 0 < study.tolerance < 1:
        raise ValueError(
            f"tolerance is {study.tolerance!r}; it is a share of a plateau's loss between 0 and 1, "
            "such as 0.02"
        )
    if not 0.5 <= study.level < 1:
        raise ValueError(f"level is {study.level!r}; give a probability such as 0.95")
    texts = [claim.text for claim in study.claims]
    if len(set(texts)) < len(texts):
        twice = next(text for text in texts if texts.count(text) > 1)
        raise ValueError(f"two claims have the text {twice!r}; give each its own")
