#!/usr/bin/env bash
# Expected: brain.js takes options in the constructor, and its training options given there (iterations, learningRate,
#   errorThresh) hold for the training that follows.
# Found: the constructor accepts them, and train() without options overwrites them with the defaults: a network made
#   with iterations: 3 trains on, for hundreds of iterations, until the default error of 0.005. Passed to train(),
#   they hold.
# Version: brain.js 1.6.1.
# Consequence: a sweep over learning rates or budgets that sets them in the constructor measures one setting many
#   times, and what looks like robustness is a number that nobody used.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts brain.js@1.6.1
cat >options.js <<'JS'
const { NeuralNetwork } = require("brain.js");

const rows = [{ input: [0], output: [0.2] }, { input: [1], output: [0.8] }];
const budget = { iterations: 3 };
const inConstructor = new NeuralNetwork({ hiddenLayers: [3], ...budget }).train(rows);
const inTrain = new NeuralNetwork({ hiddenLayers: [3] }).train(rows, budget);
console.log("brain.js", require("brain.js/package.json").version);
console.log("iterations: 3 in the constructor:", inConstructor.iterations, "iterations");
console.log("iterations: 3 in train():        ", inTrain.iterations, "iterations");
if (inConstructor.iterations < 50 || inTrain.iterations !== 3) {
  console.log("the behaviour changed");
  process.exit(1);
}
JS
node options.js
