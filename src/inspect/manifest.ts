import { readFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  LineCounter,
  isMap,
  isPair,
  isScalar,
  isSeq,
  parseAllDocuments,
  type Document,
} from "yaml";
import type { FieldPath } from "../core/policy/fields.ts";
import { Fault, errorText } from "../core/model/fault.ts";

/** An object of a manifest, not checked yet. */
export type ManifestObject = Readonly<Record<string, unknown>>;

/** One Kubernetes object and where it was read. Items of a List are objects of their own. */
export interface Manifest {
  readonly object: ManifestObject;
  /** The file as the user named it, `-` for standard input, or `cluster NAME` for a live one. */
  readonly file: string;
  /** The line of a field of the object, or of its nearest ancestor that is there. From 1; 0 when there are no lines. */
  readonly lineOf: (path: FieldPath) => number;
}

/** Text that is no YAML or JSON, or no object. */
export interface SyntaxProblem {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** What some files held. */
export interface Manifests {
  readonly manifests: readonly Manifest[];
  readonly problems: readonly SyntaxProblem[];
}

/** Told now and then while files are read. */
export type OnProgress = (done: number, total: number) => void;

const EXTENSIONS = /\.(ya?ml|json)$/i;

async function filesUnder(path: string): Promise<string[]> {
  let info;
  try {
    info = await stat(path);
  } catch (error) {
    throw new Fault("not-found", `read "${path}": ${errorText(error)}`, { cause: error });
  }
  if (!info.isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith(".")) continue;
    const inner = join(path, entry.name);
    if (entry.isDirectory()) found.push(...(await filesUnder(inner)));
    else if (EXTENSIONS.test(entry.name)) found.push(inner);
  }
  return found;
}

async function readStandardInput(input: AsyncIterable<Uint8Array | string>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of input) {
    pieces.push(typeof piece === "string" ? Buffer.from(piece) : Buffer.from(piece));
  }
  return Buffer.concat(pieces).toString("utf8");
}

/**
 * Reads the objects of files, of folders (their .yaml, .yml and .json files, at any depth) and of `-`, standard input.
 * @throws Fault `not-found` or `malformed` when a path cannot be read. Bad content is returned as problems.
 */
export async function readManifests(
  paths: readonly string[],
  stdin: AsyncIterable<Uint8Array | string>,
  onProgress: OnProgress = () => {},
): Promise<Manifests> {
  const files: string[] = [];
  for (const path of paths) files.push(...(path === "-" ? ["-"] : await filesUnder(path)));
  const manifests: Manifest[] = [];
  const problems: SyntaxProblem[] = [];
  for (const [index, file] of files.entries()) {
    onProgress(index, files.length);
    let text: string;
    try {
      // Thousands of small files: the way through the thread pool would cost more than the reading.
      text = file === "-" ? await readStandardInput(stdin) : readFileSync(file, "utf8");
    } catch (error) {
      throw new Fault("malformed", `read "${file}": ${errorText(error)}`, { cause: error });
    }
    const found = parseManifests(text, file);
    manifests.push(...found.manifests);
    problems.push(...found.problems);
  }
  return { manifests, problems };
}

/** The objects in the text of one file: YAML documents or JSON. */
export function parseManifests(text: string, file: string): Manifests {
  const json = text.trimStart().startsWith("{") ? tryJson(text) : undefined;
  if (json !== undefined) {
    // JSON is YAML: lines are looked up in a second, slower reading, when someone asks.
    let lines: ReturnType<typeof lineReader> | undefined;
    const lineOf = (path: FieldPath): number => {
      lines ??= readYaml(text, file).documents.map(({ lineOf: of }) => of)[0];
      return lines?.(path) ?? 1;
    };
    return { manifests: objectsIn(json, file, lineOf), problems: [] };
  }
  const { documents, problems } = readYaml(text, file);
  const manifests = documents.flatMap(({ value, lineOf }) => objectsIn(value, file, lineOf));
  return { manifests, problems };
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface YamlDocument {
  readonly value: unknown;
  readonly lineOf: (path: FieldPath) => number;
}

function readYaml(
  text: string,
  file: string,
): { readonly documents: readonly YamlDocument[]; readonly problems: readonly SyntaxProblem[] } {
  const counter = new LineCounter();
  const parsed = parseAllDocuments(text, {
    lineCounter: counter,
    merge: true,
    prettyErrors: false,
    logLevel: "silent",
  });
  const documents: YamlDocument[] = [];
  const problems: SyntaxProblem[] = [];
  for (const document of Array.isArray(parsed) ? parsed : []) {
    const [error] = document.errors;
    if (error !== undefined) {
      const { line } = counter.linePos(error.pos[0]);
      problems.push({ file, line, message: error.message });
      continue;
    }
    let value: unknown;
    try {
      value = document.toJS({ maxAliasCount: 100 });
    } catch (thrown) {
      problems.push({ file, line: 1, message: errorText(thrown) });
      continue;
    }
    documents.push({ value, lineOf: lineReader(document, counter) });
  }
  return { documents, problems };
}

function lineReader(document: Document, counter: LineCounter): (path: FieldPath) => number {
  return (path) => {
    let node: unknown = document.contents;
    let offset = rangeStart(node);
    for (const part of path) {
      if (isMap(node)) {
        const pair = node.items.find(
          (item) => isPair(item) && isScalar(item.key) && item.key.value === part,
        );
        if (pair === undefined) break;
        offset = rangeStart(pair.key) ?? offset;
        node = pair.value;
      } else if (isSeq(node)) {
        node = node.items[Number(part)];
        offset = rangeStart(node) ?? offset;
      } else {
        break;
      }
    }
    return offset === undefined ? 1 : counter.linePos(offset).line;
  };
}

function rangeStart(node: unknown): number | undefined {
  if (typeof node !== "object" || node === null || !("range" in node)) return undefined;
  const { range } = node as { range?: readonly number[] | null };
  return range?.[0];
}

/** The objects in `value`: itself, or the items when it is a List. What has no kind is somebody else's file. */
function objectsIn(
  value: unknown,
  file: string,
  lineOf: (path: FieldPath) => number,
): readonly Manifest[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  const object = value as ManifestObject;
  const { kind, apiVersion, items } = object as {
    kind?: unknown;
    apiVersion?: unknown;
    items?: unknown;
  };
  if (typeof kind !== "string" || typeof apiVersion !== "string") return [];
  if (!kind.endsWith("List") || !Array.isArray(items)) return [{ object, file, lineOf }];
  return (items as readonly unknown[]).flatMap((item, index) => {
    // Items of a typed list (PodList) may leave out what the list already says.
    const typed =
      typeof item === "object" && item !== null && kind !== "List"
        ? { apiVersion, kind: kind.slice(0, -4), ...item }
        : item;
    return objectsIn(typed, file, (path) => lineOf(["items", index, ...path]));
  });
}
