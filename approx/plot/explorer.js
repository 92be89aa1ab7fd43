"use strict";
// What the page does: it reads the arrays, counts the successes at the slider's threshold, and
// fills panels and tables for the setting and the seed that are chosen.
(function () {
  const SUCCESS = "#0072b2", FAILURE = "#b34700";
  const MOST_LINES = 8;  // seeds that are drawn in the panels
  const FAR = 50;  // what is infinite is drawn so many heights of the panel beyond it
  const { about, arrays: packed, panels } = JSON.parse(
    document.getElementById("content").textContent);
  const arrays = {};
  const n = about.n;
  const count = packed.codes.shape[0];
  const [vertical, horizontal] = about.axes;
  const columns = horizontal ? horizontal.values.length : 1;
  const rows = vertical ? vertical.values.length : 1;
  const state = { setting: 0, row: 0, column: 0, hovered: null, seed: null,
    position: about.first };
  let rates = [];  // the number of successes of every setting at the slider's position
  const byId = (id) => document.getElementById(id);

  // ---- arrays ------------------------------------------------------------------------------

  function half(bits) {
    const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, part = bits & 1023;
    if (exponent === 31) return part ? NaN : sign * Infinity;
    if (exponent === 0) return sign * part * 2 ** -24;
    return sign * (1 + part / 1024) * 2 ** (exponent - 15);
  }
  const HALVES = Float64Array.from({ length: 65536 }, (_, bits) => half(bits));

  async function unpack({ kind, shape, data }) {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const planes = new Uint8Array(await new Response(stream).arrayBuffer());
    const size = { uint8: 1, float16: 2, float32: 4 }[kind];
    const many = planes.length / size;
    const joined = new Uint8Array(planes.length);
    for (let place = 0; place < size; place++) {
      for (let i = 0; i < many; i++) joined[i * size + place] = planes[place * many + i];
    }
    if (kind === "uint8") return { shape, values: joined };
    if (kind === "float32") return { shape, values: new Float32Array(joined.buffer) };
    return { shape, values: Float64Array.from(new Uint16Array(joined.buffer), (b) => HALVES[b]) };
  }

  // The entries of an array below its first indices
  function part({ shape, values }, ...indices) {
    let start = 0, size = values.length;
    indices.forEach((index, place) => { size /= shape[place]; start += index * size; });
    return values.subarray(start, start + size);
  }

  // ---- numbers in words --------------------------------------------------------------------

  function text(value) {
    if (Number.isNaN(value)) return "not a number";
    if (!Number.isFinite(value)) return value > 0 ? "infinite" : "−infinite";
    if (value === 0) return "0";
    const size = Math.abs(value);
    if (size >= 1e-4 && size < 1e6) return String(Number(value.toPrecision(3)));
    return value.toExponential(2).replace("e+", "e");
  }
  const percent = (share) => `${(100 * share).toFixed(1)}%`;
  const threshold = () => about.positions[state.position];
  const given = (value) => String(Number(value.toPrecision(12)));

  function rateOf(cell) {
    const k = rates[cell];
    return { k, rate: k / n, low: about.low[k], high: about.high[k] };
  }

  // ---- which setting -----------------------------------------------------------------------

  const cellAt = (setting, row, column) => (setting * rows + row) * columns + column;
  const chosenCell = () => cellAt(state.setting, state.row, state.column);
  const shownCell = () => (state.hovered === null ? chosenCell() : state.hovered);

  function nameOf(cell) {
    const names = [];
    const setting = about.settings[Math.floor(cell / (rows * columns))];
    if (setting) names.push(setting);
    if (vertical) {
      names.push(`${vertical.name} ${vertical.texts[Math.floor(cell / columns) % rows]}`);
      names.push(`${horizontal.name} ${horizontal.texts[cell % columns]}`);
    }
    return names.join(", ");
  }

  function countSuccesses() {
    const codes = arrays.codes.values;
    rates = new Array(count).fill(0);
    for (let cell = 0, i = 0; cell < count; cell++) {
      for (let seed = 0; seed < n; seed++, i++) rates[cell] += codes[i] <= state.position;
    }
  }
  const succeeds = (cell, seed) => part(arrays.codes, cell)[seed] <= state.position;
  function became(cell, seed) {
    return succeeds(cell, seed) ? 0 : part(arrays.kinds, cell)[seed];
  }

  // ---- panels ------------------------------------------------------------------------------

  function model(name) {
    for (const one of Bokeh.documents) {
      const found = one.get_model_by_name(name);
      if (found) return found;
    }
    return null;
  }
  function fill(name, data) { const found = model(name); if (found) found.data = data; }

  function rectangle(cell) {
    const row = Math.floor(cell / columns) % rows, column = cell % columns;
    return { left: [horizontal.edges[column]], right: [horizontal.edges[column + 1]],
      bottom: [vertical.edges[row]], top: [vertical.edges[row + 1]] };
  }

  function drawMap() {
    if (!vertical) return;
    const place = { left: [], right: [], bottom: [], top: [] };
    const open = { left: [], right: [], bottom: [], top: [] };
    const rate = [];
    for (let row = 0; row < rows; row++) {
      let last = null;  // neighbours in a row make one hatched rectangle
      for (let column = 0; column < columns; column++) {
        const found = rateOf(cellAt(state.setting, row, column));
        const corners = [horizontal.edges[column], horizontal.edges[column + 1],
          vertical.edges[row], vertical.edges[row + 1]];
        ["left", "right", "bottom", "top"].forEach((side, i) => place[side].push(corners[i]));
        rate.push(found.rate);
        if (!(found.low <= 0.5 && found.high >= 0.5)) { last = null; continue; }
        if (last === null) {
          last = open.left.length;
          ["left", "right", "bottom", "top"].forEach((side, i) => open[side].push(corners[i]));
        } else open.right[last] = corners[1];
      }
    }
    fill("cells", { ...place, rate });
    fill("undecided", open);
  }

  function drawFrames() {
    if (!vertical) return;
    const none = { left: [], right: [], bottom: [], top: [] };
    fill("chosen", rectangle(chosenCell()));
    fill("hovered", state.hovered === null ? none : rectangle(state.hovered));
  }

  const stepPlace = (step) => (step < 1 ? step : 1 + Math.log10(step));

  function drawLines(name, x, seeds, band, cell, into) {
    const points = x.length;
    const line = (values) => Array.from(values, into);
    const quantiles = [0, 1, 2, 3, 4].map((q) => line(part(band, cell, q)));
    fill(`${name}_outer`, { x, low: quantiles[0], high: quantiles[4] });
    fill(`${name}_inner`, { x, low: quantiles[1], high: quantiles[3] });
    const many = Math.min(MOST_LINES, seeds.shape[1]);
    const data = { xs: [], ys: [], color: [], dash: [] };
    const one = { x: [], y: [], color: [], dash: [] };
    for (let seed = 0; seed < seeds.shape[1]; seed++) {
      if (seed >= many && seed !== state.seed) continue;
      const good = succeeds(cell, seed);
      const ys = line(part(seeds, cell, seed));
      const color = good ? SUCCESS : FAILURE, dash = good ? [] : [6, 4];
      if (seed === state.seed) {
        one.x.push(x); one.y.push(ys); one.color.push(color); one.dash.push(dash);
      }
      if (seed >= many) continue;
      data.xs.push(x); data.ys.push(ys); data.color.push(color); data.dash.push(dash);
    }
    fill(`${name}_seeds`, data);
    fill(`${name}_seed`, one);
    return points;
  }

  // Where settings have points or targets of their own, the axes are those of the setting
  function fitAxes(cell, x) {
    const { x_range: across, y_range: upwards } = model("functions");
    const there = x.filter(Number.isFinite);
    across.setv({ start: Math.min(...there), end: Math.max(...there) });
    const ys = Array.from(part(arrays.target, cell)).filter(Number.isFinite);
    if (!ys.length) return;
    const low = Math.min(...ys), high = Math.max(...ys), pad = 0.1 * (high - low) || 0.1;
    upwards.setv({ start: low - pad, end: high + pad });
  }

  function drawFunctions(cell) {
    if (!about.functions) return;
    const own = about.functions.own_x;
    const x = Array.from(own ? part(arrays.x, cell) : arrays.x.values);
    if (own) fitAxes(cell, x);
    const [low, high] = about.functions.y;
    const reach = FAR * (high - low);
    const into = (value) => (Number.isNaN(value) ? NaN
      : Math.min(Math.max(value, low - reach), high + reach));
    drawLines("functions", x, arrays.function, arrays.function_band, cell, into);
    const target = own ? part(arrays.target, cell) : arrays.target.values;
    fill("target", { x, y: Array.from(target) });
    const ends = arrays.shown.shape.length > 1 ? part(arrays.shown, cell) : arrays.shown.values;
    const shown = model("shown");
    if (Number.isFinite(ends[0])) { shown.left = ends[0]; shown.right = ends[1]; }
    shown.visible = Number.isFinite(ends[0]);
  }

  // The median of all seeds and the first seeds, three tiles in a line
  function drawPlane(cell) {
    if (!about.plane) return;
    const [high, wide] = about.plane.shape;
    const Image = model("tiles").data.image[0].constructor;
    const many = Math.min(MOST_LINES, arrays.plane.shape[1]);
    const shown = [{ name: `median of ${n} seeds`, values: part(arrays.plane_middle, cell) }];
    for (let place = 0; place < many; place++) {
      // a chosen seed beyond the first ones takes the last place
      const seed = place === many - 1 && state.seed >= many ? state.seed : place;
      const said = succeeds(cell, seed) ? "succeeds" : "fails";
      shown.push({ seed, name: `seed ${about.seeds[seed]} ${said}`,
        values: part(arrays.plane, cell, seed) });
    }
    const data = { image: [], x: [], y: [], dw: [], dh: [], top: [], text: [] };
    const frame = { left: [], right: [], bottom: [], top: [] };
    shown.forEach(({ seed, name, values }, number) => {
      const left = (number % 3) * 1.06, top = -Math.floor(number / 3) * 1.17 - 0.17;
      data.image.push(new Image(values, [high, wide])); data.x.push(left); data.y.push(top - 1); data.dw.push(1);
      data.dh.push(1); data.top.push(top); data.text.push(name);
      if (seed === undefined || seed !== state.seed) return;
      frame.left.push(left); frame.right.push(left + 1); frame.top.push(top);
      frame.bottom.push(top - 1);
    });
    fill("tiles", data);
    fill("tile", frame);
  }

  function drawCurves(cell) {
    if (!about.curves) return;
    const x = Array.from(arrays.step.values, stepPlace);
    const into = about.curves.log ? (value) => 10 ** value : (value) => value;
    drawLines("curves", x, arrays.curve, arrays.curve_band, cell, into);
    const box = model("success");
    model("threshold").location = threshold();
    if (about.limit === "below") box.top = threshold(); else box.bottom = threshold();
  }

  // ---- tables ------------------------------------------------------------------------------

  function element(tag, content, className) {
    const made = document.createElement(tag);
    if (content !== undefined) made.textContent = content;
    if (className) made.className = className;
    return made;
  }
  function bar(share, low, high, className) {
    const made = element("span", undefined, `bar ${className || ""}`);
    made.setAttribute("aria-hidden", "true");
    const body = element("i");
    body.style.width = percent(share);
    made.append(body);
    if (low !== undefined) {
      const range = element("b");
      range.style.left = percent(low);
      range.style.width = percent(high - low);
      made.append(range);
    }
    return made;
  }
  function row(head, ...cells) {
    const made = element("tr");
    const first = element("th");
    first.scope = "row";
    first.append(head);
    made.append(first);
    for (const content of cells) {
      const entry = element("td");
      entry.append(content);
      made.append(entry);
    }
    return made;
  }

  function fillNumbers(cell) {
    const { k, rate, low, high } = rateOf(cell);
    const [q05, q50, q95] = part(arrays.middle, cell);
    const lines = [
      ["seeds that succeed", `${k} of ${n}`],
      ["rate", `${rate.toFixed(3)}, 95% interval ${low.toFixed(3)} to ${high.toFixed(3)}`],
      [`median ${about.of}`, text(q50)],
      [`5% and 95% quantile of ${about.of}`, `${text(q05)} and ${text(q95)}`],
    ];
    byId("numbers").tBodies[0].replaceChildren(...lines.map(([a, b]) => row(a, b)));
  }

  function fillBecame(cell) {
    const counts = new Map();
    for (let seed = 0; seed < n; seed++) {
      const kind = became(cell, seed);
      counts.set(kind, (counts.get(kind) || 0) + 1);
    }
    const order = [...counts].sort((a, b) => (a[0] && b[0] ? b[1] - a[1] : a[0] - b[0]));
    const lines = order.map(([kind, many]) => {
      const name = about.kinds.length > 1 || kind === 0 ? about.kinds[kind] : "failed";
      const line = row(name, bar(many / n, undefined, undefined, kind ? "failed" : ""),
        `${many} of ${n}`);
      line.cells[1].className = "wide";
      return line;
    });
    byId("became").tBodies[0].replaceChildren(...lines);
  }

  function fillSeeds(cell) {
    const values = part(arrays.final, cell);
    const lines = about.seeds.map((name, seed) => {
      const good = succeeds(cell, seed);
      const label = element("label");
      const radio = element("input");
      radio.type = "radio";
      radio.name = "seed";
      radio.value = seed;
      radio.checked = seed === state.seed;
      radio.addEventListener("change", () => { state.seed = seed; drawCell(); });
      label.append(radio, ` seed ${name}`);
      const kind = part(arrays.kinds, cell)[seed];
      const known = about.kinds.length > 1 ? about.kinds[kind] : "failed";
      const line = row(label, text(values[seed]),
        element("span", good ? "learned" : known, good ? "succeeds" : "fails"));
      line.className = seed === state.seed ? "chosen" : "";
      line.addEventListener("click", () => { state.seed = seed; drawCell(); });
      return line;
    });
    const body = byId("seeds").tBodies[0];
    const focused = document.activeElement && document.activeElement.name === "seed"
      ? document.activeElement.value : null;
    body.replaceChildren(...lines);
    if (focused !== null) body.querySelector(`input[value="${focused}"]`).focus();
  }

  function fillSettings() {
    if (vertical || about.settings.length < 2) return;
    const lines = about.settings.map((name, setting) => {
      const { k, rate, low, high } = rateOf(setting);
      const label = element("label");
      const radio = element("input");
      radio.type = "radio";
      radio.name = "setting-row";
      radio.value = setting;
      radio.checked = setting === state.setting;
      radio.addEventListener("change", () => { state.setting = setting; drawCell(true); });
      label.append(radio, ` ${name}`);
      const line = row(label, bar(rate, low, high), `${k} of ${n}`);
      line.className = setting === state.setting ? "chosen" : "";
      line.addEventListener("click", () => { state.setting = setting; drawCell(true); });
      return line;
    });
    const body = byId("settings").tBodies[0];
    const inside = body.contains(document.activeElement);
    body.replaceChildren(...lines);
    if (inside) body.querySelector("input:checked").focus();
  }

  function sayStatus(cell) {
    const { k, rate, low, high } = rateOf(cell);
    const name = nameOf(cell);
    byId("status").textContent = `${name ? `${name}: ` : ""}${k} of ${n} seeds succeed, ` +
      `${percent(rate)} (95% interval ${percent(low)} to ${percent(high)}).`;
  }

  // ---- drawing -----------------------------------------------------------------------------

  function drawCell(withSettings) {
    const cell = shownCell();
    drawFrames();
    drawFunctions(cell);
    drawPlane(cell);
    drawCurves(cell);
    fillNumbers(cell);
    fillBecame(cell);
    fillSeeds(cell);
    sayStatus(cell);
    if (withSettings) fillSettings();
    if (vertical) {
      byId("row").value = state.row;
      byId("column").value = state.column;
      byId("map").setAttribute("aria-label", `Map of the share of seeds that succeed, over ` +
        `${vertical.name} upwards and ${horizontal.name} to the right. The arrow keys move ` +
        `from cell to cell. Here: ${nameOf(chosenCell())}.`);
    }
  }
  function drawAll() {
    countSuccesses();
    const sign = about.limit === "below" ? "≤" : "≥";
    const slider = byId("threshold");
    const value = given(threshold());
    byId("threshold-value").textContent = `${sign} ${value}`;
    slider.setAttribute("aria-valuetext", `${about.of} ${about.limit === "below" ? "at most"
      : "at least"} ${value}`);
    drawMap();
    fillSettings();
    drawCell();
  }

  // ---- what a reader does ------------------------------------------------------------------

  function indexIn(edges, value) {
    for (let i = 0; i + 1 < edges.length; i++) {
      if (value >= edges[i] && value < edges[i + 1]) return i;
    }
    return -1;
  }
  function cellUnder(x, y) {
    const column = indexIn(horizontal.edges, x), row = indexIn(vertical.edges, y);
    return column < 0 || row < 0 ? null : cellAt(state.setting, row, column);
  }
  function over(x, y) {
    const cell = cellUnder(x, y);
    if (cell === state.hovered) return;
    state.hovered = cell === chosenCell() ? null : cell;
    drawCell();
  }
  function press(x, y) {
    const cell = cellUnder(x, y);
    if (cell === null) return;
    state.hovered = null;
    choose(Math.floor(cell / columns) % rows, cell % columns);
  }
  function leave() {
    if (state.hovered === null) return;
    state.hovered = null;
    drawCell();
  }
  function choose(rowNumber, columnNumber) {
    state.hovered = null;
    state.row = Math.min(Math.max(rowNumber, 0), rows - 1);
    state.column = Math.min(Math.max(columnNumber, 0), columns - 1);
    drawCell();
  }
  const MOVES = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  function options(select, texts) {
    texts.forEach((name, value) => {
      const made = element("option", name);
      made.value = value;
      select.append(made);
    });
  }

  function setUp() {
    const seeds = about.seeds.length;
    byId("threshold-label").textContent = `A seed succeeds where its ${about.of} is`;
    const slider = byId("threshold");
    slider.max = about.positions.length - 1;
    slider.value = about.first;
    options(byId("threshold-marks"), []);
    const mark = element("option");
    mark.value = about.first;
    byId("threshold-marks").append(mark);
    slider.addEventListener("input", () => { state.position = Number(slider.value); drawAll(); });
    byId("seeds-of").textContent = about.of;
    if (vertical) {
      byId("map-part").hidden = false;
      byId("row-label").textContent = vertical.name;
      byId("column-label").textContent = horizontal.name;
      options(byId("row"), vertical.texts);
      options(byId("column"), horizontal.texts);
      byId("row").addEventListener("change", (event) =>
        choose(Number(event.target.value), state.column));
      byId("column").addEventListener("change", (event) =>
        choose(state.row, Number(event.target.value)));
      byId("map").addEventListener("keydown", (event) => {
        const move = MOVES[event.key];
        if (!move) return;
        event.preventDefault();
        choose(state.row + move[0], state.column + move[1]);
      });
      if (about.settings.length > 1) {
        byId("setting-chooser").hidden = false;
        options(byId("setting"), about.settings);
        byId("setting").addEventListener("change", (event) => {
          state.setting = Number(event.target.value);
          drawMap();
          drawCell();
        });
      }
    } else {
      byId("list-part").hidden = about.settings.length < 2;
      byId("list-part").after(byId("seeds-part"));  // where the map would be
    }
    write(seeds);
  }

  function write(seeds) {
    const settings = count > 1 ? `${count.toLocaleString("en")} settings with ` : "";
    byId("lead").textContent = `${settings}${n.toLocaleString("en")} seeds` +
      `${count > 1 ? " each" : ""}. Rates have exact 95% intervals; a training that diverged ` +
      "is a failure.";
    const stroke = (color, width, dash) => `<svg width="26" height="8" aria-hidden="true">` +
      `<line x1="0" x2="26" y1="4" y2="4" stroke="${color}" stroke-width="${width}"` +
      `${dash ? ` stroke-dasharray="${dash}"` : ""}/></svg>`;
    const area = (color) => `<svg width="26" height="10" aria-hidden="true">` +
      `<rect width="26" height="10" fill="${color}"/></svg>`;
    const lines = Math.min(MOST_LINES, seeds);
    const lineKey = `${stroke(SUCCESS, 1.5)}succeeds ${stroke(FAILURE, 1.5, "4 3")}fails ` +
      `(${lines === 1 ? "one seed" : `the first ${lines} seeds`}; bold: the seed that is chosen) ` +
      `${area("#c9c9c9")}the middle 50% and 90% of all ${n} seeds`;
    byId("functions-part").hidden = !about.functions;
    byId("curves-part").hidden = !about.curves;
    byId("plane-part").hidden = !about.plane;
    if (about.plane) writePlane();
    byId("why").hidden = !about.why;
    byId("why").textContent = about.why;
    byId("functions-legend").innerHTML =
      `${stroke("#000000", 2, "6 4")}target ${lineKey} ${area("#ececec")}shown in training`;
    byId("curves-legend").innerHTML = `${area("#e8f2f9")}here a seed succeeds` +
      `${about.functions ? "" : ` ${lineKey}`}`;
    byId("became-note").textContent = about.kinds.length > 1
      ? "Learned: a success at the slider's threshold. The other names are those of stats.endings " +
        `at the threshold ${given(about.positions[about.first])}. ${about.note}` : about.note;
    const rest = n - seeds;
    byId("seeds-note").textContent = rest > 0 ? `The first ${seeds} of ${n} seeds. Bands, rates ` +
      "and numbers are those of all." : "";
    byId("rule").textContent = rule();
  }

  function writePlane() {
    const { names, ends, limits } = about.plane;
    byId("plane-legend").textContent = `${names[1]} from ${text(ends[1][0])} to ` +
      `${text(ends[1][1])} to the right, ${names[0]} from ${text(ends[0][0])} to ` +
      `${text(ends[0][1])} upwards. Colours: f(x)`;
    byId("plane-low").textContent = text(limits[0]);
    byId("plane-high").textContent = text(limits[1]);
  }

  function rule() {
    const said = [];
    if (about.plane) {
      said.push(thinning("Functions are drawn at", about.plane.shape.join(" × "),
        about.plane.whole.join(" × "), "points"));
    }
    if (about.functions) {
      said.push(thinning("Functions are drawn at", about.functions.points, about.functions.whole,
        "points"));
    }
    if (about.curves) {
      said.push(thinning("Curves are drawn at", about.curves.records, about.curves.whole,
        "records"));
    }
    if ((about.functions || about.plane) && about.kept !== null) {
      said.push(`Functions are those after step ${about.kept}; all numbers are those of the last ` +
        "record.");
    }
    said.push("What is drawn has three significant digits; counts, rates and the values in tables " +
      "are those of the result itself.");
    if (about.fingerprint) said.push(`Result ${about.fingerprint}.`);
    return said.join(" ");
  }
  function thinning(begin, left, whole, things) {
    if (left === whole) return `${begin} all ${whole} ${things}.`;
    return `${begin} ${left} of ${whole} ${things}, taken evenly.`;
  }

  async function start() {
    for (const name of Object.keys(packed)) arrays[name] = await unpack(packed[name]);
    setUp();
    for (const [name, item] of Object.entries(panels)) {
      await Bokeh.embed.embed_item(item, name);
    }
    countSuccesses();
    begin();
    drawAll();
    window.explorer.ready = true;
  }
  // The page begins with the cell whose rate is nearest to one half: there is most to see
  function begin() {
    let best = 0;
    for (let cell = 1; cell < rows * columns; cell++) {
      if (Math.abs(rates[cell] / n - 0.5) < Math.abs(rates[best] / n - 0.5)) best = cell;
    }
    state.row = Math.floor(best / columns);
    state.column = best % columns;
  }

  window.explorer = { over, press, leave, ready: false, state, rates: () => rates,
    moveTo: (position) => { byId("threshold").value = position; state.position = position;
      drawAll(); } };
  start();
})();
