const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length of time in the two largest units that say something, as kubectl writes ages: `2s`, `7m12s`, `3h5m`, `61d`. */
export function lengthText(ms: number): string {
  const pair = (large: number, largeUnit: string, small: number, smallUnit: string): string => {
    const rest = Math.floor((ms % large) / small);
    return `${Math.floor(ms / large)}${largeUnit}${rest === 0 ? "" : `${rest}${smallUnit}`}`;
  };
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)}s`;
  if (ms < HOUR) return pair(MINUTE, "m", SECOND, "s");
  if (ms < DAY) return pair(HOUR, "h", MINUTE, "m");
  return ms < 10 * DAY ? pair(DAY, "d", HOUR, "h") : `${Math.floor(ms / DAY)}d`;
}

/** A time (RFC 3339) as people need it at `now`: without the date where it is today's, in UTC; `-` for null. */
export function timeText(time: string | null, now: string): string {
  if (time === null) return "-";
  const [date = "", clock = ""] = time.replace(/\.\d+/, "").split("T");
  return now.startsWith(`${date}T`) ? clock : `${date}T${clock}`;
}

/** A lag in seconds with about two figures. */
export function lagText(seconds: number | null): string {
  if (seconds === null) return "-";
  return seconds < 1 ? `${Math.round(seconds * 1000)}ms` : `${seconds.toFixed(1)}s`;
}
