#!/usr/bin/env bash
# Expected: the layers of TensorFlow.js are those of Keras in another language, so glorotNormal has the standard
#   deviation sqrt(2 / (in + out)) that its name means, as GlorotNormal has in Keras 3.
# Found: both cut the normal distribution at two standard deviations, but only Keras widens it again to make up for
#   that: in TensorFlow.js, weights of glorotNormal, heNormal and leCunNormal have 0.88 of the standard deviation in
#   the formula.
# Version: @tensorflow/tfjs-core, -layers and -backend-cpu 4.22.0.
# Consequence: the same recipe starts with weights 12% smaller, in each layer: after five layers signals are half as
#   large (0.88**5 = 0.53). Comparisons between a browser demonstration and Python start from different distributions.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-layers@4.22.0 \
    @tensorflow/tfjs-backend-cpu@4.22.0
cat >normal.js <<'JS'
const tf = require("@tensorflow/tfjs-core");
require("@tensorflow/tfjs-backend-cpu");
const { initializers, version_layers } = require("@tensorflow/tfjs-layers");

const [inputs, outputs] = [300, 500];
const formulas = {
  glorotNormal: Math.sqrt(2 / (inputs + outputs)),
  heNormal: Math.sqrt(2 / inputs),
  leCunNormal: Math.sqrt(1 / inputs),
};
(async () => {
  await tf.ready();
  console.log("tfjs-layers", version_layers);
  for (const [name, formula] of Object.entries(formulas)) {
    const weights = initializers[name]({ seed: 1 }).apply([inputs, outputs]).dataSync();
    const deviation = Math.sqrt(weights.reduce((sum, weight) => sum + weight ** 2, 0) / weights.length);
    const share = (deviation / formula).toFixed(3);
    console.log(name, "formula", formula.toFixed(5), "found", deviation.toFixed(5), "share", share);
    if (Math.abs(deviation / formula - 0.8796) > 0.01) {
      console.log("the behaviour changed");
      process.exit(1);
    }
  }
})();
JS
node normal.js
