"use strict";
(function () {
  const SVG = "http://www.w3.org/2000/svg";
  const numbers = JSON.parse(document.getElementById("numbers").textContent);
  const clusters = numbers.clusters;
  const BELOW = 2; // labels are moved up: 0 is left out, 1 is noise
  document.documentElement.classList.add("scripted");

  function make(parent, name, attributes, text) {
    const element = document.createElementNS(SVG, name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (text !== undefined) element.textContent = text;
    parent.appendChild(element);
    return element;
  }

  // --- charts ---------------------------------------------------------------------------

  // Round numbers between two ends, about so many.
  function ticks(low, high, wanted) {
    const rough = (high - low) / wanted, power = Math.pow(10, Math.floor(Math.log10(rough)));
    const step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= rough);
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) {
      found.push(Number((k * step).toPrecision(12)));
    }
    return found;
  }

  function decades(low, high) {
    const found = [];
    for (let k = Math.ceil(low - 1e-9); k <= high + 1e-9; k++) found.push(k);
    const every = Math.ceil(found.length / 7);
    return found.filter((k) => k % every === 0);
  }

  function power(k) {
    return k >= 0 && k <= 3 ? String(Math.pow(10, k)) : "1e" + k;
  }

  const charts = [];
  let printing = false;

  // A chart of curves over energies: logarithmic or not, with named peaks, and residuals below.
  // Drag over energies to see them larger, double-click to go back.
  class Chart {
    constructor(holder, what) {
      this.holder = holder;
      this.what = what;
      this.log = what.log !== false;
      this.range = what.range;
      this.pointed = null;
      if (what.tools) this.addTools();
      this.svg = make(holder, "svg", { role: "img", "aria-label": what.title });
      this.draw();
      if (what.tools) this.listen();
      charts.push(this);
    }

    addTools() {
      const tools = document.createElement("p");
      tools.className = "tools";
      this.holder.appendChild(tools);
      const add = (text, act) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = text;
        button.addEventListener("click", () => act(button));
        tools.appendChild(button);
        tools.appendChild(document.createTextNode(" "));
      };
      add("linear scale", (button) => {
        this.log = !this.log;
        button.textContent = this.log ? "linear scale" : "logarithmic scale";
        this.draw();
      });
      add("all energies", () => { this.range = this.what.range; this.draw(); });
    }

    // Channels inside of the range.
    inside() {
      const x = this.what.x, found = [];
      for (let n = 0; n < x.length; n++) {
        if (x[n] >= this.range[0] && x[n] <= this.range[1]) found.push(n);
      }
      return found;
    }

    scale() {
      const inside = this.inside();
      let high = -Infinity;
      const positive = [];
      for (const curve of this.what.curves) {
        if (curve.faint) continue;
        for (const n of inside) {
          const value = curve.y[n];
          if (value > high) high = value;
          if (value > 0 && curve.sets !== false) positive.push(value);
        }
      }
      if (this.what.limits) return this.what.limits;
      if (!(high > 0)) return this.log ? [0, 1] : [0, 1];
      if (!this.log) return [0, high * 1.05];
      positive.sort((a, b) => a - b);
      const low = positive[Math.floor(0.02 * positive.length)];
      return [Math.max(Math.log10(low) - 0.2, Math.log10(high) - 7), Math.log10(high) + 0.08];
    }

    // What is hidden has no width of its own, but will have that of the page.
    fit() {
      const wide = this.holder.clientWidth || document.querySelector("main").clientWidth;
      this.width = printing ? (this.what.tools ? 700 : 400) : Math.min(Math.max(wide, 400), 1000);
    }

    draw() {
      const what = this.what, svg = this.svg;
      svg.replaceChildren();
      this.fit();
      const labelled = what.labels.length > 0, rows = labelled ? 4 : 0;
      const left = what.flush ? 1 : 56, right = what.flush ? 1 : 10, top = 8 + 13 * rows, main = what.height || 250;
      const below = what.residual ? 84 : 0, width = this.width, bottom = what.legend ? 54 : 36;
      const height = top + main + below + bottom;
      svg.setAttribute("viewBox", "0 0 " + width + " " + height);
      const [x0, x1] = this.range, limits = this.scale();
      const toX = (value) => left + (value - x0) / (x1 - x0) * (width - left - right);
      const toY = (value) => {
        const v = this.log ? (value > 0 ? Math.log10(value) : -Infinity) : value;
        const y = top + main - (v - limits[0]) / (limits[1] - limits[0]) * main;
        return Math.min(Math.max(y, top - 2), top + main);
      };
      this.frame = { left, right, top, main, below, toX, toY, width };
      this.axes(limits, toX);
      const inside = this.inside();
      // What is pointed at comes last, above the others.
      const order = what.curves.map((curve, number) => number);
      order.sort((a, b) => (a === this.pointed) - (b === this.pointed));
      order.forEach((number) => {
        const curve = what.curves[number];
        const path = make(svg, "path", {
          d: this.path(inside, curve, toX, toY), fill: "none", stroke: curve.colour,
          "stroke-width": curve.width || 1.1, "stroke-linejoin": "round",
        });
        if (curve.dash) path.setAttribute("stroke-dasharray", curve.dash);
        if (this.pointed !== null && what.points) {
          const is = number === this.pointed;
          path.setAttribute("opacity", is ? 1 : 0.18);
          path.setAttribute("stroke-width", is ? 1.8 : 0.8);
        }
      });
      if (what.residual) this.residuals(inside, toX);
      this.names(toX, toY, rows);
      if (what.legend) this.legend();
      this.cross = make(svg, "g", { "pointer-events": "none" });
    }

    path(inside, curve, toX, toY) {
      let path = "", last = -2;
      for (const n of inside) {
        const value = curve.y[n];
        if (value === null || value === undefined) { last = -2; continue; }
        path += (last === n - 1 ? "L" : "M") + toX(this.what.x[n]).toFixed(1) + " " + toY(value).toFixed(1);
        last = n;
      }
      return path || "M0 0";
    }

    axes(limits, toX) {
      const { left, right, top, main, below, width } = this.frame, svg = this.svg;
      const end = top + main + below;
      const marks = this.log ? decades(limits[0], limits[1]) : ticks(limits[0], limits[1], 5);
      for (const mark of marks) {
        const y = top + main - (mark - limits[0]) / (limits[1] - limits[0]) * main;
        make(svg, "line", { x1: left, x2: width - right, y1: y, y2: y, stroke: "#e6e9ec" });
        const flush = this.what.flush;
        make(svg, "text", { x: flush ? 5 : left - 6, y: flush ? y - 3 : y + 4, "text-anchor": flush ? "start" : "end", fill: "#444" },
          this.log ? power(mark) : String(mark));
      }
      for (const mark of ticks(this.range[0], this.range[1], 10)) {
        const x = toX(mark);
        make(svg, "line", { x1: x, x2: x, y1: end, y2: end + 4, stroke: "#555" });
        make(svg, "text", { x, y: end + 16, "text-anchor": "middle", fill: "#444" }, String(mark));
      }
      make(svg, "path", { d: "M" + left + " " + top + "V" + end + "H" + (width - right), fill: "none", stroke: "#555" });
      make(svg, "text", { x: (left + width - right) / 2, y: end + 31, "text-anchor": "middle", fill: "#444" }, this.what.xlabel);
      if (this.what.flush) return;
      make(svg, "text", {
        transform: "translate(12 " + (top + main / 2) + ") rotate(-90)", "text-anchor": "middle", fill: "#444",
      }, this.what.ylabel);
    }

    residuals(inside, toX) {
      const { left, right, top, main, below, width } = this.frame, svg = this.svg, y = this.what.residual;
      let largest = 4;
      for (const n of inside) if (y[n] !== null) largest = Math.max(largest, Math.abs(y[n]));
      const middle = top + main + 10 + (below - 10) / 2, half = (below - 14) / 2 / largest;
      make(svg, "rect", { x: left, width: width - left - right, y: middle - 2 * half, height: 4 * half, fill: "#eef1f4" });
      for (const mark of [-2, 0, 2]) {
        make(svg, "text", { x: left - 6, y: middle - mark * half + 4, "text-anchor": "end", fill: "#444" },
          half * 2 < 11 && mark ? "" : String(mark));
      }
      make(svg, "line", { x1: left, x2: width - right, y1: top + main, y2: top + main, stroke: "#c4cad0" });
      make(svg, "path", { d: this.path(inside, { y }, toX, (v) => middle - v * half), fill: "none", stroke: "#444", "stroke-width": 0.7 });
      make(svg, "text", { transform: "translate(12 " + middle + ") rotate(-90)", "text-anchor": "middle", fill: "#444" }, "residual (σ)");
    }

    // Names of the peaks above the curves: none over another, none beyond the edge.
    names(toX, toY, rows) {
      const { left, right, top, width } = this.frame, taken = Array.from({ length: rows }, () => []);
      const wanted = this.what.labels.filter((l) => l.x > this.range[0] && l.x < this.range[1]);
      wanted.sort((a, b) => (b.weight || 0) - (a.weight || 0));
      for (const label of wanted) {
        const size = 7 + 6 * label.text.length, at = toX(label.x);
        const x = Math.min(Math.max(at, left + size / 2), width - right - size / 2);
        const row = taken.findIndex((spans) => spans.every(([a, b]) => x - size / 2 > b || x + size / 2 < a));
        if (row < 0) continue;
        taken[row].push([x - size / 2, x + size / 2]);
        const y = top - 4 - 13 * row, peak = label.y === undefined ? top : toY(label.y);
        make(this.svg, "line", { x1: at, x2: at, y1: y + 2, y2: Math.max(peak - 2, y + 2), stroke: "#c4cad0", "stroke-width": 0.7 });
        make(this.svg, "text", { x, y, "text-anchor": "middle", fill: label.colour || "#333",
          stroke: "#fff", "stroke-width": 3, "paint-order": "stroke" }, label.text);
      }
    }

    legend() {
      const { left, top, main, below } = this.frame, y = top + main + below + 50;
      let x = left;
      this.what.legend.forEach(([text, colour, dash]) => {
        make(this.svg, "line", { x1: x, x2: x + 20, y1: y - 4, y2: y - 4, stroke: colour, "stroke-width": 1.6, "stroke-dasharray": dash || "none" });
        make(this.svg, "text", { x: x + 25, y, fill: "#333" }, text);
        x += 38 + 6 * text.length;
      });
    }

    // Energy under the pointer.
    at(event) {
      const box = this.svg.getBoundingClientRect(), { left, right, width } = this.frame;
      const x = (event.clientX - box.left) / box.width * width;
      const share = Math.min(Math.max((x - left) / (width - left - right), 0), 1);
      return this.range[0] + share * (this.range[1] - this.range[0]);
    }

    listen() {
      let from = null;
      this.svg.addEventListener("pointerdown", (event) => { from = this.at(event); });
      this.svg.addEventListener("pointerleave", () => { from = null; this.cross.replaceChildren(); });
      this.svg.addEventListener("pointermove", (event) => this.show(this.at(event), from));
      this.svg.addEventListener("pointerup", (event) => {
        const to = this.at(event), low = Math.min(from, to), high = Math.max(from, to);
        if (from !== null && high - low > 0.01 * (this.range[1] - this.range[0])) {
          this.range = [low, high];
          this.draw();
        }
        from = null;
      });
      this.svg.addEventListener("dblclick", () => { this.range = this.what.range; this.draw(); });
    }

    show(energy, from) {
      const { top, main, below, toX, left, width } = this.frame, x = toX(energy), what = this.what;
      this.cross.replaceChildren();
      if (from !== null) {
        make(this.cross, "rect", { x: Math.min(x, toX(from)), width: Math.abs(x - toX(from)), y: top, height: main + below, fill: "#0072b2", opacity: 0.12 });
      }
      make(this.cross, "line", { x1: x, x2: x, y1: top, y2: top + main + below, stroke: "#888", "stroke-dasharray": "3 3" });
      let n = 0;
      while (n < what.x.length - 1 && what.x[n] < energy) n++;
      const value = what.curves[what.read || 0].y[n];
      const right = x > (left + width) / 2;
      make(this.cross, "text", { x: right ? x - 6 : x + 6, y: top + main - 8, "text-anchor": right ? "end" : "start", fill: "#222",
        stroke: "#fff", "stroke-width": 3, "paint-order": "stroke" },
        energy.toFixed(2) + " keV" + (Number.isFinite(value) ? ": " + what.told(value) : ""));
    }

    point(number) {
      if (number === this.pointed) return;
      this.pointed = number;
      this.draw();
    }
  }

  // --- spectra --------------------------------------------------------------------------

  function rangeOf(energy, last) {
    const high = energy[energy.length - 1], low = Math.max(energy[0], numbers.spectra.lowest);
    return low < high ? [low, Math.min(high, last)] : [energy[0], high];
  }

  const spectra = numbers.spectra;
  const lastLine = numbers.lines.reduce((last, line) => Math.max(last, line[1] * 1.1 + 0.3), 0) || Infinity;
  const overview = new Chart(document.getElementById("spectra"), {
    title: "Spectra of the clusters", x: spectra.energy, range: rangeOf(spectra.energy, lastLine),
    curves: clusters.map((of, k) => ({ y: spectra.shares[k], colour: of.colour })),
    labels: numbers.lines.map(([text, x]) => ({ text, x })),
    xlabel: "Energy (keV)", ylabel: "Share of the counts", points: true, height: 230,
  });

  function spread(family, length) {
    const y = new Array(length).fill(null);
    for (const [start, values] of family.parts) values.forEach((value, n) => { y[start + n] = value; });
    return y;
  }

  function drawFit(holder) {
    const k = Number(holder.dataset.cluster), fit = numbers.fits[k];
    if (!fit) {
      new Chart(holder, {
        title: "Spectrum", x: spectra.energy, range: rangeOf(spectra.energy, lastLine), tools: true,
        curves: [{ y: spectra.shares[k], colour: clusters[k].colour }],
        labels: numbers.lines.map(([text, x]) => ({ text, x })), xlabel: "Energy (keV)", ylabel: "Share of the counts",
        told: (share) => Number((100 * share).toPrecision(3)) + " % of the counts",
      });
      return;
    }
    const size = fit.energy.length, named = fit.families.filter((family) => family.name);
    const families = fit.families.map((family) => ({ y: spread(family, size), colour: family.colour, width: 0.9, sets: false }));
    const last = named.reduce((most, f) => Math.max(most, fit.energy[f.peak] * 1.06 + 0.3), 1);
    const curves = [
      ...families,
      { y: fit.counts, colour: "#8a8f94", width: 0.9 },
      { y: fit.model, colour: "#000000", width: 1 },
      { y: fit.background, colour: "#0072b2", dash: "5 3", sets: false },
    ];
    const legend = [["counts", "#8a8f94"], ["model", "#000000"], ["background", "#0072b2", "5 3"]];
    if (fit.artefacts.some((value) => value > 0.5)) {
      curves.push({ y: fit.artefacts, colour: "#009e73", width: 0.9, sets: false });
      legend.push(["escape, pile-up", "#009e73"]);
    }
    new Chart(holder, {
      title: "Spectrum and fit", x: fit.energy, range: rangeOf(fit.energy, last), curves, legend,
      read: families.length, residual: fit.residual, tools: true, xlabel: "Energy (keV)", ylabel: "Counts",
      told: (counts) => counts + " counts",
      labels: named.map((f) => ({ text: f.name, x: fit.energy[f.peak], y: fit.model[f.peak], colour: "#333", weight: fit.model[f.peak] })),
    });
  }

  document.querySelectorAll(".fit").forEach(drawFit);

  // --- map ------------------------------------------------------------------------------

  function decode(map) {
    const text = atob(map.labels), bytes = new Uint8Array(text.length);
    for (let n = 0; n < text.length; n++) bytes[n] = text.charCodeAt(n);
    if (map.bytes === 1) return bytes;
    const labels = new Uint16Array(bytes.length / 2);
    for (let n = 0; n < labels.length; n++) labels[n] = bytes[2 * n] + 256 * bytes[2 * n + 1];
    return labels;
  }

  const map = numbers.map, labels = decode(map), frame = document.getElementById("map");
  const images = Array.from(frame.querySelectorAll("img")), readout = document.getElementById("readout");
  const hint = readout.textContent;
  let shown = 0, chosen = 0, lit = null;

  const veil = document.createElement("canvas");
  veil.width = map.width;
  veil.height = map.height;
  frame.appendChild(veil);

  // Everything but one cluster is veiled.
  function light(cluster) {
    if (cluster === lit) return;
    lit = cluster;
    const pen = veil.getContext("2d"), start = shown * map.width * map.height;
    const pixels = pen.createImageData(map.width, map.height);
    if (cluster !== null) {
      for (let n = 0; n < map.width * map.height; n++) {
        if (labels[start + n] - BELOW !== cluster) {
          pixels.data[4 * n] = pixels.data[4 * n + 1] = pixels.data[4 * n + 2] = 255;
          pixels.data[4 * n + 3] = 165;
        }
      }
    }
    pen.putImageData(pixels, 0, 0);
  }

  const buttons = Array.from(document.querySelectorAll(".legend button"));
  function point(cluster) {
    light(cluster);
    overview.point(cluster);
    buttons.forEach((button) => button.closest("tr").classList.toggle("pointed", Number(button.dataset.cluster) === cluster));
  }

  function choose(cluster, follow) {
    chosen = cluster;
    document.querySelectorAll("article.cluster").forEach((article, k) => article.classList.toggle("chosen", k === cluster));
    buttons.forEach((button) => {
      const is = Number(button.dataset.cluster) === cluster;
      button.closest("tr").classList.toggle("chosen", is);
      button.setAttribute("aria-pressed", String(is));
    });
    if (follow) document.getElementById("section-2").scrollIntoView({ behavior: "smooth" });
  }

  // Column, row and label of the pixel under the pointer.
  function pixel(event) {
    const box = frame.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / box.width * map.width);
    const row = Math.floor((event.clientY - box.top) / box.height * map.height);
    if (column < 0 || row < 0 || column >= map.width || row >= map.height) return null;
    return { column, row, label: labels[(shown * map.height + row) * map.width + column] - BELOW };
  }

  function place(axis, at) {
    const value = axis.offset + axis.scale * at * map.step;
    return axis.name + " = " + Number(value.toPrecision(4)) + " " + axis.units;
  }

  frame.addEventListener("pointermove", (event) => {
    const at = pixel(event);
    if (at === null) return;
    const what = at.label >= 0 ? clusters[at.label].name : at.label === -1 ? numbers.noise : "left out";
    const where = map.axes.map((axis, n) => place(axis, n === 0 ? at.column : at.row));
    readout.textContent = what + (where.length ? ": " + where.join(", ") : "");
    point(at.label >= 0 ? at.label : null);
  });
  frame.addEventListener("pointerleave", () => { readout.textContent = hint; point(null); });
  frame.addEventListener("click", (event) => {
    const at = pixel(event);
    if (at !== null && at.label >= 0) choose(at.label, true);
  });
  buttons.forEach((button) => {
    const cluster = Number(button.dataset.cluster);
    button.addEventListener("click", () => choose(cluster, true));
    button.addEventListener("pointerenter", () => point(cluster));
    button.addEventListener("pointerleave", () => point(null));
    button.addEventListener("focus", () => point(cluster));
    button.addEventListener("blur", () => point(null));
  });

  function showMap(number) {
    shown = number;
    images.forEach((image, n) => { image.hidden = n !== number; });
    lit = undefined;
    light(null);
  }
  const chooser = document.getElementById("chooser");
  if (chooser) chooser.addEventListener("change", () => showMap(Number(chooser.value)));
  showMap(0);
  if (clusters.length) choose(0, false);

  function print(is) {
    printing = is;
    charts.forEach((chart) => chart.draw());
  }
  window.addEventListener("beforeprint", () => print(true));
  window.addEventListener("afterprint", () => print(false));

  let redraw = 0;
  window.addEventListener("resize", () => {
    cancelAnimationFrame(redraw);
    redraw = requestAnimationFrame(() => charts.forEach((chart) => chart.draw()));
  });

  // --- line scans -----------------------------------------------------------------------

  // Half a pixel more on either side, as the map above has it.
  function ends(place) {
    const last = place.length - 1, half = last ? (place[last] - place[0]) / last / 2 : 0.5;
    return [place[0] - half, place[last] + half].sort((a, b) => a - b);
  }

  const scan = numbers.scan;
  if (scan && clusters.length) {
    new Chart(document.getElementById("scan"), {
      title: "Memberships along the line", x: scan.place, range: ends(scan.place),
      curves: scan.memberships.map((y, k) => ({ y, colour: clusters[k].colour })), labels: [],
      limits: [0, 1.12], log: false, xlabel: "Membership along " + scan.label, height: 160, flush: true,
    });
  }
})();
