const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const WHOLE = /^([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)/;

/**
 * Milliseconds in a duration as Go writes it (`1h0m0s`, `90s`, `1.5h`, `0`), or undefined.
 * Negative durations are refused: no option of ours can mean one.
 */
export function parseDuration(text: string): number | undefined {
  if (text === "0") return 0;
  let rest = text;
  let total = 0;
  do {
    const match = WHOLE.exec(rest);
    const unit = UNIT_MS[match?.[2] ?? ""];
    if (match?.[1] === undefined || unit === undefined) return undefined;
    total += Number(match[1]) * unit;
    rest = rest.slice(match[0].length);
  } while (rest !== "");
  return total;
}

/** `ms` as Go would print it, without zero parts: `1h30m`, `90s` is `1m30s`, `250ms`, `0s`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return ms === 0 ? "0s" : `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = (ms % 60_000) / 1000;
  return [hours > 0 && `${hours}h`, minutes > 0 && `${minutes}m`, seconds > 0 && `${seconds}s`]
    .filter((part) => part !== false)
    .join("");
}
