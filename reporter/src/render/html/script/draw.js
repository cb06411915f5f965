// What is drawn of a timeline, on its canvas.

const AXIS = 26;

class Drawing {
  laneName(lane) {
    const alone = this.lanes.filter((one) => one.agent === lane.agent).length === 1;
    return visible(lane.agent) + (alone ? "" : ` ${lane.slot + 1}`);
  }

  /** Pixels from the left for a moment. */
  x(moment) {
    const [from, to] = this.view;
    return this.gutter + ((moment - from) / (to - from)) * this.width;
  }

  moment(x) {
    const [from, to] = this.view;
    return from + ((x - this.gutter) / this.width) * (to - from);
  }

  draw() {
    const box = this.canvas.parentElement.parentElement;
    const width = box.clientWidth, height = AXIS + this.lanes.length * this.lane + 6;
    if (width < 160) return;
    const ratio = Math.min(devicePixelRatio || 1, height * devicePixelRatio > 30000 ? 1 : 3);
    this.gutter = width < 600 ? 84 : 148;
    this.width = width - this.gutter - 12;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.canvas.style.width = width + "px";
    this.canvas.style.height = height + "px";
    this.pen = this.canvas.getContext("2d");
    this.pen.scale(ratio, ratio);
    this.colors = colors();
    this.drawAxis(height);
    this.lanes.forEach((lane, number) => this.drawLane(lane, AXIS + number * this.lane));
    this.drawTail(height);
    const [from, to] = this.view;
    this.range.textContent = `${duration(from / 1000)} to ${duration(to / 1000)}`;
    this.canvas.dataset.view = `${Math.round(from)}-${Math.round(to)}`;
    this.window.style.left = (from / this.whole) * 100 + "%";
    this.window.style.width = ((to - from) / this.whole) * 100 + "%";
  }

  drawAxis(height) {
    const { pen, colors } = this, [from, to] = this.view;
    const step = niceStep((to - from) / Math.max(3, this.width / 110));
    pen.font = "11px " + colors.font;
    pen.textBaseline = "middle";
    for (let moment = Math.ceil(from / step) * step; moment <= to; moment += step) {
      const x = Math.round(this.x(moment)) + 0.5;
      pen.fillStyle = colors.line;
      pen.fillRect(x - 0.5, AXIS - 6, 1, height - AXIS);
      pen.fillStyle = colors.faint;
      const label = axisLabel(moment, step);
      if (x + 4 + pen.measureText(label).width < this.gutter + this.width + 8) pen.fillText(label, x + 4, AXIS / 2);
    }
  }

  /** From when on one slot or more had nothing left to do. */
  drawTail(height) {
    if (this.run.foreign || this.lanes.length < 2) return;
    const first = Math.min(...this.lanes.map((lane) => lane.end));
    const x = this.x(first);
    if (this.whole - first < this.whole * 0.02 || x < this.gutter || x > this.gutter + this.width) return;
    const { pen, colors } = this;
    pen.fillStyle = colors.odd;
    for (let y = AXIS; y < height - 6; y += 6) pen.fillRect(Math.round(x), y, 1, 3);
    const text = `first slot done, ${duration((this.whole - first) / 1000)} to go`;
    const wide = pen.measureText(text).width;
    pen.textAlign = x + wide + 8 > this.gutter + this.width ? "right" : "left";
    pen.fillText(text, x + (pen.textAlign === "right" ? -4 : 4), height - 5);
    pen.textAlign = "left";
  }

  drawLane(lane, top) {
    const { pen, colors } = this;
    const high = this.lane - (this.lane > 12 ? 6 : 1);
    pen.fillStyle = colors.idle;
    pen.fillRect(this.gutter, top, this.width, high);
    if (this.lane >= 12) {
      pen.fillStyle = colors.text;
      pen.fillText(fitted(pen, this.laneName(lane), this.gutter - 14), 2, top + high / 2);
    }
    pen.save();
    pen.beginPath();
    pen.rect(this.gutter, top, this.width, high);
    pen.clip();
    // Where there is room, pods have a line of their own above their tests.
    const head = this.lane >= 36 ? 15 : 0;
    lane.leases.forEach((number) => this.drawPod(this.results.leases[number], top, high, head));
    this.drawTests(lane, top + head, high - head);
    pen.restore();
  }

  drawPod([, , , name, begin, end, stages], top, high, head) {
    const { pen, colors } = this, x = this.x(begin), wide = Math.max(1, this.x(end) - x);
    if (x > this.gutter + this.width || x + wide < this.gutter) return;
    pen.fillStyle = colors.other;
    pen.fillRect(x, top, wide, high);
    for (const [stage, from, length] of stages) {
      pen.fillStyle = colors[stage] ?? colors.other;
      const left = this.x(from);
      pen.fillRect(left, top, Math.max(0.5, this.x(from + length) - left), high);
    }
    pen.fillStyle = colors.background;
    pen.fillRect(x, top, 1, high);
    const from = Math.max(this.gutter, x), room = Math.min(this.gutter + this.width, x + wide) - from - 8;
    if (!head || room < 24) return;
    pen.fillStyle = colors.background;
    pen.globalAlpha = 0.82;
    const label = fitted(pen, visible(name), room);
    pen.fillRect(from + 2, top + 2, pen.measureText(label).width + 5, head - 3);
    pen.globalAlpha = 1;
    pen.fillStyle = colors.text;
    pen.fillText(label, from + 4, top + head / 2 + 1);
  }

  /** Tests that are narrower than a pixel are drawn as one, and what is red is drawn last. */
  drawTests(lane, top, high) {
    const { pen, colors, results } = this, [from, to] = this.view, red = [];
    let last = -Infinity;
    for (let item = 0; item < lane.tests.length; item++) {
      if (lane.ends[item] < from || lane.begins[item] > to) continue;
      const outcome = results.outcomes[lane.outcomes[item]];
      const x = this.x(lane.begins[item]), wide = Math.max(0.7, this.x(lane.ends[item]) - x);
      if (outcome !== "passed") {
        red.push([x, wide, outcome]);
        continue;
      }
      if (x + wide - last < 0.5) continue;
      last = x + wide;
      pen.fillStyle = item % 2 ? colors.passed : colors.passedToo;
      pen.fillRect(x, top, wide > 3 ? wide - 0.8 : wide, high);
    }
    for (const [x, wide, outcome] of red) {
      pen.fillStyle = colors[outcome];
      pen.fillRect(x, top, Math.max(RED.has(outcome) || outcome === "lost" ? 1.5 : 0.7, wide > 3 ? wide - 0.8 : wide), high);
    }
  }
}

/** Steps of 1, 2 or 5, and of minutes and hours. */
function niceStep(milliseconds) {
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 216e5];
  return steps.find((step) => step >= milliseconds) ?? 432e5;
}

function axisLabel(moment, step) {
  if (step < 1000) return (moment / 1000).toFixed(step < 10 ? 3 : step < 100 ? 2 : 1) + " s";
  return moment < 60000 && step < 60000 ? Math.round(moment / 1000) + " s" : clock(moment / 1000);
}

/** Text that is cut to so many pixels. */
function fitted(pen, text, width) {
  if (pen.measureText(text).width <= width) return text;
  let length = Math.max(1, Math.floor((text.length * width) / Math.max(1, pen.measureText(text).width)));
  while (length > 1 && pen.measureText(text.slice(0, length) + "…").width > width) length--;
  return text.slice(0, length) + "…";
}

/** The colours of the page, as its style has them now. */
function colors() {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue("--" + name).trim();
  const found = { font: getComputedStyle(document.body).fontFamily };
  const names = {
    background: "page", text: "text", faint: "faint", line: "line", odd: "odd", idle: "idle", other: "other",
    start: "start", boot: "boot", load: "load", databases: "databases", tests: "other",
    passed: "bar", passedToo: "bar-too", flaky: "flaky", skipped: "quiet", expected_failure: "quiet",
    unexpected_success: "failed", failed: "failed", error: "failed", crashed: "crashed", timed_out: "crashed",
    not_run: "quiet", lost: "crashed",
  };
  for (const [name, from] of Object.entries(names)) found[name] = color(from);
  return found;
}
