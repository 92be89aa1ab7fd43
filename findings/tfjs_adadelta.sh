#!/usr/bin/env bash
# Expected: Adadelta divides a gradient by the running mean of squared gradients with this one in it, as in the paper
#   (Zeiler 2012, algorithm 1) and in Keras, so that a large first gradient gives the same step as a small one.
# Found: it divides by the mean of the steps before. The first step is the learning rate times the gradient itself.
# Version: TensorFlow.js (@tensorflow/tfjs) 4.22.0.
# Consequence: the scale of the loss matters for the first steps; with gradients of 100 and a rate of 1, the first step
#   is 100 instead of 0.0014.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts @tensorflow/tfjs@4.22.0
cat >adadelta.js <<'JS'
const tf = require("@tensorflow/tfjs");

const [rho, epsilon] = [0.95, 1e-7];
let changed = false;
console.log("TensorFlow.js", tf.version.tfjs);
for (const slope of [0.01, 1, 100]) {
  const w = tf.variable(tf.scalar(0));
  tf.train.adadelta(1, rho, epsilon).minimize(() => w.mul(slope));
  const step = -w.dataSync()[0];
  const paper = (Math.sqrt(epsilon) / Math.sqrt((1 - rho) * slope ** 2 + epsilon)) * slope;
  console.log(`gradient ${slope}: first step ${step.toPrecision(4)}, by the paper ${paper.toPrecision(4)}`);
  changed = changed || Math.abs(step / slope - 1) > 1e-3;
}
if (changed) {
  console.log("the behaviour changed");
  process.exit(1);
}
JS
node adadelta.js 2>/dev/null
