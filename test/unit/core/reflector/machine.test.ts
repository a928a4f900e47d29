import { describe, expect, test } from "@jest/globals";
import { Fault } from "../../../../src/core/model/fault.ts";
import { start, transition } from "../../../../src/core/reflector/machine.ts";
import {
  DEFAULT_LIMITS,
  type Effect,
  type Input,
  type InputKind,
  type Memory,
  type State,
  type StateKind,
  type StateOf,
  type Step,
} from "../../../../src/core/reflector/state.ts";
import { isOlderVersion } from "../../../../src/core/reflector/version.ts";

const LIMITS = { ...DEFAULT_LIMITS, pageLimit: 2, watchMinSeconds: 300, watchMaxSeconds: 600 };
const NOW = 1_000_000;
const HALF = { now: NOW, random: 0.5 };

/** A memory that synced ten seconds ago at version 7. */
function memory(fields: Partial<Memory> = {}): Memory {
  return {
    limits: LIMITS,
    resourceVersion: "7",
    forgetVersion: false,
    synced: true,
    failures: { class: "away", count: 0 },
    relists: 0,
    listedAt: NOW - 10_000,
    ...fields,
  };
}

/** A watch that opened ten seconds ago, heard nothing since, and waits for a probe to fall due. */
function watching(fields: Partial<StateOf<"watching">> = {}): StateOf<"watching"> {
  return {
    kind: "watching",
    memory: memory(),
    since: NOW - 10_000,
    progressed: false,
    heardAt: NOW - 10_000,
    probing: undefined,
    probeFailures: { class: "away", count: 0 },
    ...fields,
  };
}

const STATES: { readonly [K in StateKind]: State } = {
  listing: { kind: "listing", memory: memory(), continueToken: "" },
  opening: { kind: "opening", memory: memory() },
  watching: watching(),
  waiting: { kind: "waiting", memory: memory(), next: "watch" },
  stopped: { kind: "stopped", memory: memory() },
};

const INPUTS: { readonly [K in InputKind]: Input } = {
  page: { kind: "page", resourceVersion: "9", continueToken: "" },
  opened: { kind: "opened" },
  event: { kind: "event", resourceVersion: "9" },
  bookmark: { kind: "bookmark", resourceVersion: "9" },
  ended: { kind: "ended" },
  failed: { kind: "failed", fault: new Fault("connection", "gone away") },
  silence: { kind: "silence" },
  timer: { kind: "timer" },
  probeDue: { kind: "probeDue" },
  probed: { kind: "probed", resourceVersion: "9" },
  probeFailed: { kind: "probeFailed", fault: new Fault("connection", "refused") },
  relist: { kind: "relist" },
  stop: { kind: "stop" },
};

/** `-`: nothing happens. Otherwise the next state and the effects in order. */
type Expected = "-" | readonly [StateKind, ...Effect["kind"][]];

const TRUTH: Readonly<Record<StateKind, Readonly<Record<InputKind, Expected>>>> = {
  listing: {
    page: ["opening", "endList", "watch"],
    opened: "-",
    event: "-",
    bookmark: "-",
    ended: "-",
    failed: ["waiting", "abandonList", "wait"],
    silence: ["waiting", "cancel", "abandonList", "wait"],
    timer: "-",
    probeDue: "-",
    probed: "-",
    probeFailed: "-",
    relist: "-",
    stop: ["stopped", "cancel", "abandonList"],
  },
  opening: {
    page: "-",
    opened: ["watching", "probeLater"],
    event: ["watching", "probeLater"],
    bookmark: ["watching", "probeLater"],
    ended: ["waiting", "wait"],
    failed: ["waiting", "wait"],
    silence: ["waiting", "cancel", "wait"],
    timer: "-",
    probeDue: "-",
    probed: "-",
    probeFailed: "-",
    relist: ["listing", "cancel", "beginList", "list"],
    stop: ["stopped", "cancel"],
  },
  watching: {
    page: "-",
    opened: "-",
    event: ["watching"],
    bookmark: ["watching"],
    ended: ["opening", "watch"],
    failed: ["waiting", "wait"],
    silence: ["waiting", "cancel", "wait"],
    timer: "-",
    probeDue: ["watching", "probeLater"],
    probed: "-",
    probeFailed: "-",
    relist: ["listing", "cancel", "beginList", "list"],
    stop: ["stopped", "cancel"],
  },
  waiting: {
    page: "-",
    opened: "-",
    event: "-",
    bookmark: "-",
    ended: "-",
    failed: "-",
    silence: "-",
    timer: ["opening", "watch"],
    probeDue: "-",
    probed: "-",
    probeFailed: "-",
    relist: ["waiting"],
    stop: ["stopped", "cancel"],
  },
  stopped: {
    page: "-",
    opened: "-",
    event: "-",
    bookmark: "-",
    ended: "-",
    failed: "-",
    silence: "-",
    timer: "-",
    probeDue: "-",
    probed: "-",
    probeFailed: "-",
    relist: "-",
    stop: "-",
  },
};

const CELLS = (Object.keys(TRUTH) as StateKind[]).flatMap((state) =>
  (Object.keys(TRUTH[state]) as InputKind[]).map(
    (input) => [state, input, TRUTH[state][input]] as const,
  ),
);

test.each(CELLS)("%s on %s", (stateKind, inputKind, expected) => {
  const before = STATES[stateKind];
  const step = transition(before, INPUTS[inputKind], HALF);
  const outline = [step.state.kind, ...step.effects.map((each) => each.kind)];
  expect(outline).toEqual(expected === "-" ? [stateKind] : expected);
  expect(step.state === before).toBe(expected === "-");
});

function effect<K extends Effect["kind"]>(step: Step, kind: K): Extract<Effect, { kind: K }> {
  const found = step.effects.find((each) => each.kind === kind);
  if (found === undefined) throw new Error(`no effect ${kind} in ${JSON.stringify(step.effects)}`);
  return found as Extract<Effect, { kind: K }>;
}

function failed(code: Fault["code"], facts: ConstructorParameters<typeof Fault>[2] = {}): Input {
  return { kind: "failed", fault: new Fault(code, "as told", facts) };
}

function run(state: State, ...inputs: readonly (readonly [Input, number, number?])[]): Step {
  let step: Step = { state, effects: [] };
  for (const [input, now, random] of inputs) {
    step = transition(step.state, input, { now, random: random ?? 0.5 });
  }
  return step;
}

describe("lists", () => {
  test("the first asks for the most recent state, never for version 0", () => {
    const step = start(LIMITS);
    expect(step.effects).toEqual([
      { kind: "beginList" },
      {
        kind: "list",
        resourceVersion: "",
        continueToken: "",
        limit: 2,
        silenceMs: LIMITS.listSilenceMs,
        deadlineMs: LIMITS.pageDeadlineMs,
      },
    ]);
    expect(step.state.memory.synced).toBe(false);
  });

  test("later ones ask for nothing older than the last version seen", () => {
    const state: State = { kind: "waiting", memory: memory(), next: "list" };
    expect(effect(transition(state, { kind: "timer" }, HALF), "list").resourceVersion).toBe("7");
  });

  test("pages follow their tokens, and only the last one makes the copy whole", () => {
    const first = start(LIMITS);
    const second = transition(
      first.state,
      { kind: "page", resourceVersion: "5", continueToken: "c1" },
      HALF,
    );
    expect(second.effects.map((each) => each.kind)).toEqual(["list"]);
    expect(effect(second, "list")).toMatchObject({ continueToken: "c1", resourceVersion: "" });
    expect(second.state.memory.synced).toBe(false);
    const third = transition(
      second.state,
      { kind: "page", resourceVersion: "5", continueToken: "" },
      HALF,
    );
    expect(third.state.memory.synced).toBe(true);
    expect(effect(third, "watch").resourceVersion).toBe("5");
  });

  test("an expired continue token starts the list over at once, and later ones after a pause", () => {
    const listing: State = {
      kind: "listing",
      memory: memory({ synced: false }),
      continueToken: "c1",
    };
    const again = transition(listing, failed("gone"), HALF);
    expect(again.effects.map((each) => each.kind)).toEqual(["abandonList", "beginList", "list"]);
    const page2 = run(again.state, [
      { kind: "page", resourceVersion: "8", continueToken: "c1" },
      NOW + 1,
    ]);
    const later = transition(page2.state, failed("gone"), HALF);
    expect(later.effects.map((each) => each.kind)).toEqual(["abandonList", "wait"]);
    expect(effect(later, "wait").delayMs).toBe(1_500);
  });

  test("a page that repeats its own token is a failure, not a loop", () => {
    const listing: State = { kind: "listing", memory: memory(), continueToken: "c1" };
    const step = transition(
      listing,
      { kind: "page", resourceVersion: "9", continueToken: "c1" },
      HALF,
    );
    expect(step.effects.map((each) => each.kind)).toEqual(["abandonList", "wait"]);
  });

  test.each(["", "0"])("a list of version %j is a failure", (resourceVersion) => {
    const step = transition(
      start(LIMITS).state,
      { kind: "page", resourceVersion, continueToken: "" },
      HALF,
    );
    expect(step.effects.map((each) => each.kind)).toEqual(["abandonList", "wait"]);
    expect(step.state.memory.synced).toBe(false);
  });

  test.each([
    [failed("timeout", { status: 504, reason: "ResourceVersionTooLarge" })],
    [failed("gone")],
    [failed("bad-request")],
  ])("a version that the server does not know is not named again (%#)", (input) => {
    const wait = transition(STATES.listing, input, HALF);
    const list = transition(wait.state, { kind: "timer" }, HALF);
    expect(effect(list, "list").resourceVersion).toBe("");
    const page = transition(
      list.state,
      { kind: "page", resourceVersion: "3", continueToken: "" },
      HALF,
    );
    expect(page.state.memory).toMatchObject({ resourceVersion: "3", forgetVersion: false });
  });
});

describe("watches", () => {
  test("ask for a random time between the limits, and are given up some time after it", () => {
    const at = (random: number): Extract<Effect, { kind: "watch" }> =>
      effect(transition(STATES.waiting, { kind: "timer" }, { now: NOW, random }), "watch");
    expect(at(0).timeoutSeconds).toBe(300);
    expect(at(0.9999).timeoutSeconds).toBe(599);
    expect(at(0).deadlineMs).toBe(390_000);
  });

  test("resume from the last event or bookmark", () => {
    const step = run(
      STATES.watching,
      [{ kind: "event", resourceVersion: "8" }, NOW],
      [{ kind: "bookmark", resourceVersion: "11" }, NOW],
      [failed("connection"), NOW],
      [{ kind: "timer" }, NOW + 1],
    );
    expect(effect(step, "watch").resourceVersion).toBe("11");
  });

  test("that end young are reopened after a pause, even if they made progress", () => {
    const young = watching({ since: NOW - 100 });
    expect(effect(transition(young, { kind: "ended" }, HALF), "wait").delayMs).toBe(125);
    const after = run(
      young,
      [{ kind: "event", resourceVersion: "8" }, NOW],
      [{ kind: "ended" }, NOW],
    );
    expect(effect(after, "wait").delayMs).toBe(125);
  });

  test("that end young without progress wait longer each time, up to 5 s", () => {
    let state: State = STATES.opening;
    const ceilings: number[] = [];
    for (let i = 0; i < 7; i++) {
      const step = run(
        state,
        [{ kind: "opened" }, NOW + i],
        [{ kind: "ended" }, NOW + i, 0.999999],
      );
      ceilings.push(Math.round(effect(step, "wait").delayMs));
      ({ state } = transition(step.state, { kind: "timer" }, HALF));
    }
    expect(ceilings).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  });

  test("a repeated event of the same version is no progress", () => {
    const step = transition(STATES.watching, { kind: "event", resourceVersion: "7" }, HALF);
    expect(step.state).toEqual(watching({ heardAt: NOW }));
  });

  test("a version too old is listed anew at once", () => {
    const step = transition(STATES.watching, failed("gone", { status: 410 }), HALF);
    expect(step.effects.map((each) => each.kind)).toEqual(["beginList", "list"]);
    expect(effect(step, "list").resourceVersion).toBe("7");
  });

  test("relists in a row wait from 1 s to 30 s; a healthy minute ends the row", () => {
    let state: State = STATES.opening;
    const delays: number[] = [];
    for (let i = 0; i < 7; i++) {
      const gone = transition(state, failed("gone"), { now: NOW, random: 0.999999 });
      const wait = gone.effects.find((each) => each.kind === "wait");
      delays.push(Math.round(wait?.delayMs ?? 0));
      const listing = wait === undefined ? gone : transition(gone.state, { kind: "timer" }, HALF);
      ({ state } = transition(listing.state, INPUTS.page, HALF));
    }
    expect(delays).toEqual([0, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    const later = transition(state, failed("gone"), { now: NOW + 60_000, random: 0 });
    expect(later.effects.map((each) => each.kind)).toEqual(["beginList", "list"]);
    // The minute counts from the end of the last list, however long ago the first was.
    const listed = transition(later.state, INPUTS.page, { now: NOW + 600_000, random: 0 });
    const soon = transition(listed.state, failed("gone"), { now: NOW + 659_999, random: 0 });
    expect(soon.effects.map((each) => each.kind)).toEqual(["wait"]);
  });

  test("a relist that the owner wants waits for a pause under way, and for a list under way", () => {
    const waiting = transition(STATES.waiting, { kind: "relist" }, HALF);
    expect(waiting.effects).toEqual([]);
    const listing = transition(waiting.state, { kind: "timer" }, HALF);
    expect(listing.state.kind).toBe("listing");
    expect(transition(listing.state, { kind: "relist" }, HALF).effects).toEqual([]);
  });

  test("a version that the server has not reached is listed anew, without naming it", () => {
    const fault = failed("timeout", { status: 504, reason: "ResourceVersionTooLarge" });
    const step = transition(STATES.opening, fault, HALF);
    expect(effect(step, "list").resourceVersion).toBe("");
  });
});

describe("pauses after failures", () => {
  const after = (count: number, input: Input, random: number, previous = "away"): number => {
    const failures = { class: previous as "away" | "denied", count };
    const state: State = { kind: "opening", memory: memory({ failures }) };
    return effect(transition(state, input, { now: NOW, random }), "wait").delayMs;
  };

  test.each([
    ["connection", 250, 5_000],
    ["server-error", 250, 5_000],
    ["timeout", 250, 5_000],
    ["certificate", 250, 5_000],
    ["too-many-requests", 250, 5_000],
    ["unauthorized", 250, 30_000],
    ["forbidden", 250, 30_000],
    ["not-found", 250, 30_000],
  ] as const)("%s: full jitter from %i ms to at most %i ms", (code, first, most) => {
    const previous = most === 30_000 ? "denied" : "away";
    expect(after(0, failed(code), 0.999999999, previous)).toBeCloseTo(first, 3);
    expect(after(1_000, failed(code), 0.999999999, previous)).toBeCloseTo(most, 3);
    expect(after(1_000, failed(code), 0.1, previous)).toBeCloseTo(most / 10, 3);
    expect(after(1_000, failed(code), 0, previous)).toBe(50);
  });

  test("a refusal after an outage does not inherit the outage's pause", () => {
    expect(after(1_000, failed("forbidden"), 0.999999999)).toBeCloseTo(250, 3);
  });

  test("Retry-After is honoured, up to a minute", () => {
    expect(after(0, failed("too-many-requests", { retryAfterMs: 7_000 }), 0.5)).toBe(7_125);
    expect(after(0, failed("unavailable", { retryAfterMs: 9e9 }), 0.5)).toBe(60_125);
  });

  test("a watch that worked starts the row of failures anew", () => {
    const long = watching({
      memory: memory({ failures: { class: "away", count: 9 } }),
      since: NOW - 6_000,
    });
    expect(effect(transition(long, failed("connection"), HALF), "wait").delayMs).toBe(125);
  });
});

describe("probes", () => {
  const { probeAfterMs, probeDeadlineMs } = LIMITS;
  const answer = (resourceVersion: string): Input => ({ kind: "probed", resourceVersion });
  const refused: Input = { kind: "probeFailed", fault: new Fault("connection", "refused") };
  const kinds = (step: Step): string[] => step.effects.map((each) => each.kind);

  test("a watch that is silent for 15 s is helped by one, which leaves it open", () => {
    const opened = transition(STATES.opening, { kind: "opened" }, HALF);
    expect(opened.effects).toEqual([{ kind: "probeLater", delayMs: 15_000 }]);
    const due = run(opened.state, [{ kind: "probeDue" }, NOW + probeAfterMs]);
    expect(due.effects).toEqual([{ kind: "probe", deadlineMs: probeDeadlineMs }]);
    expect(due.state).toMatchObject({ kind: "watching", probing: "7" });
    const answered = run(due.state, [answer("12"), NOW + 15_100]);
    expect(answered.effects).toEqual([{ kind: "probeLater", delayMs: 15_000 }]);
    // Events up to 12 have not come, so the watch goes on from where it stood.
    expect(answered.state.memory.resourceVersion).toBe("7");
  });

  test.each(["event", "bookmark"] as const)("an %s puts it off", (kind) => {
    const opened = transition(STATES.opening, { kind: "opened" }, HALF);
    const due = run(
      opened.state,
      [{ kind, resourceVersion: "7" }, NOW + 4_000],
      [{ kind: "probeDue" }, NOW + probeAfterMs],
    );
    expect(due.effects).toEqual([{ kind: "probeLater", delayMs: 4_000 }]);
    expect(kinds(run(due.state, [{ kind: "probeDue" }, NOW + 19_000]))).toEqual(["probe"]);
  });

  test("an event older than what is known neither puts it off nor moves the version back", () => {
    const { state } = transition(STATES.opening, { kind: "opened" }, HALF);
    const due = run(
      state,
      [{ kind: "event", resourceVersion: "3" }, NOW + 14_000],
      [{ kind: "probeDue" }, NOW + probeAfterMs],
    );
    expect(kinds(due)).toEqual(["probe"]);
    expect(due.state.memory.resourceVersion).toBe("7");
  });

  test.each<[string, Input]>([
    ["failed", { kind: "failed", fault: new Fault("connection", "cut") }],
    ["fell silent", { kind: "silence" }],
    ["ended young", { kind: "ended" }],
  ])("a watch that reopens after one that %s is probed at once", (_name, input) => {
    const reopened = run(
      watching({ since: NOW - 100 }),
      [input, NOW],
      [{ kind: "timer" }, NOW + 100],
      [{ kind: "opened" }, NOW + 110],
    );
    expect(kinds(reopened)).toEqual(["probe"]);
  });

  test("one that reopens after a proper end, or first opens, waits for silence", () => {
    const again = run(STATES.watching, [{ kind: "ended" }, NOW], [{ kind: "opened" }, NOW]);
    expect(kinds(again)).toEqual(["probeLater"]);
    const first = run(start(LIMITS).state, [INPUTS.page, NOW], [{ kind: "opened" }, NOW]);
    expect(kinds(first)).toEqual(["probeLater"]);
  });

  test("an older version drops the watch for a list of the most recent state, at once", () => {
    const step = transition(watching({ probing: "10" }), answer("9"), HALF);
    expect(kinds(step)).toEqual(["cancel", "beginList", "list"]);
    expect(effect(step, "list").resourceVersion).toBe("");
    const listed = run(step.state, [
      { kind: "page", resourceVersion: "9", continueToken: "" },
      NOW + 1,
    ]);
    expect(effect(listed, "watch").resourceVersion).toBe("9");
  });

  test("an older version time and again is listed after the relist pause", () => {
    let state: State = watching({ probing: "7" });
    const delays: number[] = [];
    for (let i = 0; i < 4; i++) {
      const back = transition(state, answer("6"), { now: NOW, random: 0.999999 });
      const wait = back.effects.find((each) => each.kind === "wait");
      delays.push(Math.round(wait?.delayMs ?? 0));
      const listing = wait === undefined ? back : transition(back.state, { kind: "timer" }, HALF);
      expect(effect(listing, "list").resourceVersion).toBe("");
      const listed = transition(listing.state, INPUTS.page, HALF);
      const opened = transition(listed.state, { kind: "opened" }, HALF);
      ({ state } = run(opened.state, [{ kind: "probeDue" }, NOW + probeAfterMs]));
    }
    expect(delays).toEqual([0, 2_000, 4_000, 8_000]);
  });

  test.each(["7", "8", "10", "100", "b3", "07", "7/2"])(
    "version %s, with 7 held, concludes nothing",
    (version) => {
      const step = transition(watching({ probing: "7" }), answer(version), HALF);
      expect(kinds(step)).toEqual(["probeLater"]);
    },
  );

  test("events that overtake the answer are no sign of a server that went back", () => {
    const step = run(
      watching({ probing: "7" }),
      [{ kind: "event", resourceVersion: "20" }, NOW],
      [answer("19"), NOW + 10],
    );
    expect(kinds(step)).toEqual(["probeLater"]);
  });

  test("that fail are tried again after the failure pause, and end no watch", () => {
    let state: State = watching({ probing: "7" });
    const ceilings: number[] = [];
    for (let i = 0; i < 7; i++) {
      const step = transition(state, refused, { now: NOW, random: 0.999999 });
      ceilings.push(Math.round(effect(step, "probeLater").delayMs));
      expect(step.state.kind).toBe("watching");
      // An event meanwhile does not put it off: the version is still to be asked for.
      const again = run(
        step.state,
        [{ kind: "event", resourceVersion: "8" }, NOW],
        [{ kind: "probeDue" }, NOW],
      );
      expect(kinds(again)).toEqual(["probe"]);
      ({ state } = again);
    }
    expect(ceilings).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  });

  test.each(["", "0"])("an answer of version %j is a failure", (version) => {
    const step = transition(watching({ probing: "7" }), answer(version), HALF);
    expect(effect(step, "probeLater").delayMs).toBe(125);
    expect(step.state).toMatchObject({ probing: undefined, probeFailures: { count: 1 } });
  });

  test("an interval of nothing still makes no loop", () => {
    const limits = { ...LIMITS, probeAfterMs: 0 };
    const opened = transition(
      { kind: "opening", memory: memory({ limits }) },
      { kind: "opened" },
      HALF,
    );
    expect(effect(opened, "probeLater").delayMs).toBe(50);
  });
});

describe("versions", () => {
  test.each([
    ["9", "10", true],
    ["10", "9", false],
    ["10", "10", false],
    ["9007199254740992", "9007199254740993", true],
    ["99999999999999999999999", "100000000000000000000000", true],
    ["", "10", false],
    ["0", "10", false],
    ["009", "10", false],
    ["9a", "10", false],
    ["-1", "10", false],
    ["9", "a", false],
  ])("%s is older than %s: %s", (version, other, isOlder) => {
    expect(isOlderVersion(version, other)).toBe(isOlder);
  });
});
