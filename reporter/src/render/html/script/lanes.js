// What ran where and when: a lane for each slot of an agent, with pods, their stages and tests.

const STAGES = {
  start: "starting pods", boot: "loading Django", load: "loading tests", databases: "databases",
  tests: "tests", other: "fixtures and between tests", idle: "idle",
};

/** The lanes of a run, by agent and slot. */
function lanesOf(results, run) {
  const own = results.runs[run];
  const lanes = new Map();
  const laneOfLease = results.leases.map((lease) => (lease[0] === run && !own.foreign ? laneOf(lanes, results, lease) : null));
  results.leases.forEach((lease, number) => laneOfLease[number]?.leases.push(number));
  if (own.foreign) endToEnd(results, own, lanes);
  else placeByClock(results, own, laneOfLease);
  const list = [...lanes.values()].filter((lane) => lane.leases.length || lane.tests.length);
  list.sort((one, other) => compareNames(one.agent, other.agent) || one.slot - other.slot);
  list.forEach((lane) => lane.finish());
  return list;
}

function compareNames(one, other) {
  return one.localeCompare(other, "en", { numeric: true });
}

function laneOf(lanes, results, [, agent, slot]) {
  const key = agent + "/" + slot;
  if (!lanes.has(key)) lanes.set(key, new Lane(results, results.agents[agent], slot));
  return lanes.get(key);
}

function placeByClock(results, own, laneOfLease) {
  for (let index = own.first; index < own.first + own.tests; index++) {
    const start = results.startOf[index], lane = laneOfLease[results.leaseOf[index]];
    if (start === UNKNOWN || !lane) continue;
    const length = (results.seconds(index) ?? 0) * 1000;
    lane.add(index, start, start + length, results.outcome[index]);
  }
  for (const [index, outcome, lease, start, length] of results.earlier) {
    laneOfLease[lease]?.add(index, start, start + length, outcome);
  }
}

/** Where no clock is known, tests follow one another on their host, else in their app. */
function endToEnd(results, own, lanes) {
  for (const [index, start, end, host] of laidEndToEnd(results, own)) {
    if (!lanes.has(host)) lanes.set(host, new Lane(results, host, 0));
    lanes.get(host).add(index, start, end, results.outcome[index]);
  }
}

function* laidEndToEnd(results, own) {
  const ends = new Map();
  for (let index = own.first; index < own.first + own.tests; index++) {
    const length = (results.seconds(index) ?? 0) * 1000;
    if (!length) continue;
    const host = results.agentOf(index) || results.appOf(index);
    const start = ends.get(host) ?? 0;
    yield [index, start, start + length, host];
    ends.set(host, start + length);
  }
}

class Lane {
  constructor(results, agent, slot) {
    Object.assign(this, { results, agent, slot, leases: [], tests: [], begins: [], ends: [], outcomes: [] });
  }

  add(index, begin, end, outcome) {
    this.tests.push(index);
    this.begins.push(begin);
    this.ends.push(end);
    this.outcomes.push(outcome);
  }

  /** Puts its tests into the order of time. */
  finish() {
    const { begins } = this;
    if (begins.some((begin, item) => item > 0 && begin < begins[item - 1])) {
      const order = sorted(begins.map((_, item) => item), (item) => Math.round(begins[item]));
      for (const column of ["tests", "begins", "ends", "outcomes"]) {
        const before = this[column];
        this[column] = Array.from(order, (item) => before[item]);
      }
    }
    let last = 0;
    for (const end of this.ends) last = Math.max(last, end);
    for (const number of this.leases) last = Math.max(last, this.results.leases[number][5]);
    this.end = last;
  }

  /** Milliseconds of each kind of work, of a run that took so long. */
  times(wall) {
    const times = { start: 0, boot: 0, load: 0, databases: 0, tests: 0, other: 0, idle: 0 };
    let open = 0;
    for (const number of this.leases) {
      const [, , , , begin, end, stages] = this.results.leases[number];
      open += end - begin;
      for (const [stage, , length] of stages) times[stage] += length;
    }
    for (let item = 0; item < this.tests.length; item++) times.tests += this.ends[item] - this.begins[item];
    const known = times.start + times.boot + times.load + times.databases + times.tests;
    if (!this.leases.length) open = known;
    times.other = Math.max(0, open - known);
    times.idle = Math.max(0, wall - open);
    return times;
  }

  /** The test at a moment; the nearest, where it is short. */
  at(moment, tolerance) {
    let item = lowerBound(this.begins, moment + tolerance) - 1;
    let best = -1;
    for (let steps = 0; item >= 0 && steps < 64; item--, steps++) {
      if (moment <= this.ends[item] + tolerance) {
        if (this.begins[item] <= moment && moment <= this.ends[item]) return item;
        if (best < 0) best = item;
      }
    }
    return best;
  }

  /** The pod at a moment, and its stage. */
  podAt(moment) {
    for (const number of this.leases) {
      const [, , , name, begin, end, stages] = this.results.leases[number];
      if (moment < begin || moment > end) continue;
      const stage = stages.find(([, from, length]) => moment >= from && moment <= from + length);
      return { name, begin, end, stage: stage?.[0] ?? "other" };
    }
    return null;
  }
}
