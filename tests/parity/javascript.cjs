// Trains x^2 on 21 points of [-1, 1] with ten hidden units in a framework for node, by its defaults, for many seeds, and
// prints the final mean squared errors as a JSON list. node javascript.cjs brainjs|synaptic|convnetjs|tfjs [seeds [epochs of tfjs]]
const [name, count = "200", epochs = "200"] = process.argv.slice(2);
const seeds = Number(count);
const range = (n) => [...Array(n).keys()];
const X = range(21).map((n) => -1 + n / 10);
const rows = X.map((x) => ({ input: [x], output: [x * x] }));
const error = (predict) => X.reduce((sum, x) => sum + (predict(x) - x * x) ** 2, 0) / X.length;

const FRAMEWORKS = {
  brainjs() {
    const { NeuralNetwork } = require("brain.js");
    const net = new NeuralNetwork({ hiddenLayers: [10] });
    net.train(rows);
    return error((x) => net.run([x])[0]);
  },
  synaptic() {
    const { Architect, Trainer } = require("synaptic");
    const net = new Architect.Perceptron(1, 10, 1);
    new Trainer(net).train(rows);
    return error((x) => net.activate([x])[0]);
  },
  // The loop is the user's: 1,000 epochs in the order of the rows
  convnetjs() {
    const convnetjs = require("convnetjs");
    const net = new convnetjs.Net();
    net.makeLayers([
      { type: "input", out_sx: 1, out_sy: 1, out_depth: 1 },
      { type: "fc", num_neurons: 10, activation: "tanh" },
      { type: "regression", num_neurons: 1 },
    ]);
    const trainer = new convnetjs.Trainer(net);
    for (let epoch = 0; epoch < 1000; epoch++) {
      for (const { input, output } of rows) trainer.train(new convnetjs.Vol(input), output);
    }
    return error((x) => net.forward(new convnetjs.Vol([x])).w[0]);
  },
  // The number of epochs is the user's: 200 here, as 200 seeds of more take minutes
  async tfjs() {
    const tf = require("@tensorflow/tfjs");
    await tf.ready();
    const model = tf.sequential({
      layers: [tf.layers.dense({ units: 10, activation: "tanh", inputShape: [1] }), tf.layers.dense({ units: 1 })],
    });
    model.compile({ optimizer: "adam", loss: "meanSquaredError" });
    const [x, y] = [tf.tensor2d(X, [21, 1]), tf.tensor2d(X.map((x) => x * x), [21, 1])];
    await model.fit(x, y, { epochs: Number(epochs), verbose: 0, yieldEvery: "never" });
    const found = tf.tidy(() => model.predict(x).dataSync());
    tf.dispose([x, y]);
    model.dispose();
    return error((at) => found[X.indexOf(at)]);
  },
};

(async () => {
  const errors = [];
  for (let seed = 0; seed < seeds; seed++) errors.push(await FRAMEWORKS[name]());
  console.log(JSON.stringify(errors));
})();
