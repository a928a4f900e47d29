import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { eventually } from "../support/eventually.ts";
import { runWayleave } from "../support/operator-process.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

jest.setTimeout(60_000);

let folder: string;
let kubeconfig: string;
let running: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sim-"));
  kubeconfig = join(folder, "kubeconfig");
});

afterEach(async () => {
  running?.kill("SIGKILL");
  running = undefined;
  await rm(folder, { recursive: true, force: true });
});

/** Starts `wayleave sim`; resolves with its address once it listens. */
async function startSim(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [MAIN, "sim", "--kubeconfig", kubeconfig, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  running = child;
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /listens on (\S+)/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error("wayleave sim: ended before it listened");
}

interface List {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly { readonly metadata: { readonly name: string; readonly uid: string } }[];
}

async function pods(url: string): Promise<List> {
  return (await (await fetch(`${url}/api/v1/pods`)).json()) as List;
}

describe("wayleave sim", () => {
  test("listens, writes a kubeconfig, and ends cleanly at a signal", async () => {
    const url = await startSim(["--name", "east"]);
    const config = parse(await readFile(kubeconfig, "utf8")) as {
      "current-context": string;
      clusters: { name: string; cluster: { server: string } }[];
    };
    expect(config["current-context"]).toBe("east");
    expect(config.clusters).toEqual([{ name: "east", cluster: { server: url } }]);
    expect((await pods(url)).items).toEqual([]);
    running?.kill("SIGTERM");
    const [code] = (await once(running as ChildProcess, "close")) as [number | null];
    expect(code).toBe(0);
    await expect(readFile(kubeconfig)).rejects.toThrow("ENOENT");
  });

  test("the same seed makes the same pods; churn changes them", async () => {
    const first = await pods(await startSim(["--name", "a", "--pods", "300", "--seed", "7"]));
    running?.kill("SIGKILL");
    const url = await startSim(["--name", "a", "--pods", "300", "--seed", "7", "--churn", "200"]);
    const enough = Number(first.metadata.resourceVersion) + 100;
    const later = await eventually(async () => {
      const list = await pods(url);
      expect(Number(list.metadata.resourceVersion)).toBeGreaterThan(enough);
      return list;
    });
    expect(first.items).toHaveLength(300);
    expect(later.items).toHaveLength(300);
    const uids = new Set(first.items.map((pod) => pod.metadata.uid));
    const same = later.items.filter((pod) => uids.has(pod.metadata.uid)).length;
    expect(same).toBeGreaterThan(100);
    expect(same).toBeLessThan(300);
  });

  test("a kubeconfig of somebody else is left alone", async () => {
    await writeFile(kubeconfig, "precious");
    const { code, stderr } = await runWayleave(["sim", "--name", "a", "--kubeconfig", kubeconfig]);
    expect(code).toBe(2);
    expect(stderr).toContain("was not written by wayleave sim");
    expect(await readFile(kubeconfig, "utf8")).toBe("precious");
  });

  test.each([
    [[]],
    [["--name", "a"]],
    [["--name", "Not A Label", "--kubeconfig", "x"]],
    [["--name", "a", "--kubeconfig", "x", "--port", "70000"]],
    [["--name", "a", "--kubeconfig", "x", "--pods", "many"]],
  ])("%j is wrong usage, exit code 2", async (args) => {
    const { code, stderr } = await runWayleave(["sim", ...args]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: /);
  });
});
