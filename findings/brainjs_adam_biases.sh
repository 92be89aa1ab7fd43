#!/usr/bin/env bash
# Expected: with praxis "adam" all parameters move by Adam's formula.
# Found: weights do. Biases move by the means of the step before, so that the first step leaves them where they are.
# Version: brain.js 1.6.1.
# Consequence: one row a step, a bias always answers the row before the one that its weights answer.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts brain.js@1.6.1
cat >biases.js <<'JS'
const { NeuralNetwork } = require("brain.js");

const options = { hiddenLayers: [3], praxis: "adam", learningRate: 0.01 };
const net = new NeuralNetwork(options);
const rows = [{ input: [0.5], output: [0.9] }];
net.sizes = [1, 3, 1];
net.initialize();
const before = { weights: [...net.weights[2][0]], bias: net.biases[2][0] };
net.train(rows, { ...options, iterations: 1, errorThresh: 1e-9 });
const moves = before.weights.map((w, n) => Math.abs(net.weights[2][0][n] - w));
const bias = Math.abs(net.biases[2][0] - before.bias);
console.log("brain.js", require("brain.js/package.json").version);
console.log("first step of the output's weights:", moves.map((m) => m.toFixed(6)).join(", "));
console.log("first step of the output's bias:   ", bias.toFixed(6));
if (bias !== 0 || Math.min(...moves) < 0.009) {
  console.log("the behaviour changed");
  process.exit(1);
}
JS
node biases.js
