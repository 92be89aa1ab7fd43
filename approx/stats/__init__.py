"""What happened: success, time, cost and comparison over seeds, as labelled arrays with intervals.

Most statistics begin with `hits = success(runs, below=...)`, which says at which records each
training is in success. The functions by question:

    how often        success, reading, rate, profile, report, table
    how long         time_to_success, time_quantiles, restricted_mean, survival, kaplan_meier
    what it costs    ert, tries_needed, best_cutoff, restart, restart_gain
    which is better  compare, compare_values, compare_times, improvement, ert_ratio, mcnemar,
                     logrank, pair, ranking, discoveries, performance_profile
    what values      quantiles, order_quantiles, aggregate, best_of, pick, exponent
    several at once  ensemble, best_seeds
    what of factors  crossed, effects, variance_components
    why it fails     endings, failure_causes, excess, below_floor, plateaus, falling
    what it becomes  asymptote, symmetry, error_by_distance, phase_tolerant_error, shares
    in the plane     surface, decisions
    what a map says  boundary, best, highest, majority
    how many seeds   plan, power, seeds_for_power, seeds_for_width, enough, running_rate,
                     confidence_sequence
    is a claim true  Claim, claims, verdict, claims_table, claims_page, write_claims, read_claims;
                     the regions ALWAYS, USUALLY, RARELY, NEVER, HELPS, SAME, HURTS, BETTER, WORSE
    is it ordinary   Reported, reported, reported_table
    plain intervals  binomial_interval, mean_interval, paired_interval

Results are Datasets or arrays over the settings. An estimate has `low`, `high` (its interval) and
`n` (how many seeds) beside it. A training that diverged is never left out: it counts as a failure,
as one that has not succeeded by the last step, and as the worst value there is. A hit that is nan
says that nobody judged this training, and is refused.
"""

from approx.stats import former_names
from approx.stats.asymptotes import asymptote, shares
from approx.stats.boundaries import boundary
from approx.stats.bounded_means import mean_interval
from approx.stats.claims_pages import claims_page
from approx.stats.comparisons import compare, mcnemar, pair
from approx.stats.costs import ert, tries_needed
from approx.stats.effects import effects
from approx.stats.endings import falling, plateaus
from approx.stats.ensembles import best_seeds, ensemble
from approx.stats.evidence import (
    ALWAYS,
    BETTER,
    HELPS,
    HURTS,
    NEVER,
    RARELY,
    SAME,
    USUALLY,
    WORSE,
    Claim,
    Reported,
    claims,
    reported,
    verdict,
)
from approx.stats.evidence_files import claims_table, read_claims, reported_table, write_claims
from approx.stats.extrapolation import error_by_distance, symmetry
from approx.stats.factorials import crossed
from approx.stats.failures import below_floor, excess, failure_causes
from approx.stats.intervals import binomial_interval, order_quantiles
from approx.stats.kept import pick
from approx.stats.maps import best, highest, majority
from approx.stats.outcomes import endings
from approx.stats.paired import compare_values, ert_ratio, improvement
from approx.stats.paired_intervals import paired_interval
from approx.stats.phases import phase_tolerant_error
from approx.stats.planes import decisions, surface
from approx.stats.planning import plan, power, seeds_for_power, seeds_for_width
from approx.stats.powers import exponent
from approx.stats.profiles import profile
from approx.stats.rankings import discoveries, performance_profile, ranking
from approx.stats.rates import rate, reading, success
from approx.stats.reports import report, table
from approx.stats.restarts import best_cutoff, restart, restart_gain
from approx.stats.sequences import confidence_sequence, enough, running_rate
from approx.stats.several_seeds import best_of
from approx.stats.survival_curves import kaplan_meier, survival
from approx.stats.time_tests import compare_times, logrank
from approx.stats.times import restricted_mean, time_quantiles, time_to_success
from approx.stats.values import aggregate, quantiles
from approx.stats.variance import variance_components

__all__ = [
    "ALWAYS",
    "BETTER",
    "HELPS",
    "HURTS",
    "NEVER",
    "RARELY",
    "SAME",
    "USUALLY",
    "WORSE",
    "Claim",
    "Reported",
    "aggregate",
    "asymptote",
    "below_floor",
    "best",
    "best_cutoff",
    "best_of",
    "best_seeds",
    "binomial_interval",
    "boundary",
    "claims",
    "claims_page",
    "claims_table",
    "compare",
    "compare_times",
    "compare_values",
    "confidence_sequence",
    "crossed",
    "decisions",
    "discoveries",
    "effects",
    "endings",
    "enough",
    "ensemble",
    "error_by_distance",
    "ert",
    "ert_ratio",
    "excess",
    "exponent",
    "failure_causes",
    "falling",
    "highest",
    "improvement",
    "kaplan_meier",
    "logrank",
    "majority",
    "mcnemar",
    "mean_interval",
    "order_quantiles",
    "pair",
    "paired_interval",
    "performance_profile",
    "phase_tolerant_error",
    "pick",
    "plan",
    "plateaus",
    "power",
    "profile",
    "quantiles",
    "ranking",
    "rate",
    "read_claims",
    "reading",
    "report",
    "reported",
    "reported_table",
    "restart",
    "restart_gain",
    "restricted_mean",
    "running_rate",
    "seeds_for_power",
    "seeds_for_width",
    "shares",
    "success",
    "surface",
    "survival",
    "symmetry",
    "table",
    "time_quantiles",
    "time_to_success",
    "tries_needed",
    "variance_components",
    "verdict",
    "write_claims",
]

FORMER = {"split": "failure_causes", "variance_split": "variance_components"}
__getattr__ = former_names.finder(__name__, FORMER, globals())
