// What holds the page together: addresses, keys, colours, help.

class Page {
  constructor(results) {
    this.results = results;
    this.detail = new Detail(results, { close: () => this.close(), step: (by) => this.step(by), chosen: () => this.go({}) });
    this.table = new TestTable(results, document.getElementById("tests-view"), {
      open: (index) => this.go({ test: index }),
      filtered: (text) => this.filter(text),
    });
    this.timelines = [];
    this.asked = [];
    this.help = makeHelp();
    this.listen();
    this.route();
  }

  makeTimelines() {
    const { results } = this;
    const acts = {
      open: (index) => this.go({ test: index }), chosen: (run, view) => this.choose(run, view), moved: () => this.goSoon(),
    };
    this.timelines = results.runs.map((_, run) => new Timeline(results, run, acts));
    const shown = this.timelines.filter((timeline) => timeline.lanes.length);
    const view = document.getElementById("timeline-view");
    view.append(...shown.map((timeline) => timeline.element));
    if (!shown.length) view.append(make("p.hint", "Nobody knows when anything ran."));
    this.zoom();
    document.documentElement.dataset.timeline = "yes";
    performance.mark("timeline");
  }

  listen() {
    addEventListener("hashchange", () => this.route());
    addEventListener("keydown", (event) => this.pressed(event));
    document.getElementById("find").addEventListener("click", () => this.find());
    document.getElementById("help").addEventListener("click", () => this.help.showModal());
    for (const code of document.querySelectorAll("code.copy")) {
      const button = make("button", { type: "button", click: () => copy(code.textContent, button) }, "Copy");
      code.after(" ", button);
    }
  }

  /** Does what the address says. */
  route() {
    const hash = location.hash.slice(1);
    if (!/^(q|test|run|try|zoom)=/.test(hash)) return;
    const asked = new URLSearchParams(hash.replaceAll("+", "%2B"));
    if (asked.has("q")) {
      this.table.filter(asked.get("q"));
      if (!asked.has("test")) document.getElementById("tests").scrollIntoView();
    } else if (hash.startsWith("zoom=")) document.getElementById("timeline").scrollIntoView();
    this.asked = asked.getAll("zoom");
    this.zoom();
    if (!asked.has("test")) {
      if (this.detail.isOpen) this.detail.close();
      return;
    }
    const run = asked.has("run") ? Number(asked.get("run")) - 1 : undefined;
    const index = this.results.find(asked.get("test"), run);
    if (index < 0) {
      this.say(`There is no test ${visible(asked.get("test"))} in this report.`);
      return;
    }
    this.table.show(index);
    this.detail.show(index, /^\d{1,9}$/.test(asked.get("try") ?? "") ? Number(asked.get("try")) : undefined);
  }

  /** Shows the stretches of time that the address asked for, once there are timelines. */
  zoom() {
    if (!this.timelines.length) return;
    for (const one of this.asked.splice(0)) {
      const [text, run] = one.split("@"), stretch = parseStretch(text);
      if (stretch) this.timelines[Number(run ?? 1) - 1]?.show(...stretch);
    }
  }

  /** Lists the tests that ran in a stretch of a run; with none, those of all times. */
  choose(run, view) {
    const several = this.results.runs.length > 1 ? ["run:" + (run + 1)] : [];
    const terms = view ? ["at:" + stretchText(view), ...several] : [];
    const isChosen = parseFilter(this.table.input.value).some((term) => term.key === "at");
    if (view || isChosen) this.filter(replacedTerms(this.table.input.value, ["at", "run"], ...terms));
  }

  /** Writes the address for what is shown, without a step in the browser's history. */
  go({ test = this.detail.index, filter = this.table.input.value }) {
    const parts = [];
    if (filter) parts.push("q=" + encodeURIComponent(filter));
    const attempt = test === this.detail.index ? this.detail.attempt : undefined;
    if (test !== undefined) parts.push(linkTo(this.results, test, attempt).slice(1));
    const zoomed = this.timelines.filter((timeline) => timeline.isZoomed);
    const of = ({ number }) => (this.results.runs.length > 1 ? "@" + (number + 1) : "");
    parts.push(...zoomed.map((timeline) => "zoom=" + stretchText(timeline.view) + of(timeline)));
    history.replaceState(null, "", parts.length ? "#" + parts.join("&") : location.pathname + location.search);
    if (test !== undefined && test !== this.detail.index) this.detail.show(test);
  }

  /** The same when nothing has changed for a moment: browsers bound how often an address may. */
  goSoon() {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.go({}), 150);
  }

  filter(text) {
    this.table.filter(text);
    this.go({ filter: text });
  }

  close() {
    this.detail.close();
    this.go({});
  }

  step(by) {
    const test = this.table.move(by);
    if (test !== undefined && this.detail.isOpen) this.go({ test });
  }

  find() {
    document.getElementById("tests").scrollIntoView();
    this.table.input.focus();
    this.table.input.select();
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.key === "Escape") {
      this.escape(event);
      return;
    }
    const typing = event.target.closest?.("input, textarea, select, dialog");
    if (typing) {
      if (event.key === "Enter" && event.target === this.table.input) this.table.grid.focus();
      return;
    }
    this.act(event);
  }

  act(event) {
    const inList = event.target === document.body || event.target.closest("#tests, #detail");
    const acts = {
      "/": () => this.find(), j: () => this.walk(1), k: () => this.walk(-1), t: () => nextTheme(),
      f: () => this.walkToRed(1), p: () => this.walkToRed(-1), o: () => this.open(), "?": () => this.help.showModal(),
    };
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) {
      if (!this.turn(event, by)) return;
    } else if (event.key === "Enter" && inList && !event.target.closest("a, button, summary, pre") && this.table.test() !== undefined) {
      this.open();
    } else if (Object.hasOwn(acts, event.key)) acts[event.key]();
    else return;
    event.preventDefault();
  }

  open() {
    if (this.table.test() !== undefined) this.go({ test: this.table.test() });
  }

  /** Left and right: between tries, or along the timeline, where nothing else scrolls sideways. */
  turn(event, by) {
    if (event.shiftKey || event.target.closest?.("pre, .scroll, nav")) return false;
    const zoomed = this.timelines.find((timeline) => timeline.isZoomed);
    if (this.detail.isOpen) this.detail.turn(by);
    else if (zoomed) zoomed.pan(0.2 * by);
    else return false;
    return true;
  }

  walk(by) {
    this.see();
    this.step(by);
  }

  walkToRed(by) {
    this.see();
    const test = this.table.moveToRed(by);
    if (test !== undefined && this.detail.isOpen) this.go({ test });
  }

  /** Brings the list into view before something moves in it. */
  see() {
    if (this.detail.isOpen) return;
    if (document.activeElement !== this.table.grid) this.table.grid.focus({ preventScroll: true });
    this.table.grid.scrollIntoView({ block: "nearest" });
  }

  escape(event) {
    if (this.help.open) return;
    if (this.detail.isOpen) this.close();
    else if (event.target === this.table.input) {
      this.filter("");
      this.table.grid.focus();
    }
  }

  say(text) {
    const note = make("div.note", { role: "alert" }, text);
    document.body.append(note);
    setTimeout(() => note.remove(), 6000);
  }
}

const THEMES = ["auto", "light", "dark"];

function setTheme(theme) {
  const root = document.documentElement, button = document.getElementById("theme");
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  const text = { auto: "Auto", light: "Light", dark: "Dark" }[theme];
  button.textContent = text;
  button.setAttribute("aria-label", `Colours: ${theme === "auto" ? "as the system" : theme}`);
  try {
    localStorage.setItem("muletrain-theme", theme);
  } catch {
    // Where nothing may be kept, the choice lasts as long as the page.
  }
  window.dispatchEvent(new Event("theme"));
}

function nextTheme() {
  const now = document.documentElement.dataset.theme ?? "auto";
  setTheme(THEMES[(THEMES.indexOf(now) + 1) % THEMES.length]);
}

function keptTheme() {
  try {
    const kept = localStorage.getItem("muletrain-theme");
    return THEMES.includes(kept) ? kept : "auto";
  } catch {
    return "auto";
  }
}

async function start() {
  document.querySelector(".tools").hidden = false;
  document.getElementById("theme").addEventListener("click", nextTheme);
  setTheme(keptTheme());
  const page = new Page(await Results.load());
  const redraw = () => page.timelines.forEach((timeline) => timeline.draw());
  addEventListener("theme", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  document.documentElement.dataset.ready = "yes";
  performance.mark("usable");
  // The list can be used before the timeline is there.
  setTimeout(() => page.makeTimelines(), 0);
}

start().catch((error) => {
  for (const id of ["tests-view", "timeline-view"]) {
    document.getElementById(id).append(make("p.bad", `This part of the page cannot be shown: ${error.message}`));
  }
  throw error;
});
