"use strict";
/* Draws the curves of the page. Everything else is already there; nothing is fetched. */
(() => {
  const KIB = 1024;
  const charts = JSON.parse(document.getElementById("data").textContent).charts;
  const SVG = "http://www.w3.org/2000/svg";
  const SCALES = {
    bytes: [[KIB ** 3, "GiB"], [KIB ** 2, "MiB"], [KIB, "KiB"], [1, "B"]],
    ns: [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]],
    count: [[1, ""]],
  };
  const LINEAR_BELOW = { bytes: KIB, count: 1, ns: 1e6 };
  const MOST_LABELS = 5; // beside a small chart; the buttons above tell the colours
  const LEAST_SPAN = { bytes: 4 * KIB, count: 4, ns: 1e6 };

  /* ---- quantities, printed as everywhere else in memcurve */
  const grouped = (value, digits) =>
    value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });

  function scaleOf(unit, most) {
    const scales = SCALES[unit];
    return scales.find(([factor]) => Math.abs(most) >= factor) || scales[scales.length - 1];
  }

  function format(unit, value) {
    if (unit === "count") return grouped(value, Number.isInteger(value) ? 0 : 1);
    const [factor, name] = scaleOf(unit, value);
    const scaled = value / factor, size = Math.abs(scaled);
    if (name === "B") return `${grouped(Math.round(scaled), 0)} B`;
    return `${grouped(scaled, size >= 100 ? 0 : size >= 10 ? 1 : 2)} ${name}`;
  }

  /* ---- axes */
  function ticks(low, high, unit, count) {
    const [factor, name] = scaleOf(unit, Math.max(Math.abs(low), Math.abs(high)));
    const raw = Math.max((high - low) / factor, 1e-9) / Math.max(count - 1, 1);
    const power = 10 ** Math.floor(Math.log10(raw));
    const away = (s) => Math.abs(Math.log((s * power) / raw));
    let step = [1, 2, 5, 10].reduce((a, b) => (away(b) < away(a) ? b : a)) * power;
    if (unit === "count" || name === "B") step = Math.max(step, 1);
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const found = [];
    for (let i = Math.ceil(low / factor / step - 1e-9); i * step * factor <= high * (1 + 1e-9); i++)
      found.push([i * step * factor, i ? `${grouped(i * step, digits)} ${name}`.trim() : "0"]);
    return found;
  }

  function logTicks(low, high, unit, count) {
    const decades = { bytes: [1, KIB, KIB ** 2].flatMap((f) => [1, 10, 100].map((n) => n * f * KIB)) }[unit] ||
      Array.from({ length: 12 }, (_, i) => LINEAR_BELOW[unit] * 10 ** i);
    const powers = decades.filter((value) => value <= Math.max(high, -low));
    const stride = Math.max(1, Math.ceil(powers.length / Math.max(count, 1)));
    const kept = powers.filter((_, i) => (powers.length - 1 - i) % stride === 0);
    const signed = [...kept.filter((v) => -v >= low).map((v) => -v), 0, ...kept.filter((v) => v <= high)];
    return signed.map((v) => [v, v ? format(unit, v).replace(/[.]0+(?= |$)/, "") : "0"]);
  }

  /* Push labels apart, as little as it takes; places rise downwards. */
  function spread(labels, gap, bottom) {
    const merged = [];
    for (const label of [...labels].sort((a, b) => a.y - b.y)) {
      merged.push({ of: [label], y: label.y });
      for (let n = merged.length; n > 1; n--) {
        const [above, below] = merged.slice(-2);
        if (below.y - above.y >= (gap * (above.of.length + below.of.length)) / 2) break;
        const of = [...above.of, ...below.of];
        merged.splice(-2, 2, { of, y: (above.y * above.of.length + below.y * below.of.length) / of.length });
      }
    }
    for (const { of, y } of merged) {
      const half = (gap * (of.length - 1)) / 2;
      const start = Math.max(Math.min(y - half, bottom - 2 * half), 0);
      of.forEach((label, i) => { label.y = start + gap * i; });
    }
  }

  const slug = (name) => name.replace(/[^A-Za-z0-9_-]/g, "_");

  function element(parent, name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  }

  /* The last row of `line` not after `call`, as an index. */
  function rowAt(line, call) {
    let low = 0, high = line.c.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (line.c[middle] <= call) low = middle; else high = middle - 1;
    }
    return low;
  }

  class Chart {
    constructor(figure, group) {
      this.plot = figure.querySelector(".plot");
      this.note = figure.querySelector("figcaption span");
      this.said = this.note.textContent;
      this.data = charts[Number(figure.dataset.chart)];
      this.group = group;
      this.cursor = null;
      const plot = this.plot;
      plot.tabIndex = 0;
      plot.setAttribute("role", "slider");
      plot.setAttribute("aria-label", `${plot.dataset.name}: values at a call`);
      plot.setAttribute("aria-valuemin", "0");
      plot.addEventListener("pointermove", (event) => this.point(event));
      plot.addEventListener("pointerdown", (event) => this.point(event));
      plot.addEventListener("pointerleave", () => this.leave());
      plot.addEventListener("blur", () => this.leave());
      plot.addEventListener("focus", () => this.read(this.cursor ?? this.last));
      plot.addEventListener("keydown", (event) => this.key(event));
      this.describe(this.last);
    }

    get last() { return this.group.all ? this.data.last : Math.min(this.data.calls, this.data.last); }

    get lines() {
      const shown = this.data.lines.filter((line) => !this.group.hidden.has(line.design));
      return this.group.warm ? shown.map((line) => this.warmed(line)) : shown;
    }

    /* The same line above its value at call 1, for what the first call builds hides the rest. */
    warmed(line) {
      const first = this.data.each ? 0 : line.v[Math.min(rowAt(line, 1), line.v.length - 1)];
      const from = line.c[0] === 0 && line.c.length > 1 ? 1 : 0;
      const moved = (values) => values.map((value) => value - first);
      const band = line.band && { c: line.band.c.slice(from), lo: moved(line.band.lo.slice(from)), hi: moved(line.band.hi.slice(from)) };
      return { ...line, c: line.c.slice(from), v: moved(line.v.slice(from)), band };
    }

    shown(line) {
      const end = rowAt(line, this.last);
      return line.c[0] > this.last ? [] : line.c.slice(0, end + 1).map((call, i) => [call, line.v[i]]);
    }

    draw() {
      const box = this.plot.getBoundingClientRect();
      if (!box.width) return;
      const unit = this.data.unit, large = box.height > 230;
      const lines = this.lines.map((line) => ({ line, rows: this.shown(line) })).filter((l) => l.rows.length);
      this.place(box, lines, unit, large);
      this.note.textContent = this.said.replace("above call 0", this.group.warm ? "above call 1" : "above call 0");
      this.svg?.remove();
      this.svg = element(this.plot, "svg", { viewBox: `0 0 ${box.width} ${box.height}`, "aria-hidden": "true" });
      this.axes(unit, large);
      for (const { line } of lines) if (line.band) this.band(line);
      for (const { line, rows } of lines) {
        const path = rows.map(([call, value]) => `${this.x(call).toFixed(1)} ${this.y(value).toFixed(1)}`);
        element(this.svg, "path", { class: `line ink-${slug(line.design)}`, d: `M${path.join("L")}` });
      }
      this.marks();
      this.labels(lines, unit, large);
      this.pointer = element(this.svg, "g", {});
      this.plot.setAttribute("aria-valuemax", String(this.last));
      if (this.cursor === null) this.describe(this.last);
      else this.read(Math.min(this.cursor, this.last));
    }

    /* Choose the ranges and the functions from calls and values to pixels. */
    place(box, lines, unit, large) {
      const bands = lines.flatMap(({ line }) => line.band
        ? line.band.c.flatMap((call, i) => call <= this.last ? [line.band.lo[i], line.band.hi[i]] : []) : []);
      const values = [0, ...bands, ...lines.flatMap(({ rows }) => rows.map((row) => row[1]))];
      let low = values.reduce((a, b) => Math.min(a, b)), high = values.reduce((a, b) => Math.max(a, b));
      high = Math.max(high, low + LEAST_SPAN[unit]);
      const margin = (high - low) * 0.05;
      low = low < 0 ? low - margin : low;
      high += margin;
      this.labelled = large || lines.length <= MOST_LABELS;
      const widest = this.labelled ? Math.max(0, ...lines.map(({ line }) => line.design.length)) : 0;
      this.area = { left: 58, right: box.width - 14 - widest * (large ? 7.6 : 7.2), top: 8, bottom: box.height - 22 };
      Object.assign(this, { low, high });
      const base = LINEAR_BELOW[unit];
      const bend = this.group.log ? (v) => Math.sign(v) * Math.log10(1 + Math.abs(v) / base) : (v) => v;
      const { left, right, top, bottom } = this.area;
      const [floor, ceiling] = [bend(low), bend(high)];
      this.x = (call) => left + (call / Math.max(this.last, 1)) * (right - left);
      this.y = (value) => bottom - ((bend(value) - floor) / (ceiling - floor)) * (bottom - top);
    }

    axes(unit, large) {
      const { left, right, bottom } = this.area;
      const marks = (this.group.log ? logTicks : ticks)(this.low, this.high, unit, large ? 6 : 4);
      for (const [value, label] of marks) {
        const y = this.y(value);
        element(this.svg, "line", { class: value ? "rule" : "zero", x1: left, x2: right, y1: y, y2: y });
        element(this.svg, "text", { x: left - 6, y: y + 4, "text-anchor": "end" }, label);
      }
      const [[end], ...across] = ticks(0, this.last, "count", large ? 6 : 3).reverse();
      element(this.svg, "text", { x: this.x(end), y: bottom + 16, "text-anchor": "end" }, `${grouped(end, 0)} calls`);
      for (const [call, label] of across)
        if (this.x(end) - this.x(call) > 74)
          element(this.svg, "text", { x: this.x(call), y: bottom + 16, "text-anchor": "middle" }, label);
    }

    band(line) {
      const rows = line.band.c.map((call, i) => [call, line.band.lo[i], line.band.hi[i]]).filter((row) => row[0] <= this.last);
      const at = (call, value) => `${this.x(call).toFixed(1)} ${this.y(value).toFixed(1)}`;
      const upper = rows.map(([call, , high]) => at(call, high));
      const lower = rows.map(([call, low]) => at(call, low)).reverse();
      const path = element(this.svg, "path", { class: `band ink-${slug(line.design)}`, d: `M${[...upper, ...lower].join("L")}Z` });
      element(path, "title", {}, `accepted band of ${line.design}`);
    }

    marks() {
      for (const mark of this.data.marks) {
        if (mark.call > this.last || this.group.hidden.has(mark.design)) continue;
        const x = this.x(mark.call), late = x > (this.area.left + this.area.right) / 2;
        element(this.svg, "line", { class: "cross", x1: x, x2: x, y1: this.area.top, y2: this.area.bottom });
        element(this.svg, "text", { class: "mark", x: x + (late ? -5 : 5), y: this.area.top + 10, "text-anchor": late ? "end" : "start" },
          `call ${mark.call}: ${mark.design} leaves its band`);
      }
    }

    labels(lines, unit, large) {
      if (!this.labelled) return;
      const made = lines.map(({ line, rows }) => {
        const [call, value] = rows[rows.length - 1];
        return { design: line.design, call, y: this.y(value), early: call < this.last * 0.9 };
      });
      spread(made.filter((label) => !label.early), large ? 15 : 13, this.area.bottom);
      for (const label of made)
        element(this.svg, "text", { class: `end ink-${slug(label.design)}`, x: this.x(label.early ? label.call : this.last) + 6, y: label.y + 4 },
          label.early ? `${label.design} ends` : label.design);
    }

    /* The call nearest to `call` at which some visible line has a row. */
    snap(call) {
      let best = 0, distance = Infinity;
      for (const line of this.lines)
        for (const i of [rowAt(line, call), rowAt(line, call) + 1]) {
          const away = i < line.c.length && line.c[i] <= this.last ? Math.abs(line.c[i] - call) : Infinity;
          if (away < distance) [best, distance] = [line.c[i], away];
        }
      return best;
    }

    /* [call, value] that `line` shows at `call`: exact, or its nearest row with that row's call. */
    valueAt(line, call) {
      const i = rowAt(line, call), j = Math.min(i + 1, line.c.length - 1);
      if (call > line.c[line.c.length - 1] || call < line.c[0]) return null;
      if (line.c[i] === call || line.v[i] === line.v[j]) return [call, line.v[i]];
      const near = call - line.c[i] <= line.c[j] - call ? i : j;
      return [line.c[near], line.v[near]];
    }

    readings(call) {
      return this.lines.flatMap((line) => {
        const found = this.valueAt(line, call);
        return found ? [{ design: line.design, at: found[0], value: found[1] }] : [];
      });
    }

    describe(call) {
      const said = this.readings(call).map((r) => `${r.design} ${format(this.data.unit, r.value)}`);
      this.plot.setAttribute("aria-valuenow", String(call));
      this.plot.setAttribute("aria-valuetext", `call ${call}: ${said.join(", ") || "no line is shown"}`);
    }

    read(call) {
      this.cursor = call;
      this.describe(call);
      if (!this.svg) return;
      this.pointer.replaceChildren();
      const x = this.x(call), { top, bottom, left, right } = this.area;
      element(this.pointer, "line", { class: "cursor", x1: x, x2: x, y1: top, y2: bottom });
      this.tip ??= this.plot.appendChild(Object.assign(document.createElement("div"), { className: "tip" }));
      const head = document.createElement("b");
      head.textContent = `call ${call}`;
      this.tip.replaceChildren(head);
      for (const reading of this.readings(call).sort((a, b) => b.value - a.value)) {
        element(this.pointer, "circle", { class: `ink-${slug(reading.design)}`, cx: this.x(reading.at), cy: this.y(reading.value), r: 4 });
        const row = this.tip.appendChild(document.createElement("div"));
        const swatch = row.appendChild(document.createElement("i"));
        swatch.className = `swatch ink-${slug(reading.design)}`;
        row.append(`${reading.design} ${format(this.data.unit, reading.value)}${reading.at === call ? "" : ` (call ${reading.at})`}`);
      }
      const over = x > (left + right) / 2;
      this.tip.style.left = over ? "" : `${x + 12}px`;
      this.tip.style.right = over ? `${this.plot.clientWidth - x + 12}px` : "";
    }

    leave() {
      if (document.activeElement === this.plot && this.plot.matches(":focus-visible")) return;
      this.cursor = null;
      this.tip?.remove();
      this.tip = undefined;
      this.pointer?.replaceChildren();
    }

    point(event) {
      if (!this.svg) return;
      const { left, right } = this.area;
      const x = event.clientX - this.plot.getBoundingClientRect().left;
      this.read(this.snap((Math.min(Math.max(x, left), right) - left) / (right - left) * this.last));
    }

    key(event) {
      const step = Math.max(Math.round(this.last / 10), 1);
      const moves = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -step, PageUp: step, Home: -Infinity, End: Infinity };
      if (!(event.key in moves)) return;
      event.preventDefault();
      this.read(Math.min(Math.max((this.cursor ?? this.last) + moves[event.key], 0), this.last));
    }
  }

  /* ---- what the buttons of one scenario switch */
  function connect(section) {
    const group = { hidden: new Set(), log: false, all: false, warm: false };
    const drawn = [...section.querySelectorAll("[data-chart]")].map((figure) => new Chart(figure, group));
    const toggle = (button, change) => button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      change(on);
      for (const chart of drawn) if (chart.svg) chart.draw();
    });
    for (const button of section.querySelectorAll("[data-line]"))
      toggle(button, (on) => group.hidden[on ? "delete" : "add"](button.dataset.line));
    for (const button of section.querySelectorAll("[data-log]")) toggle(button, (on) => { group.log = on; });
    for (const button of section.querySelectorAll("[data-all]")) toggle(button, (on) => { group.all = on; });
    for (const button of section.querySelectorAll("[data-warm]")) toggle(button, (on) => { group.warm = on; });
    return drawn;
  }

  const all = [...document.querySelectorAll("[data-group]")].flatMap(connect);
  const byPlot = new Map(all.map((chart) => [chart.plot, chart]));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) byPlot.get(entry.target).draw();
  }, { rootMargin: "400px" });
  const sized = new ResizeObserver((entries) => {
    for (const entry of entries) { const chart = byPlot.get(entry.target); if (chart.svg) chart.draw(); }
  });
  for (const chart of all) { seen.observe(chart.plot); sized.observe(chart.plot); }
  addEventListener("beforeprint", () => all.forEach((chart) => chart.draw()));

  /* ---- theme and copying */
  const THEMES = ["auto", "light", "dark"];
  const theme = document.getElementById("theme");
  const show = (name) => {
    document.documentElement.dataset.theme = name;
    theme.textContent = `theme: ${name}`;
  };
  const stored = () => { try { return localStorage.getItem("memcurve-theme"); } catch { return null; } };
  show(THEMES.includes(stored()) ? stored() : "auto");
  theme.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length];
    show(next);
    try { localStorage.setItem("memcurve-theme", next); } catch { /* a page from a file may not store */ }
  });
  for (const button of document.querySelectorAll("[data-copy]"))
    button.addEventListener("click", async () => {
      const code = button.parentElement.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "copied";
      } catch {
        getSelection().selectAllChildren(code);
        button.textContent = "selected";
      }
    });
})();
