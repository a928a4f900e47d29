import { parseDuration } from "./duration.ts";
import type { Parse } from "./table.ts";

/** Any text that is not blank. */
export const text: Parse<string> = (given) =>
  given.trim() === "" ? { expected: "a value" } : { value: given };

/** A duration in milliseconds, written as in Go. */
export const duration: Parse<number> = (given) => {
  const value = parseDuration(given);
  return value === undefined ? { expected: "a duration like 90s or 1h0m0s" } : { value };
};

/** A duration longer than zero, in milliseconds. */
export const positiveDuration: Parse<number> = (given) => {
  const value = parseDuration(given);
  return value === undefined || value === 0
    ? { expected: "a duration above zero like 90s or 1h0m0s" }
    : { value };
};

/** `true` or `false`. */
export const yesNo: Parse<boolean> = (given) =>
  given === "true" || given === "false"
    ? { value: given === "true" }
    : { expected: "true or false" };

/** One of `words`, compared without regard to case. */
export function oneOf<W extends string>(...words: readonly W[]): Parse<W> {
  return (given) => {
    const value = words.find((word) => word === given.toLowerCase());
    return value === undefined ? { expected: `one of ${words.join(", ")}` } : { value };
  };
}

/** A whole number from `min` to `max`. */
export function wholeNumber(min: number, max: number): Parse<number> {
  return (given) => {
    const value = Number(given);
    return /^\d+$/.test(given) && value >= min && value <= max
      ? { value }
      : { expected: `a whole number from ${min} to ${max}` };
  };
}

/** Where to listen: host "" means every address. */
export interface BindAddress {
  readonly host: string;
  readonly port: number;
}

/** `[HOST]:PORT`, or `0` for none (undefined). An IPv6 host stands in brackets. */
export const bindAddress: Parse<BindAddress | undefined> = (given) => {
  if (given === "0") return { value: undefined };
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(given);
  const port = Number(match?.[3]);
  return match === null || port > 65_535
    ? { expected: "HOST:PORT, :PORT, or 0 for none" }
    : { value: { host: match[1] ?? match[2] ?? "", port } };
};

/** A URL of one of `schemes`, with a host. */
export function url(...schemes: readonly ("https" | "http")[]): Parse<string> {
  return (given) =>
    schemes.some((scheme) => new RegExp(`^${scheme}://[^/\\s?#]+`).test(given))
      ? { value: given }
      : { expected: `a URL that begins with ${schemes.map((s) => `${s}://`).join(" or ")}` };
}
