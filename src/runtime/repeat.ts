import type { Clock } from "./clock.ts";

/** Calls `action` every `periodMs` until `signal` aborts; never when `periodMs` is 0. */
export function repeat(
  clock: Clock,
  periodMs: number,
  signal: AbortSignal,
  action: () => void,
): void {
  if (periodMs === 0 || signal.aborted) return;
  const cancel = clock.after(periodMs, () => {
    signal.removeEventListener("abort", cancel);
    action();
    repeat(clock, periodMs, signal, action);
  });
  signal.addEventListener("abort", cancel, { once: true });
}
