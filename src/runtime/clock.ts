/** Ends a timer; ending it twice, or after it fired, does nothing. */
export type CancelTimer = () => void;

/** Time, as everything outside `core` sees it, so that a test can drive it. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. For people and for comparing with servers; may step. */
  now(): number;
  /** Milliseconds from an arbitrary start; never steps. For durations and deadlines. */
  monotonic(): number;
  /** Calls `callback` once after `delayMs` (0 or more). */
  after(delayMs: number, callback: () => void): CancelTimer;
}

/** The longest that a Node timer can wait; a longer delay would fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** The machine's own clock. A delay above 24 days is cut to that. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, Math.min(delayMs, MAX_DELAY_MS));
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`, or rejects with the signal's reason as soon as `signal` aborts. */
export async function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason as Error);
    };
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
