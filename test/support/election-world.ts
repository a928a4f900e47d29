import { mayWrite, startElection, transition } from "../../src/core/lease/election.ts";
import {
  DEFAULT_LEASE_LIMITS,
  type Instant,
  type LeaseEffect,
  type LeaseInput,
  type LeaseRecord,
  type LeaseState,
  type LeaseStep,
} from "../../src/core/lease/state.ts";

/** What becomes of one request: when it reaches the server and its answer the candidate, in ms; `lost` never arrives. */
export interface Fate {
  readonly upMs: number;
  readonly downMs: number;
  readonly lost: "nothing" | "request" | "answer";
}

/** What befalls a candidate at a time. */
export type Trouble = { readonly atMs: number; readonly who: number } & (
  | {
      /** The process stands still. With `suspends`, its monotonic clock does too; the wall clock never. */
      readonly kind: "pause";
      readonly forMs: number;
      readonly suspends: boolean;
      /** Whether on waking it hears answers before timers. */
      readonly answersFirst: boolean;
    }
  | { readonly kind: "partition"; readonly forMs: number }
  | { readonly kind: "wall step"; readonly byMs: number }
  /** Killed and started anew, as somebody else. */
  | { readonly kind: "kill" }
  /** Stopped, its Lease released, and started anew. */
  | { readonly kind: "release" }
  /** Somebody edits a label of the Lease. */
  | { readonly kind: "edit" }
);

/** How a candidate's monotonic clock runs. */
export interface Quartz {
  readonly offsetMs: number;
  readonly rate: number;
}

const GOOD: Fate = { upMs: 5, downMs: 5, lost: "nothing" };

interface Pending {
  readonly run: () => void;
  readonly order: number;
  dueMs: number;
}

/** Candidates, the network and an API server that holds one Lease, along one true time that none of them knows. */
export class ElectionWorld {
  timeMs = 0;
  /** Every instant at which two candidates might have begun a write. */
  readonly violations: string[] = [];
  elections = 0;
  readonly candidates: SimulatedCandidate[];
  readonly #fates: readonly Fate[];
  #fate = 0;
  #calm = false;
  #order = 0;
  #pending: Pending[] = [];
  #version = 1;
  #lease: LeaseRecord | undefined;

  constructor(quartzes: readonly Quartz[], troubles: readonly Trouble[], fates: readonly Fate[]) {
    this.#fates = fates;
    this.candidates = quartzes.map((quartz, index) => new SimulatedCandidate(this, index, quartz));
    for (const trouble of troubles) {
      this.at(trouble.atMs, () => {
        if (trouble.kind === "edit") this.#edit();
        else this.candidates[trouble.who % this.candidates.length]?.suffer(trouble);
      });
    }
    for (const candidate of this.candidates) candidate.start();
  }

  /** Who may write now. */
  writers(): SimulatedCandidate[] {
    return this.candidates.filter((candidate) => candidate.mayWrite());
  }

  /** From now on every request is answered at once. */
  calm(): void {
    this.#calm = true;
  }

  nextFate(): Fate {
    if (this.#calm) return GOOD;
    return this.#fates[this.#fate++ % this.#fates.length] ?? GOOD;
  }

  at(dueMs: number, run: () => void): Pending {
    const pending = { dueMs, run, order: this.#order++ };
    this.#pending.push(pending);
    return pending;
  }

  /** Lets everything happen up to `endMs`. */
  runUntil(endMs: number): void {
    for (;;) {
      let next: Pending | undefined;
      for (const each of this.#pending) {
        const isSooner =
          next === undefined ||
          each.dueMs < next.dueMs ||
          (each.dueMs === next.dueMs && each.order < next.order);
        if (isSooner) next = each;
      }
      if (next === undefined || next.dueMs > endMs) break;
      this.#pending = this.#pending.filter((each) => each !== next);
      this.timeMs = Math.max(this.timeMs, next.dueMs);
      next.run();
      this.check();
    }
    this.timeMs = endMs;
    this.check();
  }

  check(): void {
    const writers = this.writers();
    if (writers.length > 1) {
      this.violations.push(`${this.timeMs}: ${writers.map((each) => each.identity).join(", ")}`);
    }
  }

  /** The server's part of a request. */
  serve(effect: Extract<LeaseEffect, { kind: "read" | "write" }>, renewTime: string): LeaseInput {
    const lease = this.#lease;
    if (effect.kind === "read") {
      return lease === undefined ? { kind: "missing" } : { kind: "found", record: lease };
    }
    const { over, claim } = effect;
    if (over === undefined && lease !== undefined) {
      return { kind: "failed", code: "already-exists" };
    }
    if (over !== undefined && lease?.resourceVersion !== over.resourceVersion) {
      return { kind: "failed", code: lease === undefined ? "not-found" : "conflict" };
    }
    const record: LeaseRecord = {
      resourceVersion: String(++this.#version),
      holder: claim.holder,
      durationMs: DEFAULT_LEASE_LIMITS.leaseDurationMs,
      transitions: claim.transitions,
      acquireTime: claim.isNew ? renewTime : (over?.acquireTime ?? ""),
      renewTime,
    };
    this.#lease = record;
    return { kind: "written", record };
  }

  release(identity: string): void {
    if (this.#lease?.holder !== identity) return;
    const resourceVersion = String(++this.#version);
    this.#lease = { ...this.#lease, resourceVersion, holder: "", renewTime: "released" };
  }

  #edit(): void {
    if (this.#lease === undefined) return;
    this.#lease = { ...this.#lease, resourceVersion: String(++this.#version) };
  }
}

/** A process that campaigns: the pure machine, with its clocks and its network. */
export class SimulatedCandidate {
  identity = "";
  readonly #world: ElectionWorld;
  readonly #index: number;
  readonly #quartz: Quartz;
  #lives = 0;
  #stamps = 0;
  #state: LeaseState | undefined;
  #wallMs = 1_700_000_000_000;
  #suspendedMs = 0;
  #pause: { readonly fromMs: number; readonly suspends: boolean } | undefined;
  #partitionedUntil = 0;
  /** What came while it stood still. */
  #asleep: { readonly kind: "answer" | "timer"; readonly run: () => void }[] = [];
  /** Counts the things under way, so that what comes from an old one is dropped. */
  #current = 0;
  #timers: Pending[] = [];

  constructor(world: ElectionWorld, index: number, quartz: Quartz) {
    this.#world = world;
    this.#index = index;
    this.#quartz = quartz;
  }

  start(): void {
    this.identity = `c${this.#index}.${this.#lives++}`;
    this.#take(startElection(this.identity, DEFAULT_LEASE_LIMITS, this.#now()));
  }

  /** Whether it could begin a write at this instant; it cannot while it stands still. */
  mayWrite(): boolean {
    return (
      this.#state !== undefined && this.#pause === undefined && mayWrite(this.#state, this.#now())
    );
  }

  suffer(trouble: Exclude<Trouble, { kind: "edit" }>): void {
    const world = this.#world;
    switch (trouble.kind) {
      case "pause": {
        if (this.#pause !== undefined) return;
        const pause = { fromMs: world.timeMs, suspends: trouble.suspends };
        this.#pause = pause;
        if (trouble.suspends) for (const timer of this.#timers) timer.dueMs += trouble.forMs;
        world.at(world.timeMs + trouble.forMs, () => {
          if (this.#pause === pause) this.#wake(trouble.answersFirst);
        });
        return;
      }
      case "partition":
        this.#partitionedUntil = world.timeMs + trouble.forMs;
        return;
      case "wall step":
        this.#wallMs += trouble.byMs;
        return;
      case "release":
        if (this.#pause !== undefined) return;
        world.release(this.identity);
        this.start();
        return;
      case "kill":
        this.#endPause();
        this.#asleep = [];
        this.start();
        return;
      default:
        trouble satisfies never;
    }
  }

  #wake(answersFirst: boolean): void {
    this.#endPause();
    // What it was about to do, it does before it hears of anything.
    this.#world.check();
    const first = answersFirst ? "answer" : "timer";
    const asleep = this.#asleep.toSorted(
      (a, b) => Number(b.kind === first) - Number(a.kind === first),
    );
    this.#asleep = [];
    for (const each of asleep) {
      each.run();
      this.#world.check();
    }
  }

  #endPause(): void {
    if (this.#pause?.suspends === true) {
      this.#suspendedMs += this.#world.timeMs - this.#pause.fromMs;
    }
    this.#pause = undefined;
  }

  #now(): Instant {
    const frozenAt = this.#pause?.suspends === true ? this.#pause.fromMs : undefined;
    const time = (frozenAt ?? this.#world.timeMs) - this.#suspendedMs;
    return {
      now: time * this.#quartz.rate + this.#quartz.offsetMs,
      wall: this.#world.timeMs + this.#wallMs,
    };
  }

  #take(step: LeaseStep): void {
    this.#state = step.state;
    for (const effect of step.effects) {
      if (effect.kind === "elected") this.#world.elections++;
      else if (effect.kind === "wait") this.#timer(effect.delayMs, { kind: "timer" });
      else if (effect.kind !== "lost") this.#ask(effect);
    }
  }

  #ask(effect: Extract<LeaseEffect, { kind: "read" | "write" }>): void {
    const world = this.#world;
    const fate = world.nextFate();
    const renewTime = `${this.identity}#${this.#stamps++}`;
    const current = this.#timer(effect.timeoutMs, { kind: "failed", code: "timeout" });
    if (world.timeMs < this.#partitionedUntil || fate.lost === "request") return;
    world.at(world.timeMs + fate.upMs, () => {
      const answer = world.serve(effect, renewTime);
      if (fate.lost === "answer") return;
      world.at(world.timeMs + fate.downMs, () => this.#hear("answer", current, answer));
    });
  }

  /** What is under way from now on ends with `input` after `delayMs`, unless something ends it before. */
  #timer(delayMs: number, input: LeaseInput): number {
    const current = ++this.#current;
    const timer = this.#world.at(this.#world.timeMs + delayMs / this.#quartz.rate, () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
      this.#hear("timer", current, input);
    });
    this.#timers.push(timer);
    return current;
  }

  #hear(kind: "answer" | "timer", current: number, input: LeaseInput): void {
    const run = (): void => {
      if (current !== this.#current || this.#state === undefined) return;
      const random = (this.#current * 0.618) % 1;
      this.#take(transition(this.#state, input, { ...this.#now(), random }));
    };
    if (this.#pause === undefined) run();
    else this.#asleep.push({ kind, run });
  }
}
