"""Maps of the waveform: how many classes at which learning rate.

Question: accuracy on fresh rows over 2 to 64 classes and 32 learning rates, 32 seeds each: the
thread's network of 200-K-2K-K sigmoids, one fresh row of each class a batch, 1,000 batches; SGD,
and Adam (Keras'). Learned: an accuracy of at least 0.99.
Source: the thread on "the class of x / 256 is x" has one network and one rate.
Expected finding: the more classes, the narrower the band of rates; SGD's ends at a few classes.
Found: both. Adam's band narrows from both sides, to 0.006 to 0.018 at 64 classes, where 81% [65,
91] of 32 seeds learn at best; Keras' default of 0.001 learns 2 and 4 classes, and 16 and more for
no seed. SGD learns 2 classes for 88% of the seeds at its best rate, 8 for 53%, 16 for 6%, 32 and 64
for none.
Cost: six minutes on two cores. Writes results/map_waveform_{sgd,adam}_{CLASSES}.nc, and the rates
of each, experiments/summaries/map_waveform_{sgd,adam}_{CLASSES}_rates.nc.
"""

from itertools import product
from pathlib import Path

import tyro

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
SUMMARIES = Path(__file__).parent / "summaries"
STEPS = 1_000
CLASSES = (2, 4, 8, 16, 32, 64)
OPTIMIZERS = {"sgd": "sgd", "adam": "adam_keras"}
LEARNED = 0.99


def rates(optimizer: str, classes: int) -> ap.study.Map:
    """The thread's network for that many classes, over the learning rate."""
    model = ap.MLP((classes, 2 * classes), "sigmoid", outputs=classes, initializer="keras")
    records = {round(STEPS * share) for share in (0, 0.1, 0.25, 0.5, 0.75, 1)}
    recipe = ap.Recipe(
        model=model,
        optimizer=OPTIMIZERS[optimizer],
        batches="stream",
        batch_size=classes,
        steps=STEPS,
        records=tuple(sorted(records)),
    )
    return ap.study.Map(
        ap.tasks.waveform(classes=classes),
        recipe,
        axes={"learning_rate": ap.study.Axis(1e-4, 10)},
        above=LEARNED,
        of="test_accuracy",
        quick={"steps": 50},
        quick_points=5,
    )


MAPS = {
    f"{optimizer}_{classes}": rates(optimizer, classes)
    for optimizer, classes in product(OPTIMIZERS, CLASSES)
}
main = ap.study.maps_script("map_waveform", MAPS, RESULTS, SUMMARIES)

if __name__ == "__main__":
    tyro.cli(main)
