"""Draw the rows of `tasks.clusters` with scikit-learn and keep them: `python
tests/recorded/clusters.py`.

They come from `RandomState(1)`, whose numbers NumPy promises not to change; arrays are kept without
pickles.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

PATH = Path(__file__).parents[2] / "approx" / "tasks" / "clusters.npz"


def draw() -> dict[str, np.ndarray]:
    """The rows as the thread draws and splits them."""
    x, y = make_classification(
        n_samples=10000, n_features=5, n_classes=4, n_clusters_per_class=1, random_state=1
    )
    x, x_test, y, y_test = train_test_split(x, y, test_size=0.2, random_state=1)
    return {"x": x, "x_test": x_test, "y": y.astype(np.int8), "y_test": y_test.astype(np.int8)}


if __name__ == "__main__":
    np.savez_compressed(PATH, **draw())
