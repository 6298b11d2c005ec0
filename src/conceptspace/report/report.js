// Draws the charts, and joins the interactive concept space to the panel beside it.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const explorer = data.explorer;
  const font = { family: 'system-ui, "Segoe UI", Arial, "Liberation Sans", sans-serif', size: 13, color: "#1a1a1a" };
  const config = { displaylogo: false, responsive: true, plotlyServerURL: "", modeBarButtonsToRemove: ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d"] };
  const element = (id) => document.getElementById(id);
  const thousands = (value) => Math.round(value).toLocaleString("en").replace(/,/g, "\u202f");
  const percent = (value) => (value === null || value === undefined ? "–" : `${Math.round(100 * value)} %`);
  const MEAN = "mean";

  // How many rows a horizontal legend takes: Plotly shrinks a plot whose legend has too little room.
  function legendRows(labels, width) {
    let rows = 1;
    let used = 0;
    for (const label of labels) {
      const room = 56 + 7.2 * label.length;
      if (used > 0 && used + room > width) { rows += 1; used = 0; }
      used += room;
    }
    return rows;
  }

  for (const chart of data.charts) {
    const holder = element(`chart-${chart.name}`);
    if (!holder) continue;
    const narrow = holder.clientWidth < 700;
    const layout = { ...chart.layout, font, separators: ".\u202f", paper_bgcolor: "#fff", plot_bgcolor: "#fff", hoverlabel: { align: "left" } };
    layout.xaxis = { gridcolor: "#eee", separatethousands: true, linecolor: "#999", ...layout.xaxis };
    layout.yaxis = { gridcolor: "#eee", linecolor: "#999", ...layout.yaxis };
    if (narrow) {
      layout.legend = { ...layout.legend, orientation: "h", x: 0, y: 0, yref: "container", yanchor: "bottom" };
      const labels = chart.traces.filter((trace) => trace.showlegend !== false).map((trace) => trace.name || "");
      const below = 22 * legendRows(labels, holder.clientWidth - 70);
      layout.margin = { ...layout.margin, b: 62 + below };
      layout.height += below;
    }
    Plotly.newPlot(holder, chart.traces, layout, config);
  }

  const state = { x: 0, y: Math.min(1, explorer.concepts.length - 1), name: null, seed: MEAN, at: 0, pinned: false };
  const byName = new Map(explorer.classes.map((entry) => [entry.name, entry]));
  const held = explorer.classes.filter((entry) => entry.held_out);
  state.name = (held[0] || explorer.classes[0] || { name: null }).name;

  const fill = (select, options) => {
    for (const [value, text] of options) {
      const option = document.createElement("option");
      option.value = value;
      option.textContent = text;
      select.append(option);
    }
  };
  const coordinates = (entry, seed) => (seed === MEAN ? entry.mean : entry.per_seed[explorer.seeds.indexOf(Number(seed))]);
  const column = (rows, index) => rows.map((row) => row[index]);

  function pathBetween(entry, first, last) {
    const steps = explorer.steps;
    const at = [...new Set([first, ...steps.filter((s) => s > first && s < last), last])];
    return at.map((step) => {
      let i = steps.findIndex((s) => s >= step);
      if (i < 0) i = steps.length - 1;
      const j = Math.max(i - 1, 0);
      const share = steps[i] === steps[j] ? 0 : (step - steps[j]) / (steps[i] - steps[j]);
      return entry.mean[j].map((value, k) => value + share * (entry.mean[i][k] - value));
    });
  }

  // The untrained model's samples show no concept, so no path starts there.
  const drawn = (path) => path.map((row, i) => (
    explorer.steps[i] === 0 && path.length > 1 ? row.map(() => null) : row
  ));

  function classTraces(entry) {
    const traces = [];
    const group = { legendgroup: entry.name };
    if (element("show-seeds").checked && explorer.seeds.length > 1) {
      entry.per_seed.forEach((path, index) => traces.push({
        ...group, x: column(drawn(path), state.x), y: column(drawn(path), state.y), showlegend: false,
        mode: entry.held_out ? "lines+markers" : "lines",
        line: { color: entry.line.color, width: 0.8 }, opacity: entry.held_out ? 0.5 : 0.3,
        marker: { size: 4, color: entry.line.color },
        customdata: path.map((_, i) => [entry.name, explorer.seeds[index], i]),
        hovertemplate: "<extra></extra>",
      }));
    }
    const along = explorer.steps.map((_, i) => i / Math.max(explorer.steps.length - 1, 1));
    const bars = (axis) => ({
      type: "data", symmetric: false, color: entry.line.color, thickness: 0.7, width: 0,
      array: entry.mean.map((row, i) => entry.high[i][axis] - row[axis]),
      arrayminus: entry.mean.map((row, i) => row[axis] - entry.low[i][axis]),
    });
    traces.push({
      ...group, name: entry.label + (entry.held_out ? " (held out)" : ""),
      x: column(drawn(entry.mean), state.x), y: column(drawn(entry.mean), state.y),
      mode: "lines+markers",
      line: { ...entry.line, width: entry.held_out ? 2.6 : 1.8 },
      marker: {
        size: entry.held_out ? 10 : 5, symbol: entry.held_out ? entry.symbol : "circle",
        color: along, colorscale: [[0, "#fff"], [1, entry.held_out ? "#40200a" : entry.line.color]],
        cmin: 0, cmax: 1, line: { color: entry.line.color, width: 1.4 },
      },
      error_x: entry.held_out ? bars(state.x) : undefined,
      error_y: entry.held_out ? bars(state.y) : undefined,
      customdata: entry.mean.map((_, i) => [entry.name, MEAN, i]),
      hovertemplate: "<extra></extra>",
    });
    return traces;
  }

  function turnTraces() {
    const traces = [];
    for (const entry of explorer.classes) {
      for (const turn of entry.turns) {
        const shown = { hoverinfo: "skip", legendgroup: "turn", showlegend: false, mode: "lines" };
        if (turn.interval) {
          const piece = pathBetween(entry, ...turn.interval);
          const line = { x: column(piece, state.x), y: column(piece, state.y) };
          traces.push({ ...shown, ...line, line: { color: "#1a1a1a", width: 13 } });
          traces.push({ ...shown, ...line, line: { color: "#F0E442", width: 11 } });
        }
      }
    }
    return traces;
  }

  function turnStars() {
    const stars = { x: [], y: [] };
    for (const entry of explorer.classes) {
      for (const turn of entry.turns) {
        const [point] = pathBetween(entry, turn.step, turn.step);
        stars.x.push(point[state.x]);
        stars.y.push(point[state.y]);
      }
    }
    return {
      ...stars, name: "turn and its interval", mode: "markers", hoverinfo: "skip", legendgroup: "turn",
      showlegend: stars.x.length > 0,
      marker: { symbol: "star", size: 19, color: "#F0E442", line: { color: "#1a1a1a", width: 1.4 } },
    };
  }

  function cornerImages() {
    const images = [];
    const shapes = [{ type: "rect", x0: 0, y0: 0, x1: 1, y1: 1, line: { color: "#888", width: 1, dash: "dot" }, layer: "below" }];
    for (const [right, top] of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
      const entry = explorer.classes.find((c) => c.corner.every((value, axis) => {
        if (axis === state.x) return value === right;
        if (axis === state.y) return value === top;
        return value === 0;
      }));
      if (!entry || !explorer.corners[entry.name]) continue;
      const size = 0.13;
      const x = right ? 1.015 : -0.015 - size;
      const y = top ? 1.015 : -0.015 - size;
      images.push({ source: explorer.corners[entry.name], xref: "paper", yref: "paper", x, y, sizex: size, sizey: size, xanchor: "left", yanchor: "bottom", sizing: "stretch" });
      shapes.push({ type: "rect", xref: "paper", yref: "paper", x0: x, y0: y, x1: x + size, y1: y + size,
        line: { color: entry.held_out ? "#D55E00" : "#1a1a1a", width: entry.held_out ? 3.5 : 1.5, dash: entry.held_out ? "dash" : "solid" } });
    }
    return { images, shapes };
  }

  function axisOf(index) {
    const concept = explorer.concepts[index];
    const values = concept.words.map((_, i) => i / Math.max(concept.words.length - 1, 1));
    return { title: { text: concept.name, standoff: 6 }, range: [-0.05, 1.05], tickvals: values, ticktext: concept.words.map((word, i) => `${Number(values[i].toFixed(2))} ${word}`), gridcolor: "#eee", zeroline: false };
  }

  function selectionTrace() {
    const entry = byName.get(state.name);
    const point = entry ? coordinates(entry, state.seed)[state.at] : null;
    return {
      x: point ? [point[state.x]] : [], y: point ? [point[state.y]] : [], mode: "markers", hoverinfo: "skip", showlegend: false,
      marker: { symbol: "circle-open", size: 21, color: "#1a1a1a", line: { width: 3 } },
    };
  }

  let selectionIndex = 0;
  function drawPlane() {
    const traces = turnTraces();
    for (const entry of explorer.classes.filter((c) => !c.held_out)) traces.push(...classTraces(entry));
    for (const entry of held) traces.push(...classTraces(entry));
    traces.push(turnStars(), selectionTrace());
    selectionIndex = traces.length - 1;
    const wide = element("plane").clientWidth;
    const side = wide - 84 - 74;
    const labels = traces.filter((trace) => trace.name && trace.showlegend !== false).map((trace) => trace.name);
    const below = 100 + 24 * legendRows(labels, side);
    const layout = {
      ...cornerImages(), font, width: wide, height: side + 74 + below, hovermode: "closest", hoverdistance: 14,
      margin: { l: 84, r: 74, t: 74, b: below }, plot_bgcolor: "#fff", paper_bgcolor: "#fff",
      xaxis: axisOf(state.x), yaxis: axisOf(state.y),
      legend: { orientation: "h", y: -84 / side, yanchor: "top", x: 0.5, xanchor: "center", groupclick: "togglegroup" },
    };
    return Plotly.react("plane", traces, layout, { ...config, responsive: false, displayModeBar: false });
  }

  function line(parent, tag, text, attributes = {}) {
    const made = document.createElement(tag);
    made.textContent = text;
    Object.assign(made, attributes);
    parent.append(made);
    return made;
  }

  function pictureRow(panel, entry, method, seed) {
    const step = explorer.steps[state.at];
    const source = explorer.strips[`${seed}|${step}|${entry.name}|${method.name}`];
    const accuracy = entry.accuracy[method.name];
    if (!source && !accuracy) return false;
    const figure = document.createElement("figure");
    const index = explorer.seeds.indexOf(Number(seed));
    const values = accuracy && (state.seed === MEAN ? accuracy.mean : accuracy.per_seed[index]);
    const strength = accuracy && accuracy.strength && accuracy.strength[index] && accuracy.strength[index][state.at];
    let said = method.label;
    if (values) said += `: ${percent(values[state.at])} right`;
    if (method.has_strength && strength !== null && strength !== undefined) said += `, strength ${strength}`;
    line(figure, "figcaption", said);
    if (source) {
      const image = document.createElement("img");
      image.src = source;
      image.alt = `Samples of class ${entry.label}, ${method.label}, step ${step}, seed ${seed}`;
      figure.append(image);
    }
    panel.append(figure);
    return Boolean(source);
  }

  function drawPanel() {
    const panel = element("panel");
    panel.replaceChildren();
    const entry = byName.get(state.name);
    if (!entry) return;
    const step = explorer.steps[state.at];
    const seed = state.seed === MEAN ? explorer.seeds[0] : state.seed;
    panel.dataset.step = step;
    panel.dataset.concept_class = entry.name;
    panel.dataset.seed = state.seed;
    line(panel, "h4", `Step ${thousands(step)}`);
    const who = state.seed === MEAN ? `mean of ${explorer.seeds.length === 1 ? "1 seed" : `${explorer.seeds.length} seeds`}` : `seed ${state.seed}`;
    line(panel, "div", `class ${entry.label} (${entry.held_out ? "held out" : "trained on"}), ${who}`);
    const table = document.createElement("table");
    const point = coordinates(entry, state.seed)[state.at];
    explorer.concepts.forEach((concept, k) => {
      const row = table.insertRow();
      line(row, "th", concept.name);
      const known = point[k] !== null;
      const ends = state.seed === MEAN && known ? ` [${entry.low[state.at][k].toFixed(2)}, ${entry.high[state.at][k].toFixed(2)}]` : "";
      line(row, "td", known ? `${point[k].toFixed(2)}${ends}` : "not measured", { className: "coordinate" });
      line(row, "td", `0 ${concept.words[0]} … 1 ${concept.words[concept.words.length - 1]}`, { className: "interval" });
    });
    const naive = entry.accuracy[explorer.methods[0] && explorer.methods[0].name];
    if (naive && naive.off_manifold) {
      const row = table.insertRow();
      line(row, "th", "off-manifold");
      line(row, "td", percent(naive.off_manifold[state.at]));
      line(row, "td", "of naive samples, all seeds", { className: "interval" });
    }
    panel.append(table);
    const main = explorer.methods.filter((method) => method.kind !== "control");
    const shown = main.map((method) => pictureRow(panel, entry, method, seed)).some(Boolean);
    const controls = explorer.methods.filter((method) => method.kind === "control" && entry.accuracy[method.name]);
    if (controls.length) {
      const fold = document.createElement("details");
      fold.open = drawPanel.open || false;
      fold.addEventListener("toggle", () => { drawPanel.open = fold.open; });
      line(fold, "summary", "controls");
      controls.forEach((method) => pictureRow(fold, entry, method, seed));
      panel.append(fold);
    }
    const why = explorer.seeds_left_out.includes(Number(seed)) ? "Pictures of this seed are not in the file." : "No pictures were kept here.";
    if (!shown) line(panel, "p", why, { className: "none" });
    else if (state.seed === MEAN && explorer.seeds.length > 1) line(panel, "p", `Pictures: seed ${seed}.`, { className: "none" });
  }

  function select(change) {
    Object.assign(state, change);
    element("pick-class").value = state.name;
    element("pick-seed").value = String(state.seed);
    element("pick-step").value = state.at;
    element("slider-step").textContent = thousands(explorer.steps[state.at]);
    element("pick-step").setAttribute("aria-valuetext", `step ${explorer.steps[state.at]}`);
    element("release").hidden = !state.pinned;
    drawPanel();
    const mark = selectionTrace();
    Plotly.restyle("plane", { x: [mark.x], y: [mark.y] }, [selectionIndex]);
  }

  const chosen = (event) => {
    const point = event.points.find((p) => Array.isArray(p.customdata));
    if (!point) return null;
    const [name, seed, at] = point.customdata;
    return { name, seed, at };
  };

  if (explorer.classes.length) {
    const axes = explorer.concepts.map((concept, index) => [index, concept.name]);
    for (const [id, key] of [["axis-x", "x"], ["axis-y", "y"]]) {
      fill(element(id), axes);
      element(id).value = state[key];
      element(id).addEventListener("change", (event) => { state[key] = Number(event.target.value); drawPlane(); });
    }
    fill(element("pick-class"), explorer.classes.map((c) => [c.name, c.label + (c.held_out ? " (held out)" : "")]));
    fill(element("pick-seed"), [[MEAN, "mean"], ...explorer.seeds.map((seed) => [seed, `seed ${seed}`])]);
    element("pick-step").max = explorer.steps.length - 1;
    element("pick-class").addEventListener("change", (event) => select({ name: event.target.value }));
    element("pick-seed").addEventListener("change", (event) => select({ seed: event.target.value === MEAN ? MEAN : Number(event.target.value) }));
    element("pick-step").addEventListener("input", (event) => select({ at: Number(event.target.value) }));
    element("show-seeds").addEventListener("change", drawPlane);
    element("release").addEventListener("click", () => select({ pinned: false }));
    let width = 0;
    drawPlane().then((plot) => {
      plot.on("plotly_hover", (event) => { const found = chosen(event); if (found && !state.pinned) select(found); });
      plot.on("plotly_click", (event) => { const found = chosen(event); if (found) select({ ...found, pinned: true }); });
      select({ at: explorer.steps.length - 1 });
      width = element("plane").clientWidth;
      document.body.dataset.ready = "yes";
    });
    window.addEventListener("resize", () => {
      if (element("plane").clientWidth !== width) { width = element("plane").clientWidth; drawPlane(); }
    });
  }
})();
