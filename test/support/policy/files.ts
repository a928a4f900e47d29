import { readFileSync, writeFileSync } from "node:fs";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { expect } from "@jest/globals";
import type { World } from "../../../src/core/policy/world.ts";
import {
  readOffline,
  worldOf,
  type Snapshot,
  type SourceOptions,
} from "../../../src/inspect/source.ts";

/** The path of a fixture. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
}

/** Reads a snapshot from files, with `stdin` as standard input. */
export async function snapshotOf(options: SourceOptions, stdin = ""): Promise<Snapshot> {
  return readOffline(options, { stdin: Readable.from([stdin]) });
}

/** Reads a world from files. */
export async function worldFrom(options: SourceOptions, stdin = ""): Promise<World> {
  return worldOf(await snapshotOf(options, stdin));
}

/** `text` without the machine's own paths. */
export function portable(text: string): string {
  return text.replaceAll(fixture(""), "");
}

/**
 * Compares `text` with test/golden/NAME. With UPDATE_GOLDEN=1 the file is written instead, to be read by a person
 * before it is committed.
 */
export function expectGolden(name: string, text: string): void {
  const file = fileURLToPath(new URL(`../../golden/${name}`, import.meta.url));
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, "utf8"));
}
