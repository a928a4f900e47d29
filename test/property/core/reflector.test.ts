import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { Fault, type FaultCode } from "../../../src/core/model/fault.ts";
import { start, transition } from "../../../src/core/reflector/machine.ts";
import {
  DEFAULT_LIMITS,
  type Effect,
  type Input,
  type State,
  type Step,
} from "../../../src/core/reflector/state.ts";

/** What a server or the owner may do next, and how long it takes. Any of it may come at any time. */
interface Move {
  readonly input: Input;
  /** Whether it comes while a wait is under way, rather than after. */
  readonly early: boolean;
  readonly afterMs: number;
  readonly random: number;
}

const codes: fc.Arbitrary<FaultCode> = fc.constantFrom(
  "gone",
  "connection",
  "forbidden",
  "unauthorized",
  "not-found",
  "timeout",
  "server-error",
  "malformed",
  "bad-request",
  "too-many-requests",
);

const versions = fc.constantFrom("", "0", "5", "6", "7");

const inputs: fc.Arbitrary<Input> = fc.oneof(
  fc.record({
    kind: fc.constant("page" as const),
    resourceVersion: versions,
    continueToken: fc.constantFrom("", "", "a", "b"),
  }),
  fc.constant<Input>({ kind: "opened" }),
  fc.record({
    kind: fc.constantFrom("event" as const, "bookmark" as const),
    resourceVersion: versions,
  }),
  fc.constant<Input>({ kind: "ended" }),
  codes.map((code): Input => ({ kind: "failed", fault: new Fault(code, "x") })),
  fc.constant<Input>({
    kind: "failed",
    fault: new Fault("timeout", "x", { reason: "ResourceVersionTooLarge" }),
  }),
  fc.constant<Input>({ kind: "silence" }),
  fc.constant<Input>({ kind: "probeDue" }),
  fc.record({ kind: fc.constant("probed" as const), resourceVersion: versions }),
  codes.map((code): Input => ({ kind: "probeFailed", fault: new Fault(code, "x") })),
  fc.constant<Input>({ kind: "relist" }),
);

const moves: fc.Arbitrary<Move> = fc.record({
  input: inputs,
  early: fc.boolean(),
  afterMs: fc.constantFrom(0, 0, 0, 1, 100, 6_000, 70_000),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});

const histories = fc.array(moves, { maxLength: 200 });

/** One step of a history. */
interface Moment {
  readonly step: Step;
  readonly now: number;
  readonly before: State;
  readonly input: Input["kind"] | "start";
  /** Notes `otherwise` unless the rule holds. */
  readonly must: (holds: boolean, otherwise: string) => void;
}

/**
 * Drives the machine, where a wait passes whole unless a move comes early, and a probe is answered, or falls due
 * after its delay, only where one was sent or put off; gives the last state and the rules broken. */
function play(
  history: readonly Move[],
  onStep: (moment: Moment) => void,
): { readonly state: State; readonly broken: readonly string[] } {
  const broken: string[] = [];
  const must: Moment["must"] = (holds, otherwise) => {
    if (!holds) broken.push(otherwise);
  };
  let now = 1_000;
  let waitMs = 0;
  let dueAt = 0;
  let { state, effects } = start(DEFAULT_LIMITS);
  onStep({
    step: { state, effects },
    now,
    before: { kind: "stopped", memory: state.memory },
    input: "start",
    must,
  });
  const take = (input: Input, random: number): void => {
    const before = state;
    ({ state, effects } = transition(state, input, { now, random }));
    for (const effect of effects) {
      if (effect.kind === "wait") waitMs = effect.delayMs;
      if (effect.kind === "probeLater") dueAt = now + effect.delayMs;
    }
    onStep({ step: { state, effects }, now, before, input: input.kind, must });
  };
  for (const { input, early, afterMs, random } of history) {
    if (state.kind === "waiting" && !early) {
      now += waitMs;
      take({ kind: "timer" }, random);
    }
    now += afterMs;
    const isProbing = state.kind === "watching" && state.probing !== undefined;
    if (input.kind === "probeDue") {
      if (state.kind !== "watching" || isProbing) continue;
      now = Math.max(now, dueAt);
    }
    if ((input.kind === "probed" || input.kind === "probeFailed") && !isProbing) continue;
    take(input, random);
  }
  return { state, broken };
}

function kinds(effects: readonly Effect[]): Effect["kind"][] {
  return effects.map((effect) => effect.kind);
}

test("lists are bracketed, and synced comes only with a last page", () => {
  fc.assert(
    fc.property(histories, (history) => {
      let isListing = false;
      let wasSynced = false;
      const { broken } = play(history, ({ step, before, must }) => {
        for (const effect of step.effects) {
          const opens = effect.kind === "beginList";
          const closes = effect.kind === "endList" || effect.kind === "abandonList";
          if (opens || closes) {
            must(isListing === closes, `${effect.kind} out of order`);
            isListing = opens;
          }
        }
        must(isListing === (step.state.kind === "listing"), "an open list outside of listing");
        const { synced } = step.state.memory;
        const ends = kinds(step.effects).includes("endList");
        must(!ends || before.kind === "listing", "a list ended that was not under way");
        must(synced === (wasSynced || ends), "synced without a whole list, or lost");
        wasSynced = synced;
      });
      expect(broken).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test("exactly one thing is under way, and no watch starts before a whole list or from version 0", () => {
  fc.assert(
    fc.property(histories, (history) => {
      const { broken } = play(history, ({ step, must }) => {
        const started = step.effects.filter((effect) =>
          ["list", "watch", "wait"].includes(effect.kind),
        );
        must(started.length <= 1, "two things at once");
        must(started.length === 0 || step.effects.at(-1) === started[0], "not the last effect");
        for (const effect of started) mustBeSafe(effect, step.state, must);
      });
      expect(broken).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test("beside an open watch there is always one probe or the timer for one, and elsewhere neither", () => {
  fc.assert(
    fc.property(histories, (history) => {
      let beside: "probe" | "timer" | "nothing" = "nothing";
      const { broken } = play(history, ({ step, input, must }) => {
        if (step.state.kind !== "watching") beside = "nothing";
        if (input === "probeDue" || input === "probed" || input === "probeFailed") {
          beside = "nothing";
        }
        for (const effect of step.effects) {
          if (effect.kind !== "probe" && effect.kind !== "probeLater") continue;
          must(beside === "nothing", `${effect.kind} beside a ${beside}`);
          must(step.effects.at(-1) === effect, "not the last effect");
          beside = effect.kind === "probe" ? "probe" : "timer";
          if (effect.kind === "probeLater") must(effect.delayMs >= 50, "a probe too soon");
        }
        must((step.state.kind === "watching") === (beside !== "nothing"), `${beside} beside`);
        const isProbing = step.state.kind === "watching" && step.state.probing !== undefined;
        must(isProbing === (beside === "probe"), `probing with ${beside} beside`);
      });
      expect(broken).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test("the version held goes back only by a list", () => {
  fc.assert(
    fc.property(histories, (history) => {
      const { broken } = play(history, ({ step, before, must }) => {
        const [was, is] = [before.memory.resourceVersion, step.state.memory.resourceVersion];
        must(before.kind === "listing" || Number(is) >= Number(was), `${is} after ${was}`);
      });
      expect(broken).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test("a server that was restored is listed anew within 20 s of its return", () => {
  const outage = fc.record({
    outageMs: fc.integer({ min: 1, max: 60_000 }),
    watchedMs: fc.integer({ min: 0, max: 200_000 }),
    held: fc.integer({ min: 2, max: 1_000_000 }),
    lost: fc.integer({ min: 1, max: 1_000_000 }),
    /** The first probe is lost, and found to be so at its deadline. */
    losesProbe: fc.boolean(),
    codes: fc.array(fc.constantFrom<FaultCode>("connection", "timeout", "unavailable")),
    // Not below 0.1, where an outage is a thousand attempts of 50 ms.
    randoms: fc.array(fc.double({ min: 0.1, max: 1, maxExcluded: true, noNaN: true }), {
      minLength: 1,
    }),
  });
  fc.assert(
    fc.property(
      outage,
      ({ outageMs, watchedMs, held, lost, losesProbe, codes: kindsOf, randoms }) => {
        const restored = Math.max(1, held - lost);
        let now = 0;
        let drawn = 0;
        let step = start(DEFAULT_LIMITS);
        const take = (input: Input): void => {
          step = transition(step.state, input, {
            now,
            random: randoms[drawn++ % randoms.length] ?? 0,
          });
        };
        const pass = (): void => {
          for (const effect of step.effects) if (effect.kind === "wait") now += effect.delayMs;
        };
        take({ kind: "page", resourceVersion: String(held), continueToken: "" });
        take({ kind: "opened" });
        now += watchedMs;
        const back = now + outageMs;
        let failures = 0;
        for (;;) {
          const code = kindsOf[failures++ % Math.max(1, kindsOf.length)] ?? "connection";
          take({ kind: "failed", fault: new Fault(code, "away") });
          pass();
          take({ kind: "timer" });
          if (now >= back) break;
        }
        take({ kind: "opened" });
        expect(kinds(step.effects)).toEqual(["probe"]);
        if (losesProbe) {
          now += DEFAULT_LIMITS.probeDeadlineMs;
          take({ kind: "probeFailed", fault: new Fault("timeout", "no answer") });
          for (const effect of step.effects)
            if (effect.kind === "probeLater") now += effect.delayMs;
          take({ kind: "probeDue" });
        }
        take({ kind: "probed", resourceVersion: String(restored) });
        expect(step.effects.at(-1)).toMatchObject({ kind: "list", resourceVersion: "" });
        expect(now - back).toBeLessThan(20_000);
      },
    ),
    { numRuns: 200 },
  );
});

function mustBeSafe(effect: Effect, state: State, must: Moment["must"]): void {
  if (effect.kind === "watch") {
    must(state.memory.synced, "a watch before a whole list");
    must(!["", "0"].includes(effect.resourceVersion), `a watch from "${effect.resourceVersion}"`);
  }
  if (effect.kind === "list") must(effect.resourceVersion !== "0", "a list from version 0");
  if (effect.kind === "wait") must(effect.delayMs >= 50, `a wait of ${effect.delayMs} ms`);
}

test("never a loop without progress or delay: requests are bounded by time, pages and whole lists", () => {
  fc.assert(
    fc.property(histories, (history) => {
      let requests = 0;
      let credit = 1;
      let last = 1_000;
      const { broken } = play(history, ({ step, now, before, input, must }) => {
        // 50 ms buy a request; so do a new page, the step from a whole list to its watch, a watch that opens (its probe),
        // and the owner's wish.
        credit += (now - last) / 50;
        last = now;
        if (before.kind === "listing" && ["listing", "opening"].includes(step.state.kind)) credit++;
        if (before.kind === "opening" && step.state.kind === "watching") credit++;
        if (input === "relist") credit++;
        if (step.effects.some(({ kind }) => ["list", "watch", "probe"].includes(kind))) requests++;
        must(requests <= credit + 1, `${requests} requests for ${credit}`);
      });
      expect(broken).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test("a server that only ever fails is asked less and less often", () => {
  fc.assert(
    fc.property(codes, fc.double({ min: 0.3, max: 0.999, noNaN: true }), (code, random) => {
      const fault = new Fault(code, "x");
      let requests = 0;
      let now = 0;
      let step = start(DEFAULT_LIMITS);
      while (now < 60_000) {
        requests += kinds(step.effects).includes("list") ? 1 : 0;
        step = transition(step.state, { kind: "failed", fault }, { now, random });
        const wait = step.effects.find((effect) => effect.kind === "wait");
        expect(wait).toBeDefined();
        now += wait?.delayMs ?? 0;
        step = transition(step.state, { kind: "timer" }, { now, random });
      }
      // Five doublings, then at least 0.3 of 5 s each.
      expect(requests).toBeLessThanOrEqual(5 + 60 / 1.5 + 1);
    }),
  );
});

test("stop is final in every state, and closes an open list", () => {
  fc.assert(
    fc.property(histories, (history) => {
      const { state } = play(history, () => {});
      const stopped = transition(state, { kind: "stop" }, { now: 1e9, random: 0.5 });
      expect(stopped.state.kind).toBe("stopped");
      expect(kinds(stopped.effects).includes("abandonList")).toBe(state.kind === "listing");
      for (const move of history) {
        expect(transition(stopped.state, move.input, { now: 1e9, random: 0.5 }).effects).toEqual(
          [],
        );
      }
    }),
  );
});
