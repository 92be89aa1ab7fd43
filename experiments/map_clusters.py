"""Maps of the clusters: which dropout and learning rate serve ten units, with and without biases.

Question: test accuracy over 25 rates of dropout and 32 learning rates, 32 seeds each: the thread's
5-10-4 relu network with the right derivatives, half the sum of squares, batches of 32, eight passes
over the 8,000 rows; with biases and without. Works: an accuracy of at least 0.882, a linear
softmax's.
Source: the thread on four clusters has dropout 0.5, no biases, and is "stuck at 0.6".
Expected finding: dropout hurts ten units at any rate; without biases no setting works.
Found: both. The best median without biases is 0.834, with them 0.918, each with no dropout; of
25,600 trainings without biases none works, of those with them 15%.
Cost: eight and a half minutes on two cores. Writes results/map_clusters_{bare,biases}.nc,
and the rates of both, experiments/summaries/map_clusters_{bare,biases}_rates.nc.
"""

from pathlib import Path

import tyro

import approx as ap

RESULTS = Path(__file__).parents[1] / "results"
SUMMARIES = Path(__file__).parent / "summaries"
PASSES, PASS = 8, 250
WORKS = 0.882
AXES = {
    "learning_rate": ap.study.Axis(1e-3, 3),
    "dropout": ap.study.Axis(0, 0.9, log=False, share=25 / 32),
}


def accuracies(biases: bool) -> ap.study.Map:
    """The thread's network, with biases or without."""
    model = ap.MLP(
        (10,),
        "relu",
        outputs=4,
        bias=biases,
        initializer="uniform",
        init_scale=0.1,
        dropout=0.5,
    )
    records = tuple(PASS * n for n in range(PASSES + 1))
    recipe = ap.Recipe(
        model=model, optimizer="sgd", batch_size=32, steps=records[-1], records=records
    )
    return ap.study.Map(
        ap.tasks.clusters(),
        recipe,
        axes=AXES,
        above=WORKS,
        of="test_accuracy",
        quick={"epochs": 2},
    )


MAPS = {"bare": accuracies(False), "biases": accuracies(True)}
main = ap.study.maps_script("map_clusters", MAPS, RESULTS, SUMMARIES)

if __name__ == "__main__":
    tyro.cli(main)
