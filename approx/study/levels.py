"""How sure the intervals of a study must be, so that all its verdicts are right together."""

from collections.abc import Iterable

from approx.study.declaration import Declaration
from approx.study.samples import group_of, trained_label
from approx.study.trained import share_of_risk


def judged_labels(study: Declaration) -> list[str]:
    """The labels of those rows and views that get a verdict."""
    if study.judged is not None:
        return list(study.judged)
    found = [label for label, row in study.rows.items() if group_of(row) == "change"]
    return [*found, *study.views]


def verdicts_at_once(study: Declaration) -> int:
    """How many verdicts the report gives, all of which are to be right together."""
    return max(1, len(judged_labels(study)) + len(study.claims))


def level_of_one(study: Declaration, *labels: str) -> float:
    """The level of an interval of some rows that is looked at by itself.

    Where seeds are added until all is decided, it allows for all looks at the data. Rows that were
    decided early were looked at less often, and two rows are compared on the seeds of that one.
    """
    return level_at_look(study, min(looks_at(study, labels)))


def level_of_all(study: Declaration) -> float:
    """The level of an interval that may rest on all seeds of any row."""
    return level_at_look(study, max(looks_at(study, study.rows)))


def looks_at(study: Declaration, labels: Iterable[str]) -> list[int]:
    """At which look at the data each row or view is."""
    looks = study.trained.looks
    return [looks.get(trained_label(study, label), 1) for label in labels]


def level_at_look(study: Declaration, look: int) -> float:
    """The level of an interval at one look at the data, which may be one of several."""
    risk = 1 - study.level
    if study.trained.looked_often:
        risk *= share_of_risk(look)
    return 1 - risk


def level_of_verdict(study: Declaration, *labels: str) -> float:
    """The level of the interval that decides one verdict of all, about some rows."""
    risk = 1 - level_of_one(study, *labels)
    return 1 - risk / verdicts_at_once(study)
