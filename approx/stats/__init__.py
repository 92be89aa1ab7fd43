"""What happened: success, time, cost and comparison over seeds, as labelled arrays with intervals.

Every result names its quantity and carries `low`, `high` and `n` beside it.
"""

from approx.stats.comparisons import compare, mcnemar, pair
from approx.stats.intervals import binomial_interval
from approx.stats.rates import pick, profile, rate, reading, success
from approx.stats.times import kaplan_meier, restricted_mean, survival, time_quantiles, time_to_success

__all__ = [
    "binomial_interval",
    "compare",
    "kaplan_meier",
    "mcnemar",
    "pair",
    "pick",
    "profile",
    "rate",
    "reading",
    "restricted_mean",
    "success",
    "survival",
    "time_quantiles",
    "time_to_success",
]
