"""Join the recorders' files of JSON lines into one document, a line for each framework."""

import json
import sys
from pathlib import Path

found = {}
for name in sys.argv[1:]:
    for line in Path(name).read_text().splitlines():
        said = json.loads(line)
        found |= said.get("found", said)
lines = [f"{json.dumps(name)}: {json.dumps(found[name])}" for name in sorted(found)]
print("{\n" + ",\n".join(lines) + "\n}")
