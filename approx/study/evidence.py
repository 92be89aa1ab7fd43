"""The claims of a study and the numbers that its source reports, measured and judged."""

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

import pandas as pd
import xarray as xr

from approx.stats.comparisons import compare
from approx.stats.evidence import Claim as Stated
from approx.stats.evidence import judge as judge_claim
from approx.stats.evidence import place_of
from approx.stats.paired import improvement
from approx.stats.rates import rate
from approx.study import claims as claiming
from approx.study import verdicts
from approx.study.declaration import Declaration
from approx.study.levels import level_of_all, level_of_one, verdicts_at_once
from approx.study.measures import hits_of
from approx.study.reported import placed
from approx.study.samples import Samples, on_common_seeds, trained_label


def claims_table(study: Declaration, samples: Samples) -> pd.DataFrame:
    """Every claim about trained rows, measured and judged; empty without claims."""
    lines = []
    for claim in study.claims:
        if claim.kind == claiming.OWN:
            lines += own_claim_line(study, samples, claim)
        elif all(label in samples for label in labels_of_claim(study, claim)):
            lines.append(claim_line(study, samples, claim))
    return pd.DataFrame(lines)


def own_claim_line(
    study: Declaration, samples: Samples, claim: claiming.Claim
) -> list[dict[str, Any]]:
    """The line of an effect of one's own; none if it asks for a row that is not trained yet."""
    try:
        return [claim_line(study, samples, claim)]
    except KeyError as error:
        asked = error.args[0] if error.args else None
        if asked in study.labels and asked not in samples:
            return []
        raise


def claim_line(study: Declaration, samples: Samples, claim: claiming.Claim) -> dict[str, Any]:
    """One line of the table of claims."""
    stated = stated_claim(study, samples, claim)
    many = verdicts_at_once(study)
    level = level_of_claim(study, claim)
    found: dict[str, Any] = {
        "claim": claim.text,
        "source": study.source or study.title,
        "level": study.level,
    }
    found |= judge_claim(stated, level, many)
    found["remark"] = ""
    if claim.kind == claiming.DIFFERENCE:
        low, high = float(found["low_all"]), float(found["high_all"])
        matters = margin(claim, study.matters)
        found["remark"] = verdicts.remark(low, high, matters, found["verdict"], claim.sign)
    return found


def level_of_claim(study: Declaration, claim: claiming.Claim) -> float:
    """The level of an interval of a claim that is looked at by itself."""
    if claim.kind == claiming.OWN:
        return level_of_all(study)
    return level_of_one(study, *labels_of_claim(study, claim))


def margin(claim: claiming.Claim, matters: float) -> float:
    """The smallest difference that a claim counts."""
    if claim.holds is None:
        return matters
    return min(abs(end) for end in claim.holds)


def stated_claim(study: Declaration, samples: Samples, claim: claiming.Claim) -> Stated:
    """A claim with the function that measures its effect, as `stats.claims` takes it."""
    holds = holds_of(study, claim)
    if claim.effect is not None:
        runs = {label: one.runs for label, one in samples.items()}
        own = partial(claim.effect, runs)
        return Stated(claim.text, claim.compared, claim.measure or "", own, holds)
    name = claim.measure or next(iter(study.measures))
    says = study.measures[name].says
    first = samples[claim.row]
    if claim.kind == claiming.RATE:
        often = partial(rate, first.hits[name], when=study.when)
        return Stated(claim.text, claim.row, says, often, holds)
    compared = f"{claim.row} against {claim.against}"
    pair: dict[Hashable, xr.Dataset]
    one, other = sides_of(study, samples, claim)
    if claim.kind == claiming.VALUES:
        pair = {"row": one, "other": other}
        better = partial(improvement, pair, "row", "other", of=claim.of, pairs="seed")
        return Stated(claim.text, compared, f"better {claim.of}", better, holds)
    measure = study.measures[name]
    pair = {"row": hits_of(name, measure, one), "other": hits_of(name, measure, other)}
    more = partial(compare, pair, "row", "other", when=study.when)
    return Stated(claim.text, compared, says, more, holds)


def sides_of(
    study: Declaration, samples: Samples, claim: claiming.Claim
) -> tuple[xr.Dataset, xr.Dataset]:
    """The trainings of the two rows of a claim in pairs that are independent of each other.

    A view that has something beside it is paired with the same of the other row: the best of each
    group of seeds with the other row's first seed of that group.
    """
    labels = claim.row, str(claim.against)
    runs, others = (samples[label].runs for label in labels)
    mine, its = (besides_of(study, label) for label in labels)
    if mine is not None and its is None:
        others = mine(others)
    if its is not None and mine is None:
        runs = its(runs)
    return on_common_seeds(runs, others)


def besides_of(study: Declaration, label: str) -> Callable[[xr.Dataset], xr.Dataset] | None:
    """The function that gives what a view is compared with; None for others."""
    if label not in study.views:
        return None
    return study.views[label].beside


def holds_of(study: Declaration, claim: claiming.Claim) -> tuple[float, float]:
    """The region in which a claim's effect must lie."""
    if claim.holds is not None:
        return claim.holds
    if claim.sign > 0:
        return study.matters, 1.0
    if claim.sign < 0:
        return -1.0, -study.matters
    return -study.matters, study.matters


def reported_table(study: Declaration, samples: Samples) -> pd.DataFrame:
    """Every reported number of a trained row among our seeds; empty without such numbers."""
    lines = []
    for number in study.reported:
        if number.row in samples:
            found = place_of(placed(number, samples[number.row].runs), study.level)
            about_it = {"number": number.text, "source": study.source, "level": study.level}
            lines.append(about_it | dict(found))
    return pd.DataFrame(lines)


def rows_of_claim(study: Declaration, claim: claiming.Claim) -> set[str]:
    """The rows that must be trained for a claim."""
    return {trained_label(study, label) for label in labels_of_claim(study, claim)}


def labels_of_claim(study: Declaration, claim: claiming.Claim) -> list[str]:
    """The rows and views that a claim is about; all rows for an effect of one's own."""
    if claim.kind == claiming.OWN:
        return list(study.rows)
    return [label for label in (claim.row, claim.against) if label]
