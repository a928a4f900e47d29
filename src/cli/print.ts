import type { Command } from "commander";
import { Fault } from "../core/model/fault.ts";
import { formatOutput } from "./output.ts";
import type { TableStyle } from "./status-text.ts";

/** The flags that say how a result is printed, as kubectl's. */
export interface PrintFlags {
  readonly output?: string;
  /** commander's name for `--no-headers` not given. */
  readonly headers?: boolean;
}

/** A result in every form that it can be printed in. */
export interface Printable {
  readonly value: unknown;
  readonly text: (style: TableStyle) => string;
  /** For `-o name`: `type/name`, one an object. */
  readonly names: () => readonly string[];
}

const FORMATS = ["json", "yaml", "wide", "name"] as const;

/** Adds `-o` and `--no-headers`. */
export function addPrintOptions(command: Command): Command {
  return command
    .option("-o, --output <format>", `${FORMATS.join(", ")}; without it a table`)
    .option("--no-headers", "print tables without their heads");
}

/** Says how to print, checked before anything is read. @throws Fault `bad-request`. */
export function printer({ output, headers }: PrintFlags): (result: Printable) => string {
  const style = { isWide: output === "wide", hasHead: headers !== false };
  if (output === undefined || output === "wide") return ({ text }) => text(style);
  if (output === "json" || output === "yaml") {
    return ({ value }) => formatOutput(output, value, () => "");
  }
  if (output === "name")
    return ({ names }) =>
      names()
        .map((name) => `${name}\n`)
        .join("");
  throw new Fault("bad-request", `--output "${output}": must be ${FORMATS.join(", ")}`);
}
