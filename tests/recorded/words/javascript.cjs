// Three epochs of brain.js, synaptic, convnetjs and TensorFlow.js from given weights, and quantiles of their first
// weights. Run by record.sh in a folder that has the packages; prints JSON. The problem is that of problem.md.
const version = (name) => require(`${name}/package.json`).version;
const range = (n) => [...Array(n).keys()];
const X = range(6).map((r) => range(2).map((c) => Math.sin(2 * r + 3 * c)));
const Y = range(6).map((r) => range(2).map((o) => 0.5 + 0.4 * Math.cos(r + 2 * o)));
const flat = range(17).map((k) => 0.5 * Math.sin(3 * k + 1));
const START = {
  w1: range(2).map((i) => flat.slice(3 * i, 3 * i + 3)),
  b1: flat.slice(6, 9),
  w2: range(3).map((i) => flat.slice(9 + 2 * i, 11 + 2 * i)),
  b2: flat.slice(15, 17),
};
const pack = ({ w1, b1, w2, b2 }) => [...w1.flat(), ...b1, ...w2.flat(), ...b2].map(Number);
const digits = (x) => Number(x.toPrecision(9));
const column = (w, o) => w.map((row) => row[o]);
const SHARES = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1];
function quantiles(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return SHARES.map((p) => digits(sorted[Math.round(p * (sorted.length - 1))]));
}
function firsts(draw, n = 2000) {
  const all = { w1: [], b1: [], w2: [], b2: [] };
  for (let k = 0; k < n; k++) {
    const one = draw();
    for (const name in all) all[name].push(...one[name].flat());
  }
  return Object.fromEntries(Object.entries(all).map(([name, values]) => [name, quantiles(values)]));
}
const found = {};
function note(name, about, cases, init) {
  for (const each of Object.values(cases)) each.after = each.after.map((p) => p.map(digits));
  found[name] = { version: version(about), cases, init };
}

// ---- brain.js ----------------------------------------------------------------------------------
{
  const { NeuralNetwork } = require("brain.js");
  const rows = X.map((input, r) => ({ input, output: Y[r] }));
  const made = (w) => {
    const layer = (weights, bias) =>
      Object.fromEntries(bias.map((b, o) => [o, { bias: b, weights: Object.fromEntries(column(weights, o).entries()) }]));
    const json = { sizes: [2, 3, 2], layers: [{ 0: {}, 1: {} }, layer(w.w1, w.b1), layer(w.w2, w.b2)] };
    return (options) => new NeuralNetwork(options).fromJSON({ ...json, ...options });
  };
  const read = (net) => ({
    w1: range(2).map((i) => range(3).map((o) => net.weights[1][o][i])),
    b1: [...net.biases[1]],
    w2: range(3).map((i) => range(2).map((o) => net.weights[2][o][i])),
    b2: [...net.biases[2]],
  });
  const cases = {};
  for (const activation of ["sigmoid", "tanh", "relu"]) {
    for (const training of [{}, { learningRate: 0.1, momentum: 0.5 }, { praxis: "adam", learningRate: 0.01 }]) {
      const after = [];
      const reported = [];
      for (const iterations of [1, 2, 3]) {
        // Adam is set up when the net is initialised, so the constructor must know of it
        const net = made(START)({ activation, hiddenLayers: [3], ...training });
        const status = net.train(rows, { ...training, iterations, errorThresh: 1e-12 });
        after.push(pack(read(net)));
        reported.push(digits(status.error));
      }
      cases[`${activation} ${JSON.stringify(training)}`] = { options: { activation, ...training }, after, reported };
    }
  }
  const init = firsts(() => {
    const net = new NeuralNetwork({ hiddenLayers: [3] });
    net.sizes = [2, 3, 2];
    net.initialize();
    return read(net);
  });
  note("brainjs", "brain.js", cases, init);
}

// ---- synaptic ----------------------------------------------------------------------------------
{
  const { Architect, Trainer, Neuron } = require("synaptic");
  const rows = X.map((input, r) => ({ input, output: Y[r] }));
  const parts = (net) => [net.layers.hidden[0].list, net.layers.output.list, net.layers.input.list];
  const into = (unit, from) => Object.values(unit.connections.inputs).find((c) => c.from.ID === from.ID);
  const read = (net) => {
    net.restore();
    const [hidden, output, input] = parts(net);
    return {
      w1: input.map((from) => hidden.map((unit) => into(unit, from).weight)),
      b1: hidden.map((unit) => unit.bias),
      w2: hidden.map((from) => output.map((unit) => into(unit, from).weight)),
      b2: output.map((unit) => unit.bias),
    };
  };
  const set = (net, w) => {
    const [hidden, output, input] = parts(net);
    input.forEach((from, i) => hidden.forEach((unit, o) => (into(unit, from).weight = w.w1[i][o])));
    hidden.forEach((from, i) => output.forEach((unit, o) => (into(unit, from).weight = w.w2[i][o])));
    hidden.forEach((unit, o) => (unit.bias = w.b1[o]));
    output.forEach((unit, o) => (unit.bias = w.b2[o]));
    return net;
  };
  const cases = {};
  for (const squash of ["LOGISTIC", "TANH", "RELU"]) {
    for (const cost of ["MSE", "CROSS_ENTROPY"]) {
      if (cost === "CROSS_ENTROPY" && squash !== "LOGISTIC") continue;
      const after = [];
      const reported = [];
      for (const iterations of [1, 2, 3]) {
        const net = set(new Architect.Perceptron(2, 3, 2), START);
        net.layers.hidden[0].set({ squash: Neuron.squash[squash] });
        const result = new Trainer(net).train(rows, { iterations, error: 1e-12, cost: Trainer.cost[cost] });
        after.push(pack(read(net)));
        reported.push(digits(result.error));
      }
      cases[`${squash} ${cost}`] = { options: { hidden: squash, cost }, after, reported };
    }
  }
  note("synaptic", "synaptic", cases, firsts(() => read(new Architect.Perceptron(2, 3, 2)), 500));
}

// ---- convnetjs ---------------------------------------------------------------------------------
{
  const convnetjs = require("convnetjs");
  const make = (activation) => {
    const net = new convnetjs.Net();
    net.makeLayers([
      { type: "input", out_sx: 1, out_sy: 1, out_depth: 2 },
      { type: "fc", num_neurons: 3, activation },
      { type: "regression", num_neurons: 2 },
    ]);
    return net;
  };
  const layers = (net) => net.layers.filter((layer) => layer.layer_type === "fc");
  const read = (net) => {
    const [one, two] = layers(net);
    return {
      w1: range(2).map((i) => range(3).map((o) => one.filters[o].w[i])),
      b1: [...one.biases.w],
      w2: range(3).map((i) => range(2).map((o) => two.filters[o].w[i])),
      b2: [...two.biases.w],
    };
  };
  const set = (net, w) => {
    layers(net).forEach((layer, n) => {
      const [weights, biases] = n ? [w.w2, w.b2] : [w.w1, w.b1];
      biases.forEach((b, o) => {
        layer.biases.w[o] = b;
        column(weights, o).forEach((value, i) => (layer.filters[o].w[i] = value));
      });
    });
    return net;
  };
  const cases = {};
  const trainings = [
    {},
    { l2_decay: 0.05, batch_size: 2 },
    { l1_decay: 0.05, momentum: 0 },
    { method: "adagrad" },
    { method: "windowgrad" },
    { method: "adadelta" },
  ];
  for (const activation of ["tanh", "relu"]) {
    for (const training of activation === "tanh" ? trainings : [{}]) {
      const net = set(make(activation), START);
      const trainer = new convnetjs.Trainer(net, training);
      const after = [];
      const reported = [];
      for (let epoch = 0; epoch < 3; epoch++) {
        let sum = 0;
        X.forEach((x, r) => (sum += trainer.train(new convnetjs.Vol(x), Y[r]).cost_loss));
        after.push(pack(read(net)));
        reported.push(digits(sum / X.length));
      }
      cases[`${activation} ${JSON.stringify(training)}`] = { options: { activation, ...training }, after, reported };
    }
  }
  note("convnetjs", "convnetjs", cases, firsts(() => read(make("tanh"))));
  found.convnetjs.init_relu = firsts(() => read(make("relu")));
}

// ---- TensorFlow.js -----------------------------------------------------------------------------
async function tensorflow() {
  const tf = require("@tensorflow/tfjs");
  await tf.ready();
  const make = (activation) =>
    tf.sequential({
      layers: [tf.layers.dense({ units: 3, activation, inputShape: [2] }), tf.layers.dense({ units: 2 })],
    });
  const values = (model) => model.getWeights().map((w) => w.arraySync());
  const read = (model) => Object.fromEntries(values(model).map((w, n) => [["w1", "b1", "w2", "b2"][n], w]));
  const start = () => [tf.tensor(START.w1), tf.tensor(START.b1), tf.tensor(START.w2), tf.tensor(START.b2)];
  const optimizers = {
    sgd: () => tf.train.sgd(0.1),
    momentum: () => tf.train.momentum(0.1, 0.9),
    adam: () => tf.train.adam(),
    "adam .03": () => tf.train.adam(0.03),
    rmsprop: () => tf.train.rmsprop(0.03),
    adagrad: () => tf.train.adagrad(0.03),
    adadelta: () => tf.train.adadelta(),
    adamax: () => tf.train.adamax(),
  };
  const cases = {};
  for (const [name, make_optimizer] of Object.entries(optimizers)) {
    for (const loss of name === "adam" ? ["meanSquaredError", "meanAbsoluteError"] : ["meanSquaredError"]) {
      const model = make("tanh");
      model.setWeights(start());
      model.compile({ optimizer: make_optimizer(), loss });
      const after = [];
      const reported = [];
      for (let epoch = 0; epoch < 3; epoch++) {
        const options = { epochs: 1, batchSize: 4, shuffle: false, verbose: 0, yieldEvery: "never" };
        const history = await model.fit(tf.tensor(X), tf.tensor(Y), options);
        after.push(pack(read(model)));
        reported.push(digits(history.history.loss[0]));
      }
      cases[`${name} ${loss}`] = { options: { optimizer: name, loss }, after, reported };
    }
  }
  const dispose = (read) => {
    const model = make("tanh");
    const numbers = read(model);
    model.dispose();
    return numbers;
  };
  note("tfjs", "@tensorflow/tfjs", cases, firsts(() => dispose(read), 300));
}

tensorflow().then(() => console.log(JSON.stringify({ start: pack(START).map(digits), found })));
