import type { Option, OptionTable } from "../core/options/table.ts";

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");
}

/** The options of `table` as a Markdown table; a page or README embeds it and a test compares. */
export function optionsMarkdown<T extends OptionTable<T>>(options: T): string {
  return table(
    ["flag", "environment", "default", "meaning"],
    Object.values<Option<unknown>>(options).map(
      ({ flag, env, default: text, help, placeholder }) => [
        flag === undefined ? "none" : `\`--${flag} ${placeholder}\``,
        env.map((name) => `\`${name}\``).join("<br>"),
        text === undefined ? "" : `\`${text}\``,
        help,
      ],
    ),
  );
}

/** What the documentation says of a metric. */
export interface DocumentedMetric {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}

/** The metrics as a Markdown table. */
export function metricsMarkdown(metrics: Readonly<Record<string, DocumentedMetric>>): string {
  return table(
    ["metric", "type", "labels", "meaning"],
    Object.values(metrics).map(({ name, type, labels, help }) => [
      `\`${name}\``,
      type,
      labels.map((label) => `\`${label}\``).join(", "),
      help,
    ]),
  );
}
