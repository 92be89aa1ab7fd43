"""Train x² with ten hidden units for 200 seeds in the frameworks themselves and here, and compare.

    python tests/parity/compare.py [names] [--seeds 200] [--folder .parity]

Each framework is installed at a pinned version into an environment of its own below the folder:
Python packages by pip, JavaScript by npm, FANN and Weka from Debian's packages; R's nnet must be
there. What cannot be had is said so. For every framework one line is printed: the median error
there and here, the Kolmogorov-Smirnov test of the two distributions, Fisher's test of the shares
below 1e-3, and the seconds that each took.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

import approx as ap
from approx import frameworks

HERE = Path(__file__).parent
X = np.linspace(-1, 1, 21)[:, None]
Y = X**2
BELOW = 1e-3
SUSPICIOUS = 1e-3


@dataclass(frozen=True)
class Case:
    """One framework.

    Attributes:
        install: shell commands that are run once in its folder, with HERE for this directory.
        train: a shell command, with HERE and SEEDS, that prints the errors as JSON.
        question: from what it printed, the task and the recipe here.
    """

    install: Sequence[str]
    train: str
    question: Callable[[Any], Any]


def pip(python: str, *packages: str) -> list[str]:
    """Commands that make an environment with these packages."""
    return [f"{python} -m venv env", f"env/bin/pip install -q {' '.join(packages)}"]


def npm(package: str) -> list[str]:
    """Commands that install a package for node."""
    return [f"npm install --silent --no-audit --no-fund --ignore-scripts {package}"]


def debian(*packages: str) -> list[str]:
    """Commands that unpack Debian's packages without installing them."""
    fetched = [f"apt-get -qq download {package}" for package in packages]
    return [*fetched, "for package in *.deb; do dpkg -x $package root; done"]


def of_objects(name: str) -> Callable[[Any], Any]:
    """The question of objects that were printed as dictionaries."""

    def question(printed: Any) -> Any:
        module = getattr(frameworks, name)
        if "fit" in printed:
            return module.translated(printed["said"], X, Y, printed["fit"])
        return module.translated(printed["said"], X, Y[:, 0])

    return question


def of_words(name: str, **words: Any) -> Callable[[Any], Any]:
    """The question by the words of a framework."""

    def question(printed: Any) -> Any:
        del printed
        return getattr(frameworks, name).question(X, Y, **words)

    return question


SMALL = "env/bin/python HERE/small_libraries.py"
NODE = "cp HERE/javascript.cjs . && node javascript.cjs"
CASES = {
    "keras": Case(
        pip(sys.executable, "keras==3.15.1", "jax"),
        "env/bin/python HERE/keras_net.py SEEDS",
        of_objects("keras"),
    ),
    "pytorch": Case(
        pip("python3", "torch==2.13.0", "numpy"),
        "env/bin/python HERE/pytorch_net.py SEEDS",
        of_objects("pytorch"),
    ),
    "sklearn": Case(
        pip(sys.executable, "scikit-learn==1.9.1"),
        "env/bin/python HERE/sklearn_net.py SEEDS",
        of_objects("sklearn"),
    ),
    "nnet": Case(
        ["Rscript -e 'library(nnet)'"],
        "Rscript HERE/nnet.R SEEDS",
        of_words("nnet", size=10),
    ),
    "fann": Case(
        [
            *debian("libfann2", "libfann-dev"),
            "cc -Iroot/usr/include HERE/fann.c $(find root -name libfann.so.2) -lm -o fann",
        ],
        "LD_LIBRARY_PATH=$(dirname $(find root -name libfann.so.2)) ./fann SEEDS",
        of_words("fann", num_neurons_hidden=10, max_epochs=1000),
    ),
    "brainjs": Case(
        npm("brain.js@1.6.1"),
        f"{NODE} brainjs SEEDS",
        of_words("brainjs", hiddenLayers=[10]),
    ),
    "synaptic": Case(
        npm("synaptic@1.1.4"),
        f"{NODE} synaptic SEEDS",
        of_words("synaptic", hidden=10),
    ),
    "convnetjs": Case(
        npm("convnetjs@0.3.0"),
        f"{NODE} convnetjs SEEDS",
        of_words("convnetjs", hidden=10, epochs=1000, activation="tanh"),
    ),
    "tfjs": Case(
        npm("@tensorflow/tfjs@4.22.0"),
        f"{NODE} tfjs SEEDS",
        of_words("tfjs", units=10, epochs=200, activation="tanh", optimizer="adam"),
    ),
    "weka": Case(
        [
            *debian("weka"),
            "javac -cp $(find root -name weka.jar) -d . HERE/WekaParity.java",
        ],
        "java -cp $(find root -name weka.jar):. WekaParity SEEDS",
        of_words("weka", hiddenLayers="10"),
    ),
    "neurolab": Case(
        pip(sys.executable, "'numpy<2'", "scipy", "neurolab==0.3.5"),
        f"{SMALL} neurolab SEEDS",
        of_words("neurolab", minmax=[[-1, 1]], size=[10, 1]),
    ),
    "pyrenn": Case(
        pip(sys.executable, "'numpy<2'", "pandas", "pyrenn==0.1"),
        f"{SMALL} pyrenn SEEDS",
        of_words("pyrenn", nn=[1, 10, 1]),
    ),
    "opencv": Case(
        pip(sys.executable, "opencv-python-headless==4.14.0.94"),
        f"{SMALL} opencv SEEDS",
        of_words("opencv", hidden=10),
    ),
}


def shell(command: str, folder: Path, seeds: int) -> str:
    """What a command prints; it is run in a folder.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    said = command.replace("HERE", str(HERE)).replace("SEEDS", str(seeds))
    done = subprocess.run(
        ["bash", "-c", said], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout


def there(case: Case, folder: Path, seeds: int) -> tuple[Any, float]:
    """What a framework printed, and the seconds that its training took."""
    folder.mkdir(parents=True, exist_ok=True)
    ready = folder / "ready"
    if not ready.exists():
        for command in case.install:
            shell(command, folder, seeds)
        ready.touch()
    begun = time.perf_counter()
    text = shell(case.train, folder, seeds)
    taken = time.perf_counter() - begun
    printed = json.loads(text[text.index(text.strip()[0]) :])
    if isinstance(printed, dict):
        return printed, printed["seconds"]
    return {"losses": printed}, taken


def here(question: Any, seeds: int) -> tuple[np.ndarray, float]:
    """The last mean squared errors of so many seeds, and the seconds that they took."""
    begun = time.perf_counter()
    runs = ap.run(*question, seeds=seeds, progress=False)
    taken = time.perf_counter() - begun
    predicted = runs.prediction.isel(step=-1) if "step" in runs.prediction.dims else runs.prediction
    errors = (predicted.values.reshape(seeds, -1) - Y[:, 0]) ** 2
    return errors.mean(1), taken


def line(name: str, printed: Any, seconds: float, seeds: int, question: Any) -> str:
    """One line of the comparison; it begins with a star where a test finds a difference."""
    theirs = np.asarray(printed["losses"], float)
    ours, taken = here(question, seeds)
    distance = stats.ks_2samp(theirs, ours).pvalue
    hits = [int((errors < BELOW).sum()) for errors in (theirs, ours)]
    table = [[hits[0], len(theirs) - hits[0]], [hits[1], len(ours) - hits[1]]]
    shares = stats.fisher_exact(table).pvalue
    mark = "*" if min(distance, shares) < SUSPICIOUS else " "
    return (
        f"{mark} {name:10} {np.median(theirs):9.2e} {np.median(ours):9.2e}  p = {distance:7.4f}  "
        f"{hits[0]:4d} {hits[1]:4d}  p = {shares:7.4f}  {seconds:7.1f} s {taken:7.1f} s"
    )


def main() -> int:
    """Compare all frameworks that were asked for; 1 if one differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(CASES)}; none means all")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--folder", type=Path, default=HERE.parents[1] / ".parity")
    said = parser.parse_args()
    unknown = set(said.names) - set(CASES)
    if unknown:
        parser.error(f"unknown frameworks {sorted(unknown)}; there is: {', '.join(CASES)}")
    print("  framework  median there, here      KS        below 1e-3       Fisher       seconds")
    lines = []
    for name in said.names or CASES:
        case = CASES[name]
        try:
            printed, seconds = there(case, said.folder.resolve() / name, said.seeds)
        except (subprocess.CalledProcessError, OSError) as error:
            reason = str(getattr(error, "stderr", "") or error).strip().splitlines()
            print(f"  {name:10} could not be had: {reason[-1] if reason else error}", flush=True)
            continue
        lines.append(line(name, printed, seconds, said.seeds, case.question(printed)))
        print(lines[-1], flush=True)
    return int(any(each.startswith("*") for each in lines))


if __name__ == "__main__":
    sys.exit(main())
