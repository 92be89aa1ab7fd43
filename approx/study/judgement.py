"""From trainings to the tables of an answer: rates, differences, verdicts, endings, effects."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from approx.stats.asymptotes import shares
from approx.stats.comparisons import compare
from approx.stats.costs import ert
from approx.stats.effects import effects
from approx.stats.evidence import EXACT, place_of
from approx.stats.evidence import Claim as Stated
from approx.stats.evidence import judge as judge_claim
from approx.stats.factorials import crossed
from approx.stats.kept import steps_kept
from approx.stats.outcomes import endings
from approx.stats.paired import improvement
from approx.stats.rates import rate, reading
from approx.stats.values import quantiles
from approx.study import claims as claiming
from approx.study import verdicts
from approx.study.answers import Answer
from approx.study.claims import BASELINE
from approx.study.declaration import Declaration
from approx.study.measures import Measure, hits_of, judged_values
from approx.study.plateaus import known_plateaus, training_rows
from approx.study.reported import placed
from approx.study.rows import Row
from approx.study.trained import share_of_risk
from approx.study.tuning import tuned_row
from approx.study.units import idle_share
from approx.sweep import facts

SPREAD = (0.05, 0.5, 0.95)  # the quantiles over seeds that are reported
UNEQUAL = 1.01  # budgets whose ratio is beyond count as different
NEAR = 0.8  # share of a budget at which a record still shows what it gave


class Sample(NamedTuple):
    """A row or a view with its trainings, as the tables are made of.

    Attributes:
        label: of the row or view.
        row: that was trained.
        runs: the trainings.
        hits: {name of a measure: which seeds succeed}.
        group: "baseline", "change", "cell" or "view".
        idle: the share of each seed's hidden units that are idle at the end, see `idle_of`.
        partner: of a view: the hits that it is compared with instead of the baseline's.
    """

    label: str
    row: Row
    runs: xr.Dataset
    hits: dict[str, xr.Dataset]
    group: str
    idle: np.ndarray
    partner: dict[str, xr.Dataset] | None = None


Samples = dict[str, Sample]


def judge(study: Declaration) -> Answer:
    """All tables of a study's answer.

    Raises:
        RuntimeError: nothing is trained yet.
    """
    samples = samples_of(study)
    if not samples:
        raise RuntimeError("nothing is trained yet; call study.run(seeds=256) first")
    main = next(iter(study.measures))
    rows = [line(study, samples, one, name) for name in study.measures for one in samples.values()]
    return Answer(
        facts=facts_of(study, samples),
        rows=pd.DataFrame(rows),
        endings=pd.DataFrame(
            [each for one in samples.values() for each in ending_lines(study, one, main)]
        ),
        effects=effects_table(study, samples, main),
        claims=claims_table(study, samples),
        reported=reported_table(study, samples),
    )


def samples_of(study: Declaration) -> Samples:
    """Every trained row and view with its hits."""
    found = {}
    for label in study.labels:
        if study.trained.has(study.views, label):
            found[label] = sample_of(study, label)
    return found


def sample_of(study: Declaration, label: str) -> Sample:
    """One trained row or view with its hits."""
    runs = study.trained.runs(study.views, label)
    hits = {name: hits_of(name, measure, runs) for name, measure in study.measures.items()}
    row = tuned_row(study, trained_label(study, label))
    if label not in study.views:
        return Sample(label, row, runs, hits, group_of(row), idle_of(row, runs))
    view = study.views[label]
    partner = None
    if view.beside is not None:
        others = view.beside(study.trained.runs(study.views, view.of))
        partner = {name: hits_of(name, measure, others) for name, measure in study.measures.items()}
    idle = idle_of(row, runs)
    return Sample(label, row._replace(change=view.says), runs, hits, "view", idle, partner)


def group_of(row: Row) -> str:
    """Which group of rows a row belongs to."""
    if row.label == BASELINE:
        return "baseline"
    return "cell" if row.levels else "change"


# ---- how sure the verdicts must be ---------------------------------------------------------------


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


# ---- rows ----------------------------------------------------------------------------------------


def line(study: Declaration, samples: Samples, one: Sample, name: str) -> dict[str, Any]:
    """One line of the table of rows: a row by one measure."""
    hits = one.hits[name]
    level = level_of_one(study, one.label)
    found = rate(hits, when=study.when, level=level)
    row: dict[str, Any] = {
        "measure": name,
        "label": one.label,
        "group": one.group,
        "change": one.row.change,
        "n": int(found.n),
        "successes": int(found.successes),
        "rate": float(found.rate),
        "low": float(found.low),
        "high": float(found.high),
    }
    row |= difference_of(study, samples, one, name)
    row |= equal_budget(study, samples, one, name)
    row |= value_at_end(study.measures[name], one, level)
    row |= better_values(study, samples, one, name)
    row |= cost(hits, level)
    row |= about(study, one)
    return row


def difference_of(study: Declaration, samples: Samples, one: Sample, name: str) -> dict[str, Any]:
    """How much a row's rate differs from that of the baseline or another row, and the verdict."""
    other = partner_of(study, samples, one, name)
    if other is None:
        return {}
    hits, others = on_common_seeds(one.hits[name], other)
    n = hits.sizes["seed"]
    pair: dict[Hashable, xr.Dataset] = {"row": hits, "other": others}
    labels = compared_labels(study, one)
    level = level_of_one(study, *labels)
    beside = compare(pair, "row", "other", when=study.when, level=level)
    found: dict[str, Any] = {
        "against": study.against.get(one.label, ""),
        "pairs": n,
        "difference": float(beside.difference),
        "difference_low": float(beside.low),
        "difference_high": float(beside.high),
        "pvalue": float(beside.pvalue),
    }
    main = next(iter(study.measures))
    if name != main or one.label not in judged_labels(study):
        return found
    level = level_of_verdict(study, *labels)
    deciding = compare(pair, "row", "other", when=study.when, level=level, interval=EXACT)
    low, high = float(deciding.low), float(deciding.high)
    return found | {
        "deciding_low": low,
        "deciding_high": high,
        "deciding_level": level,
        "verdict": verdicts.finding(low, high, study.matters),
    }


def partner_of(study: Declaration, samples: Samples, one: Sample, name: str) -> xr.Dataset | None:
    """The hits that a row is compared with: another row's, or its own partner's."""
    if one.partner is not None:
        return one.partner[name]
    other = study.other_of(one.label)
    if one.label == other or other not in samples:
        return None
    return samples[other].hits[name]


def compared_labels(study: Declaration, one: Sample) -> list[str]:
    """The labels of the rows whose seeds a comparison rests on."""
    if one.partner is not None:
        return [one.label]
    return [one.label, study.other_of(one.label)]


def on_common_seeds(one: xr.Dataset, other: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """Two hits, or two runs, on the seeds that both have."""
    seeds = np.intersect1d(one.seed.values, other.seed.values)
    return one.sel(seed=seeds), other.sel(seed=seeds)


def equal_budget(study: Declaration, samples: Samples, one: Sample, name: str) -> dict[str, Any]:
    """The difference to the other row where both have seen equally many rows; {} if they always do.

    The side with the larger budget is judged at its last record within the smaller one.
    """
    hits = one.hits[name]
    label = study.other_of(one.label)
    if one.partner is not None or one.label == label or label not in samples:
        return {}
    base = samples[label]
    if "step" not in hits.dims or "step" not in base.hits[name].dims or study.when != "last":
        return {}
    mine, its = rows_seen(one), rows_seen(base)
    budget = min(mine[-1], its[-1])
    if max(mine[-1], its[-1]) <= UNEQUAL * budget:
        return {}
    if min(last_within(mine, budget), last_within(its, budget)) < NEAR * budget:
        return {}  # the longer training has no record near the end of the shorter one
    cut, other = within(hits, mine, budget), within(base.hits[name], its, budget)
    cut, other = on_common_seeds(cut, other)
    level = level_of_one(study, one.label, label)
    pair: dict[Hashable, xr.Dataset] = {"row": cut, "other": other}
    found = compare(pair, "row", "other", level=level)
    return {
        "equal_rows_seen": float(budget),
        "equal_difference": float(found.difference),
        "equal_low": float(found.low),
        "equal_high": float(found.high),
    }


def rows_seen(one: Sample) -> np.ndarray:
    """How many rows a training has seen at each record."""
    return one.runs.step.values * facts.find(one.row.task, one.row.recipe).rows_in_step


def last_within(seen: np.ndarray, budget: float) -> float:
    """How many rows were seen at the last record within a number of rows."""
    return float(np.max(seen, where=seen <= UNEQUAL * budget, initial=0))


def within(hits: xr.Dataset, seen: np.ndarray, budget: float) -> xr.Dataset:
    """The records of hits up to a number of rows seen."""
    return hits.isel(step=seen <= UNEQUAL * budget)


def value_at_end(measure: Measure, one: Sample, level: float) -> dict[str, float]:
    """The judged value of the seeds at the end: its 5, 50 and 95% quantiles, the median's ends."""
    values = judged_values(measure, one.runs)
    if values is None:
        return {}
    (name,) = values
    found = quantiles(values, str(name), SPREAD, level=level)
    low, middle, high = found[name].values.tolist()
    return {
        "q05": low,
        "median": middle,
        "q95": high,
        "median_low": float(found.low[1]),
        "median_high": float(found.high[1]),
    }


def better_values(study: Declaration, samples: Samples, one: Sample, name: str) -> dict[str, Any]:
    """How many seeds end with a better judged value than with the other row."""
    label = study.other_of(one.label)
    if one.partner is not None or one.label == label or label not in samples:
        return {}
    mine = judged_values(study.measures[name], one.runs)
    its = judged_values(study.measures[name], samples[label].runs)
    if mine is None or its is None:
        return {}
    row, other = on_common_seeds(mine, its)
    (of,) = row
    pair: dict[Hashable, xr.Dataset] = {"row": row, "other": other}
    level = level_of_one(study, one.label, label)
    found = improvement(pair, "row", "other", of=str(of), pairs="seed", level=level)
    return {
        "better": float(found.improvement),
        "better_low": float(found.low),
        "better_high": float(found.high),
    }


def cost(hits: xr.Dataset, level: float) -> dict[str, float]:
    """The expected number of steps to a success by restarts, with its interval."""
    if "step" not in hits.dims or hits.sizes["step"] < 2:
        return {}
    found = ert(hits, level=level)
    return {"ert": float(found.ert), "ert_low": float(found.low), "ert_high": float(found.high)}


def about(study: Declaration, one: Sample) -> dict[str, Any]:
    """What else is said of a row: its steps, what diverged, idle units, tuned numbers."""
    last = one.runs.loss.isel(step=-1)
    tuned = study.trained.tuned.get(trained_label(study, one.label), {})
    return {
        "steps": int(one.runs.step[-1]),
        "diverged": int((~np.isfinite(last)).sum()),
        "idle_units": mean_known(one.idle),
        "tuned": "; ".join(f"{name} = {value:g}" for name, value in tuned.items()),
        "fingerprint": str(one.runs.attrs.get("fingerprint", ""))[:12],
    }


def trained_label(study: Declaration, label: str) -> str:
    """The label of the row that was trained, through all views."""
    while label in study.views:
        label = study.views[label].of
    return label


def idle_of(row: Row, runs: xr.Dataset) -> np.ndarray:
    """The share of every seed's hidden units that are idle at the end; nan if it is unknown."""
    unknown = np.full(runs.sizes["seed"], np.nan)
    if "params" not in runs.attrs or not params_are_last(runs):
        return unknown
    rows = next(training_rows(row.task, 0))
    share = idle_share(runs, row.recipe.model, rows.x)
    return unknown if share is None else share.values


def mean_known(values: np.ndarray) -> float:
    """The mean of the values that are known; nan if none is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else np.nan


def params_are_last(runs: xr.Dataset) -> bool:
    """Whether the last parameters that were kept are those of the last record."""
    return int(steps_kept(runs)[-1]) == int(runs.step[-1])


# ---- endings and effects -------------------------------------------------------------------------


def ending_lines(study: Declaration, one: Sample, name: str) -> list[dict[str, Any]]:
    """How many seeds of a row ended in each way, those ways left out that no seed took."""
    found = endings(
        one.runs,
        reading(one.hits[name], study.when),
        plateaus_of(study, one),
        tolerance=study.tolerance,
        fits=fits_of(study, one),
    )
    counted = shares(found, level=level_of_one(study, one.label))
    lines = []
    for kind in counted.kind.values.tolist():
        here = counted.sel(kind=kind)
        if not int(here.successes):
            continue
        lines.append(
            {
                "label": one.label,
                "ending": kind,
                "n": int(here.n),
                "seeds": int(here.successes),
                "rate": float(here.rate),
                "low": float(here.low),
                "high": float(here.high),
                "idle_units": mean_known(one.idle[found.kind.values == kind]),
            }
        )
    return lines


def plateaus_of(study: Declaration, one: Sample) -> Mapping[str, float]:
    """The training losses at which a row may stay, by name."""
    if callable(study.plateaus):
        return study.plateaus(one.row.label)
    if study.plateaus is not None:
        return study.plateaus
    return known_plateaus(one.row.task, recipe=one.row.recipe)


def fits_of(study: Declaration, one: Sample) -> float | None:
    """The training loss at or below which a row's training data count as fitted."""
    if callable(study.fits):
        return study.fits(one.row.label)
    return study.fits


def effects_table(study: Declaration, samples: Samples, name: str) -> pd.DataFrame:
    """What each level of each factor changes, averaged over the others; empty without factors.

    Levels of which no combination is trained are left out.
    """
    cells = {one.row.levels: one for one in samples.values() if one.row.levels}
    if not study.factors or not cells:
        return pd.DataFrame()
    hits = {levels: one.hits[name] for levels, one in cells.items() if one.group == "cell"}
    seeds = min(each.sizes["seed"] for each in hits.values())
    same: dict[tuple[Hashable, ...], xr.DataArray | xr.Dataset] = {}
    for its_levels, each in hits.items():
        same[its_levels] = each.isel(seed=slice(seeds))
    levels = {factor: list(its) for factor, its in study.factors.items()}
    table = crossed(same, levels, study.when)
    labels = [one.label for one in cells.values()]
    found = effects(table, interactions=True, level=level_of_one(study, *labels))
    frame = found.to_dataframe().reset_index()
    return frame[frame.cells > 0]


# ---- claims and reported numbers -----------------------------------------------------------------


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


# ---- what is said of the whole -------------------------------------------------------------------


def facts_of(study: Declaration, samples: Samples) -> dict[str, Any]:
    """What the report says of the whole study."""
    sizes = [one.runs.sizes["seed"] for one in samples.values() if one.group != "view"]
    return {
        "title": study.title,
        "source": study.source,
        "measures": {name: measure.says for name, measure in study.measures.items()},
        "when": study.when,
        "matters": study.matters,
        "level": study.level,
        "verdicts": verdicts_at_once(study),
        "looked_often": study.trained.looked_often,
        "seeds": int(max(sizes)),
        "not_trained": [label for label in study.labels if label not in samples],
        "factors": {name: list(levels) for name, levels in study.factors.items()},
        "claimed": claimed_labels(study),
    }


def claimed_labels(study: Declaration) -> list[str]:
    """The rows and views that a claim names, in their order."""
    named = {label for claim in study.claims for label in (claim.row, claim.against)}
    return [label for label in study.labels if label in named]


def undecided_rows(study: Declaration) -> list[str]:
    """The labels of the rows that need more seeds: those of verdicts and claims not decided yet."""
    answer = judge(study)
    needed: set[str] = set()
    rows = answer.main_rows
    if "verdict" in rows:
        open_rows = rows[rows.verdict.notna() & ~rows.verdict.isin(verdicts.DECIDED)]
        for label in open_rows.label:
            needed |= {trained_label(study, label), trained_label(study, study.other_of(label))}
    by_text = {claim.text: claim for claim in study.claims}
    for _, line_ in answer.claims.iterrows():
        if line_.verdict == verdicts.UNDECIDED:
            needed |= rows_of_claim(study, by_text[line_.claim])
    return [label for label in study.rows if label in needed]


def rows_of_claim(study: Declaration, claim: claiming.Claim) -> set[str]:
    """The rows that must be trained for a claim."""
    return {trained_label(study, label) for label in labels_of_claim(study, claim)}


def labels_of_claim(study: Declaration, claim: claiming.Claim) -> list[str]:
    """The rows and views that a claim is about; all rows for an effect of one's own."""
    if claim.kind == claiming.OWN:
        return list(study.rows)
    return [label for label in (claim.row, claim.against) if label]
