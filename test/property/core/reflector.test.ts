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

/** Drives the machine, where a wait passes whole unless a move comes early; gives the last state and the rules broken. */
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
    for (const effect of effects) if (effect.kind === "wait") waitMs = effect.delayMs;
    onStep({ step: { state, effects }, now, before, input: input.kind, must });
  };
  for (const { input, early, afterMs, random } of history) {
    if (state.kind === "waiting" && !early) {
      now += waitMs;
      take({ kind: "timer" }, random);
    }
    now += afterMs;
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
        // 50 ms buy a request; so do a new page, the step from a whole list to its watch, and the owner's wish.
        credit += (now - last) / 50;
        last = now;
        if (before.kind === "listing" && ["listing", "opening"].includes(step.state.kind)) credit++;
        if (input === "relist") credit++;
        if (step.effects.some((effect) => effect.kind === "list" || effect.kind === "watch")) {
          requests++;
        }
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
