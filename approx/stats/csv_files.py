"""CSV files, whose numbers are read as they stand."""

from pathlib import Path
from typing import Any

import pandas as pd

# Before version 3.1 pandas rounds some numbers by their last digit unless it is told not to; since
# then it warns if it is told
_VERSION = tuple(int(part) for part in pd.__version__.split(".")[:2])
EXACTLY: dict[str, Any] = {"float_precision": "round_trip"} if _VERSION < (3, 1) else {}


def read_csv(path: Path | str, **options: Any) -> pd.DataFrame:
    """A table from a CSV file, as `pandas.read_csv` reads it with these options."""
    return pd.read_csv(path, **EXACTLY, **options)
