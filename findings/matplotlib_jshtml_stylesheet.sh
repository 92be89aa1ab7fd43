#!/usr/bin/env bash
# Expected: the page that Animation.to_jshtml() makes holds all pictures inside, so it works where there is no network.
# Found: the pictures are inside, but the page asks maxcdn.bootstrapcdn.com for a style sheet with the symbols of its buttons.
#   Without network the buttons have no symbols, and with it another host learns of every look at the page.
# Version: matplotlib 3.11.2.
# Consequence: such a page is not self-contained. Write a page of your own around the pictures, or a GIF.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq matplotlib==3.11.2 numpy==2.5.5
MPLBACKEND=agg "$folder/venv/bin/python" - <<'PY'
import re

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.animation import FuncAnimation

print("matplotlib", matplotlib.__version__)
figure, ax = plt.subplots()
line, = ax.plot([0, 1], [0, 1])
animation = FuncAnimation(figure, lambda n: line.set_ydata([0, n]), frames=3)
page = animation.to_jshtml(embed_frames=True)
loaded = re.findall(r'<(?:link|script)[^>]*(?:href|src)="(https?://[^"]+)"', page, re.DOTALL)
pictures = len(re.findall(r"data:image/png;base64", page))
print(pictures, "pictures inside the page; from elsewhere it loads:", *loaded)
assert pictures == 3, "the behaviour changed"
assert len(loaded) == 1 and "maxcdn.bootstrapcdn.com" in loaded[0], "the behaviour changed"
PY
