"""From trainings to the tables of an answer."""

from typing import Any

import pandas as pd

from approx.study import verdicts
from approx.study.answers import Answer
from approx.study.declaration import Declaration
from approx.study.evidence import claims_table, reported_table, rows_of_claim
from approx.study.levels import judged_labels, verdicts_at_once
from approx.study.lines import line
from approx.study.outcomes import effects_table, ending_lines
from approx.study.samples import Samples, samples_of, trained_label


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
    """The labels of the rows that need more seeds: those of verdicts and claims not decided yet.

    A study without verdicts and claims, such as a factorial, is never decided.
    """
    if not judged_labels(study) and not study.claims:
        return list(study.rows)
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
