import type { FaultCode } from "../model/fault.ts";

/** The numbers of an election. */
export interface LeaseLimits {
  /** How long others leave a Lease alone that they do not see renewed, in whole seconds' worth of milliseconds. */
  readonly leaseDurationMs: number;
  /** How long a leader may write after the start of its last successful renewal; less than `leaseDurationMs`. */
  readonly renewDeadlineMs: number;
  /** The longest pause between two tries, of a leader and of a standby alike; less than `renewDeadlineMs`. */
  readonly retryPeriodMs: number;
}

/** What Kubernetes' own controllers use: 15 s, 10 s, 2 s. */
export const DEFAULT_LEASE_LIMITS: LeaseLimits = {
  leaseDurationMs: 15_000,
  renewDeadlineMs: 10_000,
  retryPeriodMs: 2_000,
};

/** A Lease as one answer of the server showed it. Times are the holder's and only compared for equality. */
export interface LeaseRecord {
  readonly resourceVersion: string;
  /** "" when nobody holds it. */
  readonly holder: string;
  /** What its holder asks others to wait; 0 when it does not say. */
  readonly durationMs: number;
  readonly transitions: number;
  readonly acquireTime: string;
  readonly renewTime: string;
}

/** One instant on our own two clocks, in milliseconds. */
export interface Instant {
  /** Monotonic; does not step, but may stand still while a machine is suspended. */
  readonly now: number;
  /** Wall clock; may step. */
  readonly wall: number;
}

/** What a write makes of the Lease, apart from its renew time. */
export interface Claim {
  readonly holder: string;
  readonly transitions: number;
  /** Whether the holder is new: it is acquired now, and not only renewed. */
  readonly isNew: boolean;
}

/** Where a candidate stands. One thing is under way: a request, or else a timer. */
export interface LeaseState {
  readonly identity: string;
  readonly limits: LeaseLimits;
  /** What the server last showed; undefined before that, and when it had no such Lease. */
  readonly seen: LeaseRecord | undefined;
  /** Until when, monotonic, another may hold the Lease: its duration after we saw it change. */
  readonly rivalUntil: number;
  /** When the request began that last made or kept us leader; undefined when we are not. */
  readonly fence: Instant | undefined;
  /** The request under way. */
  readonly asked: { readonly kind: "read" | "write"; readonly at: Instant } | undefined;
  /** Whether this round has looked a second time already, after its write was refused. */
  readonly lookedAgain: boolean;
}

/** What happened. */
export type LeaseInput =
  /** The wait is over. */
  | { readonly kind: "timer" }
  /** The Lease was read. */
  | { readonly kind: "found"; readonly record: LeaseRecord }
  /** There is no such Lease. */
  | { readonly kind: "missing" }
  /** Our write was accepted. */
  | { readonly kind: "written"; readonly record: LeaseRecord }
  /** The request was refused, or not answered. */
  | { readonly kind: "failed"; readonly code: FaultCode; readonly retryAfterMs?: number };

/** Why a leader is none any more: it could not renew in time, or another took the Lease. */
export type LossReason = "deadline" | "taken";

/** What is to be done. The first three start what is then under way. */
export type LeaseEffect =
  | { readonly kind: "read"; readonly timeoutMs: number }
  /** Creates when `over` is undefined, else replaces that very version. */
  | {
      readonly kind: "write";
      readonly claim: Claim;
      readonly over: LeaseRecord | undefined;
      readonly timeoutMs: number;
    }
  | { readonly kind: "wait"; readonly delayMs: number }
  | { readonly kind: "elected" }
  | { readonly kind: "lost"; readonly reason: LossReason; readonly holder: string };

/** The next state and what to do on the way. */
export interface LeaseStep {
  readonly state: LeaseState;
  readonly effects: readonly LeaseEffect[];
}
