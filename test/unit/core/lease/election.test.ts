import { describe, expect, test } from "@jest/globals";
import {
  checkLimits,
  isLeading,
  mayWrite,
  startElection,
  transition,
} from "../../../../src/core/lease/election.ts";
import {
  DEFAULT_LEASE_LIMITS,
  type LeaseEffect,
  type LeaseInput,
  type LeaseRecord,
  type LeaseState,
} from "../../../../src/core/lease/state.ts";

const ME = "me";
const WALL = 1_000_000_000;

/** A Lease of `holder`, in its `version`th version. */
function lease(holder: string, version = 1, over: Partial<LeaseRecord> = {}): LeaseRecord {
  return {
    resourceVersion: String(version),
    holder,
    durationMs: 15_000,
    transitions: 4,
    acquireTime: "acquired",
    renewTime: `renewed ${version}`,
    ...over,
  };
}

/** A candidate that a test drives along its clock. */
class Candidate {
  state: LeaseState;
  effects: readonly LeaseEffect[];

  constructor() {
    const step = startElection(ME, DEFAULT_LEASE_LIMITS, { now: 0, wall: WALL });
    this.state = step.state;
    this.effects = step.effects;
  }

  input(now: number, input: LeaseInput, wall: number = WALL + now): readonly LeaseEffect[] {
    const step = transition(this.state, input, { now, wall, random: 1 - Number.EPSILON });
    this.state = step.state;
    this.effects = step.effects;
    return this.effects;
  }

  mayWrite(now: number, wall: number = WALL + now): boolean {
    return mayWrite(this.state, { now, wall });
  }

  /** Elected over a free Lease by a request that began at 10 and was answered at 30. */
  static leading(): Candidate {
    const candidate = new Candidate();
    candidate.input(10, { kind: "found", record: lease("", 1) });
    candidate.input(30, { kind: "written", record: lease(ME, 2) });
    return candidate;
  }
}

const timer: LeaseInput = { kind: "timer" };
const conflict: LeaseInput = { kind: "failed", code: "conflict" };
const away: LeaseInput = { kind: "failed", code: "connection" };

describe("a candidate", () => {
  test("looks first", () => {
    expect(new Candidate().effects).toEqual([{ kind: "read", timeoutMs: 5_000 }]);
  });

  test("makes a Lease that is missing, and leads once that is answered", () => {
    const candidate = new Candidate();
    expect(candidate.input(10, { kind: "missing" })).toEqual([
      {
        kind: "write",
        claim: { holder: ME, transitions: 0, isNew: true },
        over: undefined,
        timeoutMs: 5_000,
      },
    ]);
    expect(isLeading(candidate.state)).toBe(false);
    expect(candidate.mayWrite(20)).toBe(false);
    expect(candidate.input(30, { kind: "written", record: lease(ME) })).toEqual([
      { kind: "elected" },
      { kind: "wait", delayMs: expect.closeTo(1_900) },
    ]);
    expect(isLeading(candidate.state)).toBe(true);
  });

  test("takes a Lease that nobody holds at once, whatever its duration says, and counts the transition", () => {
    const candidate = new Candidate();
    const free = lease("", 7, { durationMs: 60_000 });
    expect(candidate.input(10, { kind: "found", record: free })).toEqual([
      {
        kind: "write",
        claim: { holder: ME, transitions: 5, isNew: true },
        over: free,
        timeoutMs: 5_000,
      },
    ]);
  });

  test("leaves another's Lease alone for its duration after it last saw it change", () => {
    const candidate = new Candidate();
    const waits = { kind: "wait", delayMs: expect.closeTo(1_900) };
    expect(candidate.input(10, { kind: "found", record: lease("other", 1) })).toEqual([waits]);
    candidate.input(2_000, timer);
    expect(candidate.input(2_010, { kind: "found", record: lease("other", 2) })).toEqual([waits]);
    candidate.input(17_000, timer);
    // 10 ms are left: no need to wait longer.
    expect(candidate.input(17_000, { kind: "found", record: lease("other", 2) })).toEqual([
      { kind: "wait", delayMs: 50 },
    ]);
    candidate.input(17_011, timer);
    expect(candidate.input(17_011, { kind: "found", record: lease("other", 2) })).toEqual([
      {
        kind: "write",
        claim: { holder: ME, transitions: 5, isNew: true },
        over: lease("other", 2),
        timeoutMs: 5_000,
      },
    ]);
  });

  test("does not take an edited label for a renewal", () => {
    const candidate = new Candidate();
    candidate.input(0, { kind: "found", record: lease("other", 1) });
    candidate.input(15_000, timer);
    const relabelled = { ...lease("other", 1), resourceVersion: "9" };
    const effects = candidate.input(15_000, { kind: "found", record: relabelled });
    expect(effects).toMatchObject([{ kind: "write", over: { resourceVersion: "9" } }]);
  });

  test("grants another the duration that this one asks for, and its own where none is asked for", () => {
    for (const [durationMs, until] of [
      [40_000, 40_000],
      [0, 15_000],
    ] as const) {
      const candidate = new Candidate();
      const record = lease("other", 1, { durationMs });
      candidate.input(0, { kind: "found", record });
      candidate.input(until - 1, timer);
      expect(candidate.input(until - 1, { kind: "found", record })).toMatchObject([
        { kind: "wait" },
      ]);
      candidate.input(until, timer);
      expect(candidate.input(until, { kind: "found", record })).toMatchObject([{ kind: "write" }]);
    }
  });

  test("does not take a Lease that was deleted, or turned back to it, before its last holder's time is over", () => {
    for (const input of [
      { kind: "missing" },
      { kind: "found", record: lease(ME, 1) },
    ] satisfies LeaseInput[]) {
      const candidate = new Candidate();
      candidate.input(0, { kind: "found", record: lease("other", 1) });
      candidate.input(2_000, timer);
      expect(candidate.input(2_000, input)).toMatchObject([{ kind: "wait" }]);
      candidate.input(15_000, timer);
      expect(candidate.input(15_000, input)).toMatchObject([{ kind: "write" }]);
    }
  });

  test("waits when another was quicker, and when the server is away or asks for a pause", () => {
    const candidate = new Candidate();
    candidate.input(10, { kind: "found", record: lease("") });
    expect(candidate.input(20, conflict)).toEqual([
      { kind: "wait", delayMs: expect.closeTo(1_900) },
    ]);
    candidate.input(2_000, timer);
    expect(candidate.input(2_000, away)).toEqual([
      { kind: "wait", delayMs: expect.closeTo(1_900) },
    ]);
    candidate.input(4_000, timer);
    expect(
      candidate.input(4_000, { kind: "failed", code: "too-many-requests", retryAfterMs: 9_000 }),
    ).toEqual([{ kind: "wait", delayMs: 9_000 }]);
  });

  test("is not made leader by an answer to what it asked too long ago", () => {
    const candidate = new Candidate();
    candidate.input(10, { kind: "found", record: lease("") });
    expect(candidate.input(10_010, { kind: "written", record: lease(ME, 2) })).toEqual([
      { kind: "read", timeoutMs: 5_000 },
    ]);
    expect(isLeading(candidate.state)).toBe(false);
    expect(candidate.mayWrite(10_010)).toBe(false);
    expect(candidate.input(10_020, { kind: "found", record: lease(ME, 2) })).toMatchObject([
      { kind: "write", claim: { transitions: 4, isNew: false } },
    ]);
  });
});

describe("a leader", () => {
  test("may write until the renew deadline after the start of the request, and not from its answer", () => {
    const leader = Candidate.leading();
    expect(leader.mayWrite(30)).toBe(true);
    expect(leader.mayWrite(10_009)).toBe(true);
    expect(leader.mayWrite(10_010)).toBe(false);
  });

  test("renews without looking, over the version that it wrote", () => {
    const leader = Candidate.leading();
    expect(leader.input(2_000, timer)).toEqual([
      {
        kind: "write",
        claim: { holder: ME, transitions: 4, isNew: false },
        over: lease(ME, 2),
        timeoutMs: 5_000,
      },
    ]);
    expect(leader.input(2_020, { kind: "written", record: lease(ME, 3) })).toEqual([
      { kind: "wait", delayMs: expect.closeTo(1_900) },
    ]);
    expect(leader.mayWrite(11_999)).toBe(true);
    expect(leader.mayWrite(12_000)).toBe(false);
  });

  test("tries until the deadline, never past it, and has then lost", () => {
    const leader = Candidate.leading();
    leader.input(8_500, timer);
    expect(leader.effects).toMatchObject([{ kind: "write", timeoutMs: 1_510 }]);
    expect(
      leader.input(8_600, { kind: "failed", code: "too-many-requests", retryAfterMs: 30_000 }),
    ).toEqual([{ kind: "wait", delayMs: 1_410 }]);
    expect(leader.input(10_010, timer)).toEqual([
      { kind: "lost", reason: "deadline", holder: ME },
      { kind: "read", timeoutMs: 5_000 },
    ]);
    expect(isLeading(leader.state)).toBe(false);
  });

  test("that slept past its deadline has lost, whatever it wakes to", () => {
    for (const input of [
      timer,
      away,
      conflict,
      { kind: "written", record: lease(ME, 3) },
      { kind: "missing" },
    ] satisfies LeaseInput[]) {
      const leader = Candidate.leading();
      leader.input(2_000, timer);
      expect(leader.input(60_000, input)).toContainEqual(
        expect.objectContaining({ kind: "lost", reason: "deadline" }),
      );
      expect(leader.mayWrite(60_000)).toBe(false);
    }
  });

  test("that is refused looks at once, renews over its own Lease, and has lost another's", () => {
    const own = Candidate.leading();
    own.input(2_000, timer);
    expect(own.input(2_010, conflict)).toEqual([{ kind: "read", timeoutMs: 5_000 }]);
    expect(own.input(2_020, { kind: "found", record: lease(ME, 8) })).toMatchObject([
      { kind: "write", over: { resourceVersion: "8" } },
    ]);
    // Refused again: not at once a third time.
    expect(own.input(2_030, conflict)).toMatchObject([{ kind: "wait" }]);
    expect(own.mayWrite(2_030)).toBe(true);

    for (const holder of ["other", ""]) {
      const leader = Candidate.leading();
      leader.input(2_000, timer);
      leader.input(2_010, conflict);
      expect(leader.input(2_020, { kind: "found", record: lease(holder, 8) })).toEqual([
        { kind: "lost", reason: "taken", holder },
        { kind: "wait", delayMs: expect.closeTo(1_900) },
      ]);
      expect(leader.mayWrite(2_020)).toBe(false);
    }
  });

  test("makes a Lease anew that was deleted under it", () => {
    const leader = Candidate.leading();
    leader.input(2_000, timer);
    leader.input(2_010, { kind: "failed", code: "not-found" });
    expect(leader.input(2_020, { kind: "missing" })).toMatchObject([
      { kind: "write", over: undefined },
    ]);
    expect(leader.input(2_030, { kind: "written", record: lease(ME, 9) })).toMatchObject([
      { kind: "wait" },
    ]);
  });

  test("holds its writes after the wall clock went ahead of the monotonic one, and goes on with the next renewal", () => {
    const leader = Candidate.leading();
    const ahead = WALL + 3_600_000;
    expect(leader.mayWrite(1_000, ahead)).toBe(false);
    leader.input(1_900, timer, ahead);
    expect(leader.input(1_910, { kind: "written", record: lease(ME, 3) }, ahead)).toMatchObject([
      { kind: "wait" },
    ]);
    expect(leader.mayWrite(1_910, ahead)).toBe(true);
  });

  test("is not helped by a wall clock that went back", () => {
    const leader = Candidate.leading();
    expect(leader.mayWrite(5_000, WALL - 3_600_000)).toBe(true);
    expect(leader.mayWrite(10_010, WALL - 3_600_000)).toBe(false);
  });
});

describe("limits", () => {
  test.each([
    [{ renewDeadlineMs: 15_000 }, "renewDeadline is 15000 ms, but must be less than leaseDuration"],
    [{ retryPeriodMs: 6_000 }, "retryPeriod is 6000 ms, but must be at most half of renewDeadline"],
    [{ retryPeriodMs: 0 }, "retryPeriod is 0 ms, but must be at least 50 ms"],
    [{ leaseDurationMs: 15_500 }, "leaseDuration is 15500 ms, but must be whole seconds"],
    [{ leaseDurationMs: Number.NaN }, "leaseDuration is NaN ms"],
    [{ renewDeadlineMs: Number.NaN }, "renewDeadline is NaN ms"],
  ])("%j are refused", (over, message) => {
    expect(() => checkLimits({ ...DEFAULT_LEASE_LIMITS, ...over })).toThrow(message);
  });

  test("the usual ones are not", () => {
    expect(() => checkLimits(DEFAULT_LEASE_LIMITS)).not.toThrow();
  });
});
