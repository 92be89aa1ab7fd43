#!/usr/bin/env bash
# Expected: the option `cost` of synaptic's Trainer (MSE, CROSS_ENTROPY ...) chooses what training minimises.
# Found: it chooses the printed number only. The updates are bit for bit the same, and they are those of the cross
#   entropy: the output's bias moves by rate * (target - output), without the factor y (1 - y) of a squared error,
#   although MSE is what is printed if nothing is said.
# Version: synaptic 1.1.4.
# Consequence: comparing losses in synaptic compares a network with itself, and "trained with MSE" in such a report
#   was not. Networks stuck at saturated outputs, a well-known failure of squared error, will not be reproduced.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts synaptic@1.1.4
cat >cost.js <<'JS'
const { Architect, Network, Trainer } = require("synaptic");

const RATE = 0.2;
const start = new Architect.Perceptron(1, 1, 1).toJSON();
start.connections.forEach((connection) => (connection.weight = 0.3));
start.neurons.forEach((neuron) => (neuron.bias = 0.1));

function trained(cost) {
  const net = Network.fromJSON(JSON.parse(JSON.stringify(start)));
  const [output] = net.activate([1]);
  const options = { rate: RATE, iterations: 1, ...(cost && { cost }) };
  const { error } = new Trainer(net).train([{ input: [1], output: [1] }], options);
  return { output, error, net: net.toJSON(), moved: net.toJSON().neurons[2].bias - 0.1 };
}

console.log("synaptic", require("synaptic/package.json").version);
const all = [null, Trainer.cost.MSE, Trainer.cost.CROSS_ENTROPY].map(trained);
all.forEach(({ error, moved }, i) =>
  console.log(["nothing said ", "MSE          ", "CROSS_ENTROPY"][i], "error", error, "output's bias moved by", moved));
const { output } = all[0];
console.log("rate (t - y)          =", RATE * (1 - output));
console.log("rate (t - y) y (1 - y) =", RATE * (1 - output) * output * (1 - output));
const same = all.every(({ net }) => JSON.stringify(net) === JSON.stringify(all[0].net));
const crossEntropy = Math.abs(all[0].moved - RATE * (1 - output)) < 1e-9;
if (!same || !crossEntropy || all[1].error === all[2].error || all[0].error !== all[1].error) {
  console.log("the behaviour changed");
  process.exit(1);
}
JS
node cost.js
