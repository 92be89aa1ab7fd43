#!/usr/bin/env bash
# Expected: the trainer's option l1_decay pulls weights towards 0, as l2_decay does.
# Found: it does nothing: every layer multiplies it by a number of its own, l1_decay_mul, which is 0 unless it is given.
# Version: convnetjs 0.3.0.
# Consequence: a comparison of L1 with L2 penalties compares no penalty with one.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts convnetjs@0.3.0
cat >decay.js <<'JS'
const convnetjs = require("convnetjs");

// One weight of 1, and a row without an error: only a penalty could move it
function moved(options) {
  const net = new convnetjs.Net();
  net.makeLayers([
    { type: "input", out_sx: 1, out_sy: 1, out_depth: 1 },
    { type: "regression", num_neurons: 1 },
  ]);
  const [layer] = net.layers.filter((each) => each.layer_type === "fc");
  layer.filters[0].w[0] = 1;
  const trainer = new convnetjs.Trainer(net, { learning_rate: 0.1, momentum: 0, ...options });
  trainer.train(new convnetjs.Vol([0.5]), [0.5]);
  return layer.filters[0].w[0] - 1;
}

const [l1, l2] = [moved({ l1_decay: 1 }), moved({ l2_decay: 1 })];
console.log("convnetjs", require("convnetjs/package.json").version);
console.log("a weight of 1 with l2_decay 1 moves by", l2);
console.log("a weight of 1 with l1_decay 1 moves by", l1);
if (l1 !== 0 || l2 > -0.09) {
  console.log("the behaviour changed");
  process.exit(1);
}
JS
node decay.js
