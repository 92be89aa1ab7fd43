#!/usr/bin/env bash
# Expected: a bootstrap interval of a success rate lies between 0 and 1, since every resample's rate does.
# Found: arch's conf_int means, unless told otherwise, the "basic" interval, which mirrors the resamples at the
#   estimate: 2 successes of 40 get an interval that begins below zero. Its method "percentile" stays inside; SciPy's
#   bootstrap, left alone, does too.
# Version: arch 8.0.0.
# Consequence: rates of small networks are often near 0 or 1, where this interval is mirrored into the impossible side
#   and away from where the truth may be. Use a Wilson or Clopper-Pearson interval for rates.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq arch==8.0.0 scipy==1.18.1 numpy==2.5.5
"$folder/venv/bin/python" -W ignore - <<'PY'
from importlib.metadata import version

import numpy as np
from arch.bootstrap import IIDBootstrap
from scipy.stats import bootstrap

hits = np.r_[np.ones(2), np.zeros(38)]
usual = IIDBootstrap(hits, seed=1).conf_int(np.mean, 2000).ravel()
percentile = IIDBootstrap(hits, seed=1).conf_int(np.mean, 2000, method="percentile").ravel()
scipys = bootstrap((hits,), np.mean, n_resamples=2000, rng=np.random.default_rng(1)).confidence_interval
print("arch", version("arch"))
print("2 of 40, arch, no method named:", usual)
print("2 of 40, arch, percentile:     ", percentile)
print("2 of 40, scipy, no method named:", np.array(scipys))
assert usual[0] < 0 <= percentile[0] and scipys.low >= 0, "the behaviour changed"
PY
