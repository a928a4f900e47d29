import { durationTitle, netTitle, timeTitle } from "./names.ts";
import type { Row } from "./story.ts";

/** A row of the story as one line of plain text. */
export function plainLine(row: Row): string {
  return row.kind === "step"
    ? `\n${textOf(row)}`
    : `${timeTitle(row.atMs).padStart(8)}  ${textOf(row)}`;
}

function textOf(row: Row): string {
  switch (row.kind) {
    case "step":
      return `step ${row.number}/${row.of}: ${row.title}`;
    case "pod":
      return row.text;
    case "set": {
      const took = row.tookMs === undefined ? "" : ` (${durationTitle(row.tookMs)})`;
      return `  ${row.set} ${row.sign} ${netTitle(row.net)}  because ${row.cause ?? ""}${took}`;
    }
    case "gone":
      return `  ${row.set} is deleted: it was empty long enough`;
    case "operator":
      return `operator: ${row.text}`;
    case "claim":
      return `${row.ok ? "ok:" : "FAILED:"} ${row.text}`;
    case "trouble":
      return `trouble: ${row.text}`;
  }
}
