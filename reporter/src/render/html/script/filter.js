// The filter of the list of tests: which ones its terms are true of.

/** Which tests a filter is true of, in order, and what is wrong with it. */
function applyFilter(results, text) {
  const terms = parseFilter(text), problems = [];
  const wanted = new Uint8Array(results.count).fill(1);
  for (const term of terms) {
    const found = matching(results, term, problems);
    const keep = term.negated ? 0 : 1;
    for (let index = 0; index < wanted.length; index++) if (found[index] !== keep) wanted[index] = 0;
  }
  return { tests: places(wanted), problems };
}

function places(wanted) {
  let count = 0;
  for (const one of wanted) count += one;
  const list = new Uint32Array(count);
  for (let index = 0, next = 0; index < wanted.length; index++) if (wanted[index]) list[next++] = index;
  return list;
}

function matching(results, term, problems) {
  switch (term.key) {
    case "word":
      if (term.unknown) problems.push(`there is no key ${visible(term.unknown)}, so ${visible(term.value)} is looked for as text`);
      return byWord(results, term.value);
    case "time": return byTime(results, term);
    case "verdict": return byVerdict(results, term.value, problems);
    case "app": return byClass(results, anyPart(term.value, ([, app]) => results.apps[app], true));
    case "class": return byClass(results, anyPart(term.value, ([id]) => id));
    case "file": return byClass(results, anyPart(term.value, ([id, , file]) => file || id));
    case "agent": return byAgent(results, term.value);
    case "slot": return bySlot(results, term.value);
    case "run": return byRun(results, term.value, problems);
    case "at": return byStretch(results, term.value, problems);
    case "expression": return byExpression(results, term.value, problems);
    case "cause": return byNumber(results.causeOf, Number(term.value) - 1);
    default: return byTries(results, term.value, problems);
  }
}

/** Alternatives stand between commas. */
function alternatives(value) {
  return value.toLowerCase().split(",").filter((one) => one !== "");
}

/** Whether the text of something has one of the alternatives in it; of an app, all before a dot too. */
function anyPart(value, textOf, exact) {
  const wanted = alternatives(value);
  return (thing) => {
    const text = (textOf(thing) ?? "").toLowerCase();
    return wanted.some((one) => (exact ? text === one || text.startsWith(one + ".") : text.includes(one)));
  };
}

function byClass(results, fits) {
  const classes = results.classes.map((one) => (fits(one) ? 1 : 0));
  return Uint8Array.from(results.classOf, (number) => classes[number]);
}

function byAgent(results, value) {
  const fits = anyPart(value, (lease) => results.agents[lease[1]]);
  const leases = results.leases.map((lease) => (fits(lease) ? 1 : 0));
  return Uint8Array.from(results.leaseOf, (number) => (number === UNKNOWN ? 0 : leases[number]));
}

/** A slot as the timeline counts it, of any agent or of one. */
function bySlot(results, value) {
  const wanted = alternatives(value).map((one) => {
    const slash = one.lastIndexOf("/");
    return [slash < 0 ? null : one.slice(0, slash), one.slice(slash + 1)];
  });
  const fits = ([, agent, slot]) => wanted.some(([name, number]) => number === String(slot + 1)
    && (name === null || results.agents[agent].toLowerCase().includes(name)));
  const leases = results.leases.map((lease) => (fits(lease) ? 1 : 0));
  return Uint8Array.from(results.leaseOf, (number) => (number === UNKNOWN ? 0 : leases[number]));
}

function byRun(results, value, problems) {
  const run = results.runs[Number(value) - 1], found = new Uint8Array(results.count);
  if (run) found.fill(1, run.first, run.first + run.tests);
  else problems.push(`there is no run ${visible(value)} in this report`);
  return found;
}

/** Tests of which a try ran within a stretch of their run. */
function byStretch(results, value, problems) {
  const stretch = parseStretch(value), found = new Uint8Array(results.count);
  if (!stretch) {
    problems.push(`at:${visible(value)} is no stretch of time, such as at:12s..40s`);
    return found;
  }
  const [from, to] = stretch, starts = results.starts();
  for (let index = 0; index < found.length; index++) {
    if (starts[index] <= to && starts[index] + (results.seconds(index) ?? 0) * 1000 >= from) found[index] = 1;
  }
  for (const [index, , , start, length] of results.earlier) if (start <= to && start + length >= from) found[index] = 1;
  return found;
}

function byExpression(results, value, problems) {
  let expression;
  try {
    expression = new RegExp(value, "iu");
  } catch {
    problems.push(`/${visible(value)}/ is no regular expression, so it is looked for as text`);
    return byWord(results, value);
  }
  return Uint8Array.from({ length: results.count }, (_, index) => (expression.test(results.id(index)) ? 1 : 0));
}

function byNumber(column, wanted) {
  return Uint8Array.from(column, (number) => (number === wanted ? 1 : 0));
}

function byTries(results, value, problems) {
  const found = /^(>=|<=|>|<)?(\d+)$/.exec(value);
  if (!found) problems.push(`tries:${value} is no number`);
  const compare = found ? comparison(found[1], Number(found[2])) : () => false;
  return Uint8Array.from(results.tries, (number) => (compare(number) ? 1 : 0));
}

function comparison(operator, wanted) {
  switch (operator) {
    case ">": return (number) => number > wanted;
    case ">=": return (number) => number >= wanted;
    case "<": return (number) => number < wanted;
    case "<=": return (number) => number <= wanted;
    default: return (number) => number === wanted;
  }
}

function byTime(results, { operator, seconds }) {
  const fits = comparison(operator, Math.round(seconds * 10000));
  return Uint8Array.from(results.timeOf, (time) => (time !== UNKNOWN && fits(time) ? 1 : 0));
}

/** A verdict by its name or how it begins; red, green and quiet stand for several. */
function byVerdict(results, value, problems) {
  const groups = {
    red: [...RED], green: ["passed", "flaky"], quiet: ["skipped", "expected_failure", "not_run"],
  };
  const wanted = new Set();
  for (const one of alternatives(value)) {
    const name = one.replaceAll("-", "_").replaceAll(" ", "_");
    const found = groups[name] ?? results.outcomes.filter((outcome) => outcome.startsWith(name));
    if (!found.length) problems.push(`no verdict begins with ${visible(one)}`);
    found.forEach((outcome) => wanted.add(outcome));
  }
  const numbers = results.outcomes.map((outcome) => (wanted.has(outcome) ? 1 : 0));
  return Uint8Array.from(results.outcome, (number) => numbers[number]);
}

/** A part of an id, without regard to case: in its class, in its name, or across both. */
function byWord(results, word) {
  const wanted = word.toLowerCase(), found = new Uint8Array(results.count);
  const ids = results.classes.map((one) => one[0].toLowerCase());
  const holds = ids.map((id) => id.includes(wanted));
  // What crosses the dot between class and name ends the one and begins the other.
  const splits = [...wanted].flatMap((one, at) => (one === "." ? [[wanted.slice(0, at), wanted.slice(at + 1)]] : []));
  const crossing = ids.map((id) => splits.filter(([head]) => id.endsWith(head)).map(([, tail]) => tail));
  for (let index = 0; index < found.length; index++) {
    const number = results.classOf[index];
    if (holds[number] && !results.isWhole(index)) found[index] = 1;
    else if (crossing[number].length) found[index] = begins(results.names.at(index), crossing[number]);
  }
  for (const index of results.names.holdingAnyCase(word)) found[index] = 1;
  return found;
}

function begins(name, tails) {
  const lower = name.toLowerCase();
  return tails.some((tail) => lower.startsWith(tail)) ? 1 : 0;
}
