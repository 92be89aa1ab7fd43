#!/usr/bin/env bash
# Expected: backpropagation moves all weights by the gradient at the weights as they were.
# Found: the outputs' weights are moved first, and the errors of the hidden units then pass through the moved weights.
#   Here the hidden weight moves by -0.048 instead of by -0.175; with a small rate both are nearly the same.
# Version: synaptic 1.1.4.
# Consequence: its steps are not those of gradient descent on any loss, and results with rates of some tenths cannot be
#   had again with another library of the same rate.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts synaptic@1.1.4
cat >moved.js <<'JS'
const { Architect } = require("synaptic");

const sigmoid = (z) => 1 / (1 + Math.exp(-z));
const [first, second, rate, x, target] = [0.5, -0.8, 1.5, 1, 1];
const net = new Architect.Perceptron(1, 1, 1);
const [hidden] = net.layers.hidden[0].list;
const [output] = net.layers.output.list;
const into = (unit) => Object.values(unit.connections.inputs)[0];
[into(hidden).weight, into(output).weight, hidden.bias, output.bias] = [first, second, 0, 0];
net.activate([x]);
net.propagate(rate, [target]);
net.restore();
const h = sigmoid(first * x);
const error = target - sigmoid(second * h);
const moves = (weight) => rate * error * weight * h * (1 - h) * x;
const old = moves(second);
const moved = moves(second + rate * error * h);
const found = into(hidden).weight - first;
console.log("synaptic", require("synaptic/package.json").version);
console.log("move of the hidden weight by the old output weight:  ", old.toFixed(6));
console.log("move of the hidden weight by the moved output weight:", moved.toFixed(6));
console.log("synaptic's move:                                     ", found.toFixed(6));
if (Math.abs(found - moved) > 1e-9 || Math.abs(old - moved) < 0.01) {
  console.log("the behaviour changed");
  process.exit(1);
}
JS
node moved.js
