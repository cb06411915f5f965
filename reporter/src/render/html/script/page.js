// What holds the page together: addresses, keys, colours, help.

const HELP = [
  ["/", "go to the filter"], ["j  k", "the next test, the one before"], ["f", "the next test that is red"],
  ["Enter", "open the test"], ["Esc", "close what is open"], ["t", "other colours"], ["?", "this help"],
];

const GRAMMAR = [
  ["cart total", "both words are in the test's id"],
  ["\"cart total\"", "just this text is"],
  ["verdict:failed", "how it ended, or how that begins; also red, green, quiet"],
  ["app:shop,blog", "of one of these apps"],
  ["class:Cart  file:tests/a  agent:ci-1", "these have that in their names"],
  [">1s  <=200ms  >=2m", "took so long"],
  ["tries:>1", "ran so often"],
  ["cause:3", "failed for this cause, by its number"],
  ["-word  -app:shop  -verdict:passed", "none of that; ! does the same"],
];

class Page {
  constructor(results) {
    this.results = results;
    this.detail = new Detail(results, { close: () => this.close(), step: (by) => this.step(by) });
    this.table = new TestTable(results, document.getElementById("tests-view"), {
      open: (index) => this.go({ test: index }),
      filtered: (text) => this.filter(text),
    });
    this.timelines = [];
    this.help = this.makeHelp();
    this.listen();
    this.route();
  }

  makeTimelines() {
    const { results } = this;
    this.timelines = results.runs.map((_, run) => new Timeline(results, run, (index) => this.go({ test: index })));
    const shown = this.timelines.filter((timeline) => timeline.lanes.length);
    const view = document.getElementById("timeline-view");
    view.append(...shown.map((timeline) => timeline.element));
    if (!shown.length) view.append(make("p.hint", "Nobody knows when anything ran."));
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
    if (!/^(q|test|run)=/.test(hash)) return;
    const asked = new URLSearchParams(hash.replaceAll("+", "%2B"));
    if (asked.has("q")) {
      this.table.filter(asked.get("q"));
      if (!asked.has("test")) document.getElementById("tests").scrollIntoView();
    }
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
    this.detail.show(index);
  }

  /** Writes the address for what is shown, without a step in the browser's history. */
  go({ test = this.detail.index, filter = this.table.input.value }) {
    const parts = [];
    if (filter) parts.push("q=" + encodeURIComponent(filter));
    if (test !== undefined) parts.push(linkTo(this.results, test).slice(1));
    history.replaceState(null, "", parts.length ? "#" + parts.join("&") : location.pathname + location.search);
    if (test !== undefined && test !== this.detail.index) this.detail.show(test);
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
      f: () => this.walkToRed(), "?": () => this.help.showModal(),
    };
    if (event.key === "Enter" && inList && !event.target.closest("a, button, summary, pre") && this.table.test() !== undefined) {
      this.go({ test: this.table.test() });
    } else if (event.key in acts) acts[event.key]();
    else return;
    event.preventDefault();
  }

  walk(by) {
    this.see();
    this.step(by);
  }

  walkToRed() {
    this.see();
    const test = this.table.moveToRed();
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

  makeHelp() {
    const list = (rows, tag) => make("dl", ...rows.map(([what, why]) => make("div", make("dt", make(tag, what)), make("dd", why))));
    const dialog = make("dialog", { id: "help-dialog", "aria-labelledby": "help-title" },
      make("h2", { id: "help-title" }, "Help"), make("h3", "Keys"), list(HELP, "kbd"),
      make("h3", "Filter"), make("p", "Parts are joined by and; commas part alternatives."), list(GRAMMAR, "code"),
      make("button", { type: "button", autofocus: true, click: () => dialog.close() }, "Close"));
    document.body.append(dialog);
    return dialog;
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
