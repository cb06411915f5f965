// The list of all tests: filtered, sorted, and drawn only where it is looked at.

const ROW = 30;
/** Browsers cannot make anything higher than some ten million pixels, so long lists are scaled. */
const HIGHEST = 8e6;

const ORDERS = {
  report: "as in the report", slow: "slowest first", fast: "fastest first", bad: "worst first", began: "as they began",
};

const WORST = [
  "crashed", "timed_out", "error", "failed", "unexpected_success", "lost", "not_run", "flaky",
  "skipped", "expected_failure", "passed",
];

class TestTable {
  constructor(results, view, { open, filtered }) {
    Object.assign(this, { results, open, filtered });
    this.tests = new Uint32Array();
    this.shown = this.tests;
    this.current = 0;
    this.rows = [];
    this.build(view);
    this.filter("");
    new ResizeObserver(() => this.draw()).observe(this.body);
  }

  build(view) {
    this.input = make("input", {
      id: "filter", type: "search", autocomplete: "off", spellcheck: "false",
      placeholder: "words  verdict:failed  app:shop  >1s  -slow", "aria-label": "Filter of tests",
      "aria-describedby": "filter-problem filter-help", input: () => this.filtered(this.input.value),
    });
    this.said = make("p.said", { role: "status" });
    this.problem = make("p.bad", { id: "filter-problem", role: "alert" });
    this.conditions = make("p.conditions");
    this.order = make("select", { "aria-label": "Order", change: () => this.sort() },
      ...Object.entries(ORDERS).map(([value, text]) => make("option", { value }, text)));
    const head = make("div.grid-head", { role: "row", "aria-rowindex": "1" },
      ...["Test", "App", "Agent", "Tries", "Time"].map((text) => make("span", { role: "columnheader" }, text)));
    this.spacer = make("div.spacer", { role: "presentation" });
    this.body = make("div.grid-body", { role: "presentation", scroll: () => this.draw() }, this.spacer);
    this.grid = make("div.grid", {
      id: "grid", role: "grid", tabindex: "0", "aria-label": "Tests", "aria-readonly": "true",
      click: (event) => this.clicked(event), keydown: (event) => this.pressed(event),
    }, head, this.body);
    view.append(
      make("div.filter-bar", this.input, this.order), this.problem, this.conditions,
      make("p.hint", { id: "filter-help" }, "Parts are joined by and; ", make("kbd", "?"), " explains them."),
      this.said, this.grid,
    );
  }

  /** Shows the tests that a filter is true of. */
  filter(text) {
    if (this.input.value !== text) this.input.value = text;
    const { tests, problems } = applyFilter(this.results, text);
    this.tests = tests;
    let time = 0;
    for (const index of tests) time += this.results.seconds(index) ?? 0;
    const all = tests.length === this.results.count ? "" : ` of ${grouped(this.results.count)}`;
    this.said.textContent = `${grouped(tests.length)}${all} tests, ${duration(time)} in all`;
    this.problem.textContent = problems.join("; ");
    this.input.setAttribute("aria-invalid", String(problems.length > 0));
    this.showStretch(text);
    this.sort();
  }

  /** A stretch of time that was chosen, with a button that lets go of it. */
  showStretch(text) {
    const terms = parseFilter(text).filter((term) => !term.negated);
    const stretch = terms.map((term) => term.key === "at" && parseStretch(term.value)).find(Boolean);
    const run = terms.find((term) => term.key === "run");
    if (!stretch) {
      this.conditions.replaceChildren();
      return;
    }
    const [from, to] = stretch.map((moment) => duration(moment / 1000));
    const when = (stretch[1] === Infinity ? `from ${from} on` : `from ${from} to ${to}`) + (run ? ` of run ${visible(run.value)}` : "");
    this.conditions.replaceChildren(make("button.condition", {
      type: "button", "aria-label": `Ran ${when}: remove this condition`,
      click: () => {
        this.input.focus();
        this.filtered(replacedTerms(this.input.value, ["at", "run"]));
      },
    }, `Ran ${when} `, make("span", { "aria-hidden": "true" }, "✕")));
  }

  sort() {
    const { results, tests } = this;
    const time = (index) => (results.timeOf[index] === UNKNOWN ? 0 : results.timeOf[index]);
    const severity = results.outcomes.map((name) => WORST.indexOf(name));
    switch (this.order.value) {
      case "slow": this.shown = sorted(tests, (index) => UNKNOWN - time(index)); break;
      case "fast": this.shown = sorted(tests, time); break;
      case "bad": this.shown = sorted(tests, (index) => severity[results.outcome[index]]); break;
      case "began": this.shown = sorted(tests, (index) => results.startOf[index]); break;
      default: this.shown = tests;
    }
    this.current = 0;
    this.body.scrollTop = 0;
    this.spacer.style.height = Math.min(this.shown.length * ROW, HIGHEST) + "px";
    this.grid.setAttribute("aria-rowcount", String(this.shown.length + 1));
    this.draw();
  }

  /** The row at the top, as a number with a fraction. */
  top() {
    const whole = this.shown.length * ROW;
    if (whole <= HIGHEST) return this.body.scrollTop / ROW;
    const room = HIGHEST - this.body.clientHeight;
    return (this.body.scrollTop / room) * (this.shown.length - this.body.clientHeight / ROW);
  }

  scrollTo(row) {
    const visible = this.body.clientHeight / ROW;
    const top = this.top();
    if (row >= top && row + 1 <= top + visible) return;
    const wanted = Math.max(0, row < top ? row : row + 1 - visible);
    const whole = this.shown.length * ROW;
    const scale = whole <= HIGHEST ? ROW : (HIGHEST - this.body.clientHeight) / (this.shown.length - visible);
    this.body.scrollTop = Math.ceil(wanted * scale);
  }

  draw() {
    const top = this.top(), count = Math.ceil(this.body.clientHeight / ROW) + 1;
    while (this.rows.length < count) this.rows.push(this.row());
    this.rows.forEach((row, place) => {
      const number = Math.floor(top) + place;
      row.hidden = place >= count || number >= this.shown.length;
      if (row.hidden) return;
      row.style.transform = `translateY(${this.body.scrollTop + (number - top) * ROW}px)`;
      this.fill(row, number);
    });
    this.grid.setAttribute("aria-activedescendant", this.shown.length ? "row-" + this.current : "");
  }

  row() {
    const cells = ["name", "app", "agent", "tries", "time"].map((name) => make("span." + name, { role: "gridcell" }));
    const row = make("div.row", { role: "row", hidden: true }, ...cells);
    row.cells = cells;
    this.spacer.append(row);
    return row;
  }

  fill(row, number) {
    const index = this.shown[number], { results } = this;
    row.classList.toggle("current", number === this.current);
    row.setAttribute("aria-selected", String(number === this.current));
    if (row.number === number && row.test === index) return;
    Object.assign(row, { number, test: index, id: "row-" + number });
    row.setAttribute("aria-rowindex", String(number + 2));
    const [name, app, agent, tries, time] = row.cells;
    const outcome = results.outcomeOf(index);
    const owner = results.isWhole(index) ? null : make("span.owner", visible(results.className(index)));
    name.replaceChildren(
      mark(outcome), make("span.hidden", words(outcome) + " "),
      make("a", { href: linkTo(results, index), tabindex: "-1" }, visible(results.name(index))), owner ?? "",
    );
    name.title = visible(results.id(index));
    app.textContent = visible(results.appOf(index));
    agent.textContent = visible(results.agentOf(index));
    tries.textContent = results.tries[index] > 1 ? String(results.tries[index]) : "";
    time.textContent = duration(results.seconds(index));
  }

  clicked(event) {
    const row = event.target.closest(".row");
    if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.select(row.number);
    this.open(row.test);
  }

  pressed(event) {
    const page = Math.max(1, Math.floor(this.body.clientHeight / ROW) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (!(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.move(steps[event.key]);
  }

  /** Goes so many rows on; gives back the test there. */
  move(by) {
    const last = this.shown.length - 1;
    this.select(Math.max(0, Math.min(last, this.current + by)));
    return this.shown[this.current];
  }

  /** Goes to the next test that is red, or with -1 to the one before. */
  moveToRed(by) {
    const { results, shown } = this, { length } = shown;
    for (let step = 1; step <= length; step++) {
      const number = (this.current + by * step + length) % length;
      if (results.isRed(shown[number])) {
        this.select(number);
        return shown[number];
      }
    }
    return undefined;
  }

  select(number) {
    this.current = number;
    this.scrollTo(number);
    this.draw();
  }

  test() {
    return this.shown[this.current];
  }

  /** Goes to a test, if it is among those shown. */
  show(index) {
    const number = this.shown.indexOf(index);
    if (number >= 0) this.select(number);
  }
}

/** Sorted by a whole number, and where that is the same, in their order. One column of numbers is
 * sorted much faster than things that are compared. */
function sorted(tests, key) {
  const step = 2 ** Math.ceil(Math.log2(tests.length + 1));
  const keys = Float64Array.from(tests, (index, place) => key(index) * step + place);
  keys.sort();
  return Uint32Array.from(keys, (one) => tests[one % step]);
}

/** The address of a test, and of one of its tries. */
function linkTo(results, index, attempt) {
  const run = results.runs.length > 1 ? "&run=" + (results.run(index) + 1) : "";
  return "#test=" + encodeURIComponent(results.id(index)) + run + (attempt === undefined ? "" : "&try=" + attempt);
}
