import { Option as CommanderOption, type Command } from "commander";
import type { Option, OptionTable } from "../core/options/table.ts";

/** Flags as given, each with all its values in order. */
export type Flags = Readonly<Record<string, readonly string[]>>;

function describe(option: Option<unknown>): string {
  const notes = [
    option.default === undefined ? undefined : `default ${option.default}`,
    option.env.length === 0 ? undefined : `env ${option.env.join(", ")}`,
  ].filter((note) => note !== undefined);
  return notes.length === 0 ? option.help : `${option.help} (${notes.join("; ")})`;
}

/** Gives `command` a flag for each row of `table`, and returns how to read what was given. */
export function addTableOptions<T extends OptionTable<T>>(command: Command, table: T): () => Flags {
  const flags: Record<string, string[]> = {};
  for (const option of Object.values<Option<unknown>>(table)) {
    const { flag } = option;
    if (flag === undefined) continue;
    const value = option.isSwitch === true ? `[${option.placeholder}]` : `<${option.placeholder}>`;
    const made = new CommanderOption(`--${flag} ${value}`, describe(option));
    command.addOption(made);
    command.on(`option:${flag}`, (given: string | null) => {
      (flags[flag] ??= []).push(given ?? "true");
    });
  }
  return () => flags;
}

/** `-long-flag` as Go's flag package takes it, made `--long-flag`; short flags, values and what follows `--` stay. */
export function doubleDashes(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  return args.map((arg, index) =>
    (end < 0 || index < end) && /^-[a-z][a-z0-9-]+(=|$)/.test(arg) ? `-${arg}` : arg,
  );
}
