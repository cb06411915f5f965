// The help: keys, and what can be written into the filter.

const HELP = [
  ["/", "go to the filter"], ["j  k", "the next test, the one before"], ["f  p", "the next test that is red, the one before"],
  ["o  Enter", "open the test"], ["←  →", "the other tries of the open test; without one, pan the timeline that is zoomed"],
  ["Esc", "close what is open"], ["t", "other colours"], ["?", "this help"],
];

const TIMELINE_HELP = [
  ["+  −", "zoom"], ["←  →", "pan"], ["Enter", "list the tests of the stretch that is shown"], ["0", "show all of it, and list all tests"],
];

const GRAMMAR = [
  ["cart total", "both words are in the test's id"],
  ["\"cart total\"", "just this text is"],
  ["/total_[0-9]+$/", "this regular expression is true of the id, in any case"],
  ["verdict:failed", "how it ended, or how that begins; also red, green, quiet"],
  ["app:shop,blog", "of one of these apps"],
  ["class:Cart  file:tests/a  agent:ci-1", "these have that in their names"],
  ["slot:2  slot:ci-1/2", "ran in this slot of its agent, as the timeline counts them"],
  ["at:12s..40s  at:2m..", "ran within this stretch of the run"],
  ["run:2", "of the second of several results"],
  [">1s  <=200ms  >=2m", "took so long"],
  ["tries:>1", "ran so often"],
  ["cause:3", "failed for this cause, by its number"],
  ["-word  -app:shop  -verdict:passed", "none of that; ! does the same"],
];

function makeHelp() {
  const list = (rows, tag) => make("dl", ...rows.map(([what, why]) => make("div", make("dt", make(tag, what)), make("dd", why))));
  const dialog = make("dialog", { id: "help-dialog", "aria-labelledby": "help-title" },
    make("h2", { id: "help-title" }, "Help"), make("h3", "Keys"), list(HELP, "kbd"),
    make("h3", "Keys on the timeline"), list(TIMELINE_HELP, "kbd"),
    make("h3", "Filter"), make("p", "Parts are joined by and; commas part alternatives."), list(GRAMMAR, "code"),
    make("button", { type: "button", autofocus: true, click: () => dialog.close() }, "Close"));
  document.body.append(dialog);
  return dialog;
}
