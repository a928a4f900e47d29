import type { FaultCode } from "../model/fault.ts";

/** No retry comes sooner than this, whatever the dice say: the floor that makes a tight loop impossible. */
export const MIN_DELAY_MS = 50;
/** A server cannot ask for a longer pause than this. */
export const MAX_RETRY_AFTER_MS = 60_000;

const AWAY = { firstMs: 250, maxMs: 5_000 };
const DENIED = { firstMs: 250, maxMs: 30_000 };
const RELIST = { minMs: 1_000, firstMs: 2_000, maxMs: 30_000 };

/**
 * How soon trying again can help. `denied`: the server said no (401, 403, 404), and a person must change something.
 * `away`: everything else, which heals by itself.
 */
export type FailureClass = "away" | "denied";

/** Failures of one class in a row. Another class starts again from 1, so a 403 during a restart does not inherit the outage's wait. */
export interface Failures {
  readonly class: FailureClass;
  readonly count: number;
}

/** Nothing has failed. */
export const NO_FAILURES: Failures = { class: "away", count: 0 };

/** `before`, and one more failure with `code`. */
export function addFailure(before: Failures, code: FaultCode): Failures {
  const kind: FailureClass =
    code === "unauthorized" || code === "forbidden" || code === "not-found" ? "denied" : "away";
  return { class: kind, count: before.class === kind ? before.count + 1 : 1 };
}

/**
 * The pause after `failures` (count at least 1): full jitter below a ceiling that doubles from 0.25 s to 5 s
 * (30 s when denied), never below MIN_DELAY_MS, and on top of what the server asked for (Retry-After).
 * `random` is in [0, 1).
 */
export function failureDelayMs(
  failures: Failures,
  retryAfterMs: number | undefined,
  random: number,
): number {
  const { firstMs, maxMs } = failures.class === "denied" ? DENIED : AWAY;
  const jittered = Math.max(MIN_DELAY_MS, random * ceilingMs(firstMs, maxMs, failures.count));
  return Math.min(Math.max(retryAfterMs ?? 0, 0), MAX_RETRY_AFTER_MS) + jittered;
}

/**
 * The pause before relist number `count` (from 1) of those that no healthy spell separates:
 * none before the first, then from 1 s up to a ceiling that doubles from 2 s to 30 s.
 */
export function relistDelayMs(count: number, random: number): number {
  if (count <= 1) return 0;
  const ceiling = ceilingMs(RELIST.firstMs, RELIST.maxMs, count - 1);
  return RELIST.minMs + random * (ceiling - RELIST.minMs);
}

function ceilingMs(firstMs: number, maxMs: number, count: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(count - 1, 30));
}
