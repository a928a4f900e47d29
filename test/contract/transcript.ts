import { parse as parseYaml, stringify as toYaml } from "yaml";

/** One step of a transcript: what is sent or run, and what came of it. */
export interface Step {
  /** The comment lines before it; the first names the test. */
  readonly title: string;
  /** `POST /api/v1/pods`, or `$ kubectl get pods`. */
  readonly command: string;
  /** Headers of a request, `Name: value`. */
  readonly headers: readonly string[];
  /** The body of a request, or the standard input of a command. */
  readonly input: string;
  /** What is expected. */
  readonly output: string;
}

/**
 * Reads a transcript. A step is a title (`### …`), a command, header lines, `<` and input lines
 * (optional), then `---` and the output up to the next title.
 */
export function parseTranscript(text: string): Step[] {
  return text
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const [head = "", output = ""] = part.split(/^---\n/m);
      const lines = head.trimEnd().split("\n");
      const [title = "", command = "", ...rest] = lines;
      const cut = rest.indexOf("<");
      return {
        title,
        command,
        headers: cut < 0 ? rest : rest.slice(0, cut),
        input: cut < 0 ? "" : rest.slice(cut + 1).join("\n"),
        output: output.trimEnd(),
      };
    });
}

/** Prints a transcript, the inverse of `parseTranscript`. `preamble` is what stands before the first step. */
export function printTranscript(preamble: string, steps: readonly Step[]): string {
  const parts = steps.map((step) => {
    const input = step.input === "" ? [] : ["<", step.input];
    return [`### ${step.title}`, step.command, ...step.headers, ...input, "---", step.output, ""];
  });
  return `${preamble}${parts.map((lines) => lines.join("\n")).join("\n")}`;
}

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const UID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** A body as sorted YAML without what differs from run to run; text that is no JSON as it is. */
export function canonicalBody(text: string): string {
  const lines = text.trimEnd().split("\n");
  const values = lines.map((line) => parsed(line));
  if (text.trim() !== "" && values.every((value) => value !== undefined))
    return values
      .map((value) => toYaml(normal(value), yamlOptions))
      .join("---- \n")
      .trimEnd();
  const whole = parsed(text);
  return whole === undefined ? scrub(text).trimEnd() : toYaml(normal(whole), yamlOptions).trimEnd();
}

const yamlOptions = { sortMapEntries: true, lineWidth: 0 } as const;

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

const SHADOWED: Readonly<Record<string, string>> = {
  uid: "<uid>",
  resourceVersion: "<version>",
  continue: "<token>",
  description: "<text>",
  storageVersionHash: "<hash>",
};

function normal(value: unknown, key = ""): unknown {
  if (typeof value === "string" && key === "cells")
    return value.replace(/^(\d+[smhd]){1,2}$/, "<age>");
  if (typeof value === "string")
    return key in SHADOWED && value !== "" ? SHADOWED[key] : scrub(value);
  // API servers repeat causes when several layers check the same; which there are is what counts.
  if (Array.isArray(value) && key === "causes")
    return [...new Map(value.map((item) => [JSON.stringify(item), normal(item)])).values()];
  // Their order depends on whether two writes fell into one second.
  if (Array.isArray(value) && key === "managedFields")
    return value
      .map((item) => normal(item))
      .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (Array.isArray(value)) return value.map((item) => normal(item, key === "cells" ? key : ""));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, normal(item, name)]),
  );
}

/** `text` without times, uids, versions, ages, and the diffs that API servers print of their internal types. */
export function scrub(text: string): string {
  return text
    .replaceAll(/\n@@ [\s\S]*$/g, " <diff>")
    .replaceAll(/\\n@@ .*?"/g, ' <diff>"')
    .replaceAll(/\bweb-[a-z0-9]{5}\b/g, "web-<random>")
    .replaceAll(TIME, "<time>")
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC/g, "<time>")
    .replaceAll(UID, "<uid>")
    .replaceAll(/(resourceVersion: )"\d+"/g, '$1"<version>"')
    .replaceAll(/("resourceVersion": )"\d+"/g, '$1"<version>"')
    .replaceAll(/(Resource Version: +)\d+/g, "$1<version>")
    .replaceAll(/(resource version: )\d+/g, "$1<version>")
    .replaceAll(/(in record )\(\d+\)/g, "$1(<version>)")
    .replaceAll(/(current: )\d+/g, "$1<version>")
    .replaceAll(/\(\d+\)$/gm, "(<version>)")
    .replaceAll(/\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} [+-]\d{4}/g, "<date>")
    .replaceAll(/https?:\/\/127\.0\.0\.1:\d+/g, "<server>");
}

/** Output of kubectl without ages, and without the column widths that depend on them. */
export function canonicalOutput(text: string): string {
  if (parsed(text) !== undefined) return canonicalBody(text);
  return scrub(text)
    .replaceAll(/(?<=^|\s)(\d+[smhd]){1,2}(?=\s|$)/gm, "<age>")
    .split("\n")
    .map((line) => line.replaceAll(/(?<=\S) {2,}/g, "  ").trimEnd())
    .join("\n")
    .trimEnd();
}

/** The values that later steps can name: of the last body that had them. */
export function remember(known: Map<string, string>, body: string): void {
  const value = parsed(body) as
    | { metadata?: Record<string, unknown>; details?: Record<string, unknown> }
    | undefined;
  for (const [name, from] of [
    ["version", value?.metadata?.["resourceVersion"]],
    ["uid", value?.metadata?.["uid"]],
    ["token", value?.metadata?.["continue"]],
    ["name", value?.metadata?.["name"]],
  ] as const)
    if (typeof from === "string" && from !== "") known.set(name, from);
}

/** `text` with `{{name}}` replaced by what was remembered. Throws for a name that was not. */
export function fill(known: ReadonlyMap<string, string>, text: string): string {
  return text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = known.get(name);
    if (value === undefined) throw new Error(`transcript: nothing remembered as ${name}`);
    return value;
  });
}

/** A YAML document as JSON text, so that bodies can be written readably. */
export function jsonOf(yaml: string): string {
  return JSON.stringify(parseYaml(yaml));
}
