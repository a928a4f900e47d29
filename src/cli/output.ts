import { stringify } from "yaml";

/** How a command prints its result. */
export type OutputFormat = "text" | "json" | "yaml";

/** `value` as asked; `text` is only called for text. */
export function formatOutput(format: OutputFormat, value: unknown, text: () => string): string {
  if (format === "text") return text();
  return format === "json" ? `${JSON.stringify(value, undefined, 2)}\n` : stringify(value);
}
