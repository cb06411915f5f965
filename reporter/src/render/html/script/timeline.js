// The timeline of a run: drawn on a canvas, with a table that says the same in numbers.

const HIGHEST_CANVAS = 12000;

class Timeline extends Drawing {
  constructor(results, run, { open, chosen, moved }) {
    super();
    Object.assign(this, { results, open, chosen, moved, number: run });
    this.run = results.runs[run];
    this.lanes = lanesOf(results, run);
    this.whole = Math.max(this.run.wall ?? 0, 1, ...this.lanes.map((lane) => lane.end));
    this.view = [0, this.whole];
    const count = this.lanes.length;
    this.lane = Math.max(6, Math.min(count <= 16 ? 40 : count <= 48 ? 24 : 14, Math.floor(HIGHEST_CANVAS / Math.max(1, count))));
    this.element = this.build();
  }

  build() {
    this.canvas = make("canvas", {
      tabindex: "0", role: "img",
      "aria-label": `Timeline of ${counted(this.lanes.length, "slot")}; the table below has it in numbers. `
        + "Plus and minus zoom, the arrow keys pan, Enter lists the tests that are shown, 0 shows all of it.",
      keydown: (event) => this.pressed(event), wheel: (event) => this.wheeled(event),
      pointerdown: (event) => this.grabbed(event), pointermove: (event) => this.pointed(event),
      pointerup: (event) => this.released(event), pointerleave: () => this.tip.hidden = true,
      dblclick: () => this.all(),
    });
    this.tip = make("div.tip", { hidden: true, role: "presentation" });
    this.brush = make("div.brush", { hidden: true });
    this.window = make("i");
    this.range = make("span.range", { role: "status" });
    const button = (text, label, click) => make("button", { type: "button", "aria-label": label, title: label, click }, text);
    const tools = make("div.timeline-tools",
      button("−", "Zoom out", () => this.zoom(2)), button("+", "Zoom in", () => this.zoom(0.5)),
      button("All", "Show all of it", () => this.all()), this.range,
      button("List these", "List the tests that are shown", () => this.chosen(this.number, this.view)),
      make("span.hint", "Drag to zoom and list what ran then, Shift-drag to pan, Ctrl-wheel to zoom, double click for all."));
    const scroller = make("div.timeline-scroll", make("div.timeline-box", this.canvas, this.brush));
    new ResizeObserver(() => this.draw()).observe(scroller);
    const name = this.run.name && this.results.runs.length > 1 ? make("h3", visible(this.run.name)) : null;
    return make("div.timeline", name, this.legend(), tools, scroller, make("div.minimap", { "aria-hidden": "true" }, this.window), this.table(), this.tip);
  }

  /** What the colours mean, and how much of each there is. */
  legend() {
    const times = this.lanes.map((lane) => lane.times(this.run.wall ?? lane.end));
    const total = (stage) => times.reduce((sum, one) => sum + one[stage], 0);
    const all = Object.keys(STAGES).reduce((sum, stage) => sum + total(stage), 0);
    const entries = Object.entries(STAGES).filter(([stage]) => total(stage) > 0);
    return make("ul.legend", ...entries.map(([stage, text]) => make("li",
      make("i.stage-" + stage), `${text} `, make("b", `${duration(total(stage) / 1000)}`),
      make("span.faint", ` ${((total(stage) / all) * 100).toFixed(total(stage) / all < 0.1 ? 1 : 0)} %`))));
  }

  table() {
    const stages = Object.keys(STAGES);
    const rows = this.lanes.map((lane) => {
      const times = lane.times(this.run.wall ?? lane.end);
      const cells = stages.map((stage) => make("td.time", times[stage] ? duration(times[stage] / 1000) : "–"));
      return make("tr", make("th", { scope: "row" }, this.laneName(lane)), make("td.time", grouped(lane.leases.length)),
        make("td.time", grouped(lane.tests.length)), ...cells);
    });
    const heads = ["Slot", "Pods", "Tests", ...Object.values(STAGES)];
    return make("details.plain", make("summary", "In numbers"), make("div.scroll", { tabindex: "0" },
      make("table", make("thead", make("tr", ...heads.map((head) => make("th", { scope: "col" }, head)))), make("tbody", ...rows))));
  }

  show(from, to) {
    const span = Math.min(this.whole, Math.max(1, to - from));
    const begin = Math.max(0, Math.min(this.whole - span, from));
    this.view = [begin, begin + span];
    this.draw();
    this.moved();
  }

  get isZoomed() {
    return this.view[1] - this.view[0] < this.whole;
  }

  /** Shows everything, and no stretch of it is chosen. */
  all() {
    this.show(0, this.whole);
    this.chosen(this.number, null);
  }

  zoom(by, around = (this.view[0] + this.view[1]) / 2) {
    const [from, to] = this.view;
    this.show(around - (around - from) * by, around - (around - from) * by + (to - from) * by);
  }

  pan(part) {
    const by = (this.view[1] - this.view[0]) * part;
    this.show(this.view[0] + by, this.view[1] + by);
  }

  pressed(event) {
    const acts = {
      "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2), 0: () => this.all(),
      ArrowLeft: () => this.pan(-0.2), ArrowRight: () => this.pan(0.2),
      Enter: () => this.chosen(this.number, this.view),
    };
    if (event.ctrlKey || event.metaKey || !(event.key in acts)) return;
    event.preventDefault();
    event.stopPropagation();
    acts[event.key]();
  }

  wheeled(event) {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.zoom(Math.exp(event.deltaY * 0.004), this.moment(event.offsetX));
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
      event.preventDefault();
      this.pan((event.deltaX || event.deltaY) / Math.max(1, this.width));
    }
  }

  grabbed(event) {
    if (event.button !== 0 || event.offsetX < this.gutter) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.drag = { x: event.offsetX, view: this.view, pans: event.shiftKey };
  }

  pointed(event) {
    if (!this.drag) {
      this.tell(event);
      return;
    }
    const { x, view, pans } = this.drag;
    const moved = event.offsetX - x;
    this.tip.hidden = true;
    if (pans) {
      const by = (moved / this.width) * (view[1] - view[0]);
      this.show(view[0] - by, view[1] - by);
    } else if (Math.abs(moved) > 3) {
      this.brush.hidden = false;
      this.brush.style.left = Math.max(this.gutter, Math.min(x, event.offsetX)) + "px";
      this.brush.style.width = Math.abs(moved) + "px";
    }
  }

  released(event) {
    const drag = this.drag;
    this.drag = undefined;
    this.brush.hidden = true;
    if (!drag || drag.pans) return;
    const edges = [drag.x, Math.max(this.gutter, event.offsetX)].sort((one, other) => one - other);
    if (edges[1] - edges[0] > 3) {
      this.show(this.moment(edges[0]), this.moment(edges[1]));
      this.chosen(this.number, this.view);
      return;
    }
    const { lane, item } = this.hit(event);
    if (lane && item >= 0) this.open(lane.tests[item]);
  }

  hit({ offsetX, offsetY }) {
    const lane = this.lanes[Math.floor((offsetY - AXIS) / this.lane)];
    if (!lane || offsetX < this.gutter || offsetY < AXIS) return {};
    const moment = this.moment(offsetX);
    const tolerance = ((this.view[1] - this.view[0]) / this.width) * 2;
    return { lane, moment, item: lane.at(moment, tolerance) };
  }

  /** Says what is under the pointer. */
  tell(event) {
    const { lane, moment, item } = this.hit(event);
    const lines = lane ? this.lines(lane, moment, item) : null;
    this.canvas.style.cursor = item >= 0 ? "pointer" : "crosshair";
    this.tip.hidden = !lines;
    if (!lines) return;
    this.tip.replaceChildren(...lines);
    const left = Math.min(event.clientX + 14, innerWidth - this.tip.offsetWidth - 8);
    const below = event.clientY + 18 + this.tip.offsetHeight < innerHeight;
    this.tip.style.left = Math.max(4, left) + "px";
    this.tip.style.top = (below ? event.clientY + 18 : event.clientY - this.tip.offsetHeight - 10) + "px";
  }

  lines(lane, moment, item) {
    const pod = lane.podAt(moment);
    const where = make("div.faint", `${this.laneName(lane)} at ${duration(moment / 1000)}`);
    if (item >= 0) {
      const outcome = this.results.outcomes[lane.outcomes[item]];
      const length = duration((lane.ends[item] - lane.begins[item]) / 1000);
      return [make("div.tip-name", visible(this.results.id(lane.tests[item]))),
        make("div", mark(outcome), `${words(outcome)} · ${length}`), where];
    }
    if (!pod) return this.run.foreign ? null : [make("div.tip-name", "idle"), where];
    return [make("div.tip-name", visible(pod.name)), make("div", `${STAGES[pod.stage]} · pod of ${duration((pod.end - pod.begin) / 1000)}`), where];
  }
}
