import type { FaultCode } from "../model/fault.ts";
import type {
  Instant,
  LeaseEffect,
  LeaseInput,
  LeaseLimits,
  LeaseRecord,
  LeaseState,
  LeaseStep,
  LossReason,
} from "./state.ts";

/** The time of an input, and a number in [0, 1) for jitter. */
export interface At extends Instant {
  readonly random: number;
}

/** Less than this is never waited, so that nothing spins. */
const MIN_DELAY_MS = 50;
/** A server cannot ask a standby for a longer pause than this. */
const MAX_RETRY_AFTER_MS = 60_000;
/**
 * A pause is this share of the retry period, and up to as much more: jitter only shortens, so that a holder that dies
 * is replaced within lease duration and retry period.
 */
const PAUSE = { share: 0.7, jitter: 0.25 };

/** Throws unless the limits allow a holder to renew, and to stop before another starts; names the field and its value. */
export function checkLimits(limits: LeaseLimits): void {
  const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = limits;
  const bad = (field: string, value: number, want: string): never => {
    throw new Error(`elect a leader: ${field} is ${value} ms, but must be ${want}`);
  };
  if (!(leaseDurationMs >= 1_000) || leaseDurationMs % 1_000 !== 0) {
    bad("leaseDuration", leaseDurationMs, "whole seconds");
  }
  if (!(renewDeadlineMs < leaseDurationMs)) {
    bad("renewDeadline", renewDeadlineMs, `less than leaseDuration (${leaseDurationMs} ms)`);
  }
  if (!(retryPeriodMs * 2 <= renewDeadlineMs)) {
    bad("retryPeriod", retryPeriodMs, `at most half of renewDeadline (${renewDeadlineMs} ms)`);
  }
  if (!(retryPeriodMs >= MIN_DELAY_MS)) {
    bad("retryPeriod", retryPeriodMs, `at least ${MIN_DELAY_MS} ms`);
  }
}

/** A candidate that has not looked yet, and the first look. */
export function startElection(identity: string, limits: LeaseLimits, at: Instant): LeaseStep {
  return look(
    {
      identity,
      limits,
      seen: undefined,
      rivalUntil: Number.NEGATIVE_INFINITY,
      fence: undefined,
      asked: undefined,
      lookedAgain: false,
    },
    at,
  );
}

/** Whether we lead, as far as we know; for people. What is written asks `mayWrite`. */
export function isLeading(state: LeaseState): boolean {
  return state.fence !== undefined;
}

/**
 * Whether a write may begin: for `renewDeadlineMs` after the *start* of the last request that made or kept us leader.
 * Others wait longer than that from when they see its effect, which is later. Both clocks must agree: the monotonic one
 * is immune to steps, the wall clock goes on while a machine is suspended. A step forward only holds writes until the
 * next renewal.
 */
export function mayWrite(state: LeaseState, at: Instant): boolean {
  const { fence, limits } = state;
  return (
    fence !== undefined &&
    at.now - fence.now < limits.renewDeadlineMs &&
    at.wall - fence.wall < limits.renewDeadlineMs
  );
}

/**
 * What `input` leads to. The rules are client-go's (tools/leaderelection): the holder's clock counts for nothing, a
 * Lease is another's until we have not seen it change for its duration. Two are added: one that vanished, or turned back
 * to us, stays its last holder's for that time too; and no answer makes a leader of who asked too long ago.
 */
export function transition(before: LeaseState, input: LeaseInput, at: At): LeaseStep {
  const state = { ...before, asked: undefined };
  switch (input.kind) {
    case "timer":
      return round({ ...state, lookedAgain: false }, at);
    case "found":
      return found(observe(state, input.record, at), input.record, at);
    case "missing":
      return take({ ...state, seen: undefined }, at);
    case "written":
      return written(state, input.record, before.asked?.at, at);
    case "failed":
      return failed(state, input.code, input.retryAfterMs ?? 0, at);
    default:
      return input satisfies never;
  }
}

/** A leader renews what it last wrote, without looking; anybody else looks. */
function round(state: LeaseState, at: At): LeaseStep {
  if (isPastDeadline(state, at)) return lost(state, "deadline", at, look);
  return state.fence === undefined ? look(state, at) : write(state, at);
}

function found(state: LeaseState, record: LeaseRecord, at: At): LeaseStep {
  if (state.fence === undefined || record.holder === state.identity) return take(state, at);
  return lost(state, "taken", at, wait);
}

/** Writes, when nobody else can hold the Lease. */
function take(state: LeaseState, at: At): LeaseStep {
  if (isPastDeadline(state, at)) return lost(state, "deadline", at, take);
  return state.fence === undefined && at.now < state.rivalUntil
    ? wait(state, at)
    : write(state, at);
}

function written(
  state: LeaseState,
  record: LeaseRecord,
  begun: Instant | undefined,
  at: At,
): LeaseStep {
  const wasLeading = state.fence !== undefined;
  const after = { ...state, seen: record, fence: begun };
  if (isPastDeadline(after, at)) {
    return wasLeading
      ? lost(after, "deadline", at, look)
      : look({ ...after, fence: undefined }, at);
  }
  return wasLeading ? wait(after, at) : also({ kind: "elected" }, wait(after, at));
}

function failed(state: LeaseState, code: FaultCode, retryAfterMs: number, at: At): LeaseStep {
  if (isPastDeadline(state, at)) return lost(state, "deadline", at, wait);
  const isOther = code === "conflict" || code === "already-exists" || code === "not-found";
  // What we know of the Lease is old: a leader must know at once whose it is.
  if (isOther && state.fence !== undefined && !state.lookedAgain) {
    return look({ ...state, lookedAgain: true }, at);
  }
  return wait(state, at, retryAfterMs);
}

function lost(
  state: LeaseState,
  reason: LossReason,
  at: At,
  next: (state: LeaseState, at: At) => LeaseStep,
): LeaseStep {
  const holder = state.seen?.holder ?? "";
  return also({ kind: "lost", reason, holder }, next({ ...state, fence: undefined }, at));
}

function observe(state: LeaseState, record: LeaseRecord, at: Instant): LeaseState {
  const after = { ...state, seen: record };
  if (record.holder === state.identity || isSame(state.seen, record)) return after;
  if (record.holder === "") return { ...after, rivalUntil: Number.NEGATIVE_INFINITY };
  const durationMs = record.durationMs > 0 ? record.durationMs : state.limits.leaseDurationMs;
  return { ...after, rivalUntil: at.now + durationMs };
}

/** Whether the holder wrote nothing in between; who edits a label does not renew. */
function isSame(one: LeaseRecord | undefined, other: LeaseRecord): boolean {
  return (
    one !== undefined &&
    one.holder === other.holder &&
    one.durationMs === other.durationMs &&
    one.transitions === other.transitions &&
    one.acquireTime === other.acquireTime &&
    one.renewTime === other.renewTime
  );
}

function look(state: LeaseState, at: Instant): LeaseStep {
  return {
    state: { ...state, asked: { kind: "read", at: { now: at.now, wall: at.wall } } },
    effects: [{ kind: "read", timeoutMs: timeoutMs(state, at) }],
  };
}

function write(state: LeaseState, at: Instant): LeaseStep {
  const { identity, seen } = state;
  const isNew = seen?.holder !== identity;
  const transitions = seen === undefined ? 0 : seen.transitions + (isNew ? 1 : 0);
  return {
    state: { ...state, asked: { kind: "write", at: { now: at.now, wall: at.wall } } },
    effects: [
      {
        kind: "write",
        claim: { holder: identity, transitions, isNew },
        over: seen,
        timeoutMs: timeoutMs(state, at),
      },
    ],
  };
}

/** Until the next round; for a leader no longer than to its deadline, for a standby no longer than the rival has. */
function wait(state: LeaseState, at: At, retryAfterMs = 0): LeaseStep {
  const { limits, fence, rivalUntil } = state;
  const pauseMs = limits.retryPeriodMs * (PAUSE.share + PAUSE.jitter * at.random);
  const askedMs = Math.max(pauseMs, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS));
  const endsInMs = fence === undefined ? rivalUntil - at.now : deadlineInMs(state, at);
  const delayMs = fence === undefined && endsInMs <= 0 ? askedMs : Math.min(askedMs, endsInMs);
  return { state, effects: [{ kind: "wait", delayMs: Math.max(MIN_DELAY_MS, delayMs) }] };
}

function timeoutMs(state: LeaseState, at: Instant): number {
  const usualMs = state.limits.renewDeadlineMs / 2;
  return Math.max(1, Math.min(usualMs, deadlineInMs(state, at)));
}

function deadlineInMs(state: LeaseState, at: Instant): number {
  const { fence, limits } = state;
  return fence === undefined
    ? Number.POSITIVE_INFINITY
    : fence.now + limits.renewDeadlineMs - at.now;
}

function isPastDeadline(state: LeaseState, at: Instant): boolean {
  return deadlineInMs(state, at) <= 0;
}

function also(effect: LeaseEffect, step: LeaseStep): LeaseStep {
  return { state: step.state, effects: [effect, ...step.effects] };
}
