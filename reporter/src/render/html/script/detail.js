// Everything about one test, beside the page.

class Detail {
  constructor(results, { close, step, chosen }) {
    Object.assign(this, { results, chosen });
    this.title = make("h2", { tabindex: "-1", id: "detail-title" });
    this.head = make("div.detail-verdict");
    this.body = make("div.detail-body");
    const button = (text, label, click) => make("button", { type: "button", "aria-label": label, title: label, click }, text);
    this.panel = make("aside", { id: "detail", "aria-labelledby": "detail-title", hidden: true },
      make("div.detail-bar", this.head,
        button("↑", "The test before (k)", () => step(-1)), button("↓", "The next test (j)", () => step(1)),
        button("✕", "Close (Esc)", close)),
      this.title, this.body);
    document.body.append(this.panel);
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  close() {
    this.panel.hidden = true;
    document.body.classList.remove("has-detail");
    this.index = this.attempt = undefined;
    this.before?.focus?.({ preventScroll: true });
    this.before = undefined;
  }

  /** Shows a test, and of its tries the one with this number, if any is asked for. */
  async show(index, attempt) {
    const { results } = this;
    if (!this.isOpen) this.before = document.activeElement;
    Object.assign(this, { index, attempt, numbers: [] });
    const attempts = await results.attempts(index);
    // Another one may have been asked for meanwhile.
    if (this.index !== index || this.attempt !== attempt) return;
    this.numbers = attempts.map((one) => one.number);
    const outcome = results.outcomeOf(index);
    this.head.replaceChildren(mark(outcome), words(outcome));
    this.head.className = "detail-verdict is-" + outcome;
    const owner = results.isWhole(index) ? "" : make("span.owner", visible(results.className(index)) + ".");
    this.title.replaceChildren(owner, make("bdi", visible(results.name(index))));
    this.body.replaceChildren(this.tools(index), this.facts(index), ...attempts.map((one) => this.section(one, attempts.length)));
    this.panel.hidden = false;
    document.body.classList.add("has-detail");
    this.panel.scrollTop = 0;
    this.title.focus({ preventScroll: true });
    if (attempt !== undefined) this.choose(attempt);
  }

  /** Brings a try into view; it is the one that the address names. */
  choose(attempt) {
    this.attempt = undefined;
    this.body.querySelectorAll(".attempt").forEach((section, place) => {
      const isChosen = this.numbers[place] === attempt;
      section.classList.toggle("chosen", isChosen);
      if (!isChosen) {
        section.removeAttribute("aria-current");
        return;
      }
      this.attempt = attempt;
      section.setAttribute("aria-current", "true");
      const bar = this.panel.firstElementChild.offsetHeight;
      this.panel.scrollTop += section.getBoundingClientRect().top - this.panel.getBoundingClientRect().top - bar;
      section.querySelector("h3 a")?.focus({ preventScroll: true });
    });
    this.chosen(this.attempt);
  }

  /** Goes so many tries on. */
  turn(by) {
    if (this.numbers.length < 2) return;
    const place = Math.max(0, this.numbers.indexOf(this.attempt)) + by;
    this.choose(this.numbers[Math.max(0, Math.min(this.numbers.length - 1, place))]);
  }

  tools(index) {
    const { results } = this, id = results.id(index);
    const button = (text, value) => make("button", { type: "button", click: (event) => copy(value(), event.currentTarget) }, text);
    const again = !results.runs[results.run(index)].foreign
      && button("Copy command", () => `muletrain-scheduler run . ${quoted(id)}`);
    const address = () => location.href.split("#")[0] + linkTo(results, index, this.attempt);
    return make("div.detail-tools", button("Copy id", () => id), button("Copy link", address), again);
  }

  facts(index) {
    const { results } = this, run = results.runs[results.run(index)];
    const start = results.startOf[index];
    const cause = results.causeOf[index];
    const strip = results.beside.history?.[results.id(index)];
    const list = [
      ["App", visible(results.appOf(index))],
      ["File", visible(results.file(index))],
      ["Agent", visible(results.agentOf(index))],
      ["Time", duration(results.seconds(index))],
      ["Began", start === UNKNOWN ? "" : duration(start / 1000) + " into the run"],
      ["Run", results.runs.length > 1 ? run.name ?? "other tools" : ""],
      ["Cause", cause === UNKNOWN ? "" : make("a", { href: "#q=cause:" + (cause + 1) }, "tests that failed alike")],
      ["History", strip ? historyStrip(strip) : ""],
    ];
    return make("dl.facts", ...list.filter(([, value]) => value !== "").map(([name, value]) => make("div", make("dt", name), make("dd", value))));
  }

  section(one, count) {
    const { results } = this;
    const name = count > 1 && make("a", {
      href: linkTo(results, this.index, one.number),
      click: (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        this.choose(one.number);
      },
    }, `Try ${one.number}`);
    const lease = one.lease === undefined ? undefined : results.leases[one.lease];
    const about = [
      words(one.verdict), duration(one.seconds), lease && "on " + visible(results.agents[lease[1]]),
      lease && lease[3] && `pod of ${visible(lease[3])}`,
    ].filter(Boolean);
    const section = make("section.attempt.is-" + one.verdict,
      make("h3", mark(one.verdict), make("span", name, name && ": ", about.join(" · "))));
    if (one.reason && !one.failures?.some((failure) => failure.message === one.reason)) section.append(make("p.reason", visible(one.reason)));
    for (const failure of one.failures ?? []) section.append(...raised(failure));
    if (one.output) {
      const omitted = one.omitted ? `, ${grouped(one.omitted)} bytes omitted from its middle` : "";
      section.append(make("h4", "Printed" + omitted), make("pre.output", { tabindex: "0" }, coloured(one.output.trimEnd())));
    }
    return section;
  }
}

const STRIP = { ".": "passed", "~": "flaky", F: "failed", "-": "skipped", " ": "nothing" };

function historyStrip(strip) {
  const squares = [...strip.slice(-30)].map((one) => make("i.is-" + STRIP[one]));
  const red = [...strip].filter((one) => one === "F").length;
  return make("span.strip", { role: "img", "aria-label": `red in ${red} of ${strip.length} runs` }, ...squares);
}

/** Text as one word of a shell. */
function quoted(text) {
  return /^[\w.:\/@%+=-]+$/.test(text) ? text : "'" + text.replaceAll("'", "'\\''") + "'";
}
