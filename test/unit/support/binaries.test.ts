import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installBinaries, locateBinaries } from "../../support/control-plane/binaries.ts";

let folder: string;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "wayleave-binaries-"));
  await mkdir(join(folder, "bin"));
  env = { PATH: `${join(folder, "bin")}:/usr/bin:/bin`, XDG_CACHE_HOME: join(folder, "cache") };
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** A `go` that is this shell script; `$7` is the output file of a build. */
async function fakeGo(script: string): Promise<void> {
  const path = join(folder, "bin", "go");
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}

test("KUBEBUILDER_ASSETS comes first", async () => {
  for (const name of ["etcd", "kube-apiserver", "kubectl"]) await writeFile(join(folder, name), "");
  expect(locateBinaries({ ...env, KUBEBUILDER_ASSETS: folder })).toEqual({
    kind: "found",
    binaries: {
      etcd: join(folder, "etcd"),
      kubeApiserver: join(folder, "kube-apiserver"),
      kubectl: join(folder, "kubectl"),
    },
  });
});

test("a KUBEBUILDER_ASSETS that lacks one is refused with its name", async () => {
  for (const name of ["etcd", "kubectl"]) await writeFile(join(folder, name), "");
  expect(() => locateBinaries({ ...env, KUBEBUILDER_ASSETS: folder })).toThrow(
    `KUBEBUILDER_ASSETS is "${folder}", which has no kube-apiserver`,
  );
});

test("without Go the reason says what to install or set", async () => {
  await expect(
    installBinaries(() => undefined, { ...env, PATH: join(folder, "bin") }),
  ).resolves.toEqual({
    kind: "missing",
    reason: expect.stringMatching(/install Go .* KUBEBUILDER_ASSETS/),
  });
});

test("two at once build once, and a third finds what they built", async () => {
  await fakeGo(`echo "$8" >> ${folder}/packages\nsleep 0.1\necho built > "$7"`);
  const lines: string[] = [];
  const report = (line: string): void => void lines.push(line);
  const [first, second] = await Promise.all([
    installBinaries(report, env),
    installBinaries(report, env),
  ]);
  expect(first.kind).toBe("found");
  expect(second).toEqual(first);
  expect(locateBinaries(env)).toEqual(first);
  expect(lines.filter((line) => line.startsWith("built "))).toEqual([
    expect.stringMatching(/^built etcd \(1 of 3\) in \d+ s$/),
    expect.stringMatching(/^built kube-apiserver \(2 of 3\) in \d+ s$/),
    expect.stringMatching(/^built kubectl \(3 of 3\) in \d+ s$/),
  ]);
});

test("a build that fails says what Go said, and the next one may try again", async () => {
  await fakeGo(`echo "no route to the proxy" >&2; exit 1`);
  await expect(installBinaries(() => undefined, env)).rejects.toThrow(
    "build etcd (1 of 3): go ended with 1\nno route to the proxy",
  );
  expect(locateBinaries(env).kind).toBe("missing");
  await fakeGo(`echo built > "$7"`);
  await expect(installBinaries(() => undefined, env)).resolves.toMatchObject({ kind: "found" });
});

test("a lock of a process that is no more is taken over", async () => {
  await fakeGo(`echo built > "$7"`);
  await installBinaries(() => undefined, env);
  const cache = join(folder, "cache", "wayleave", "control-plane");
  const [built] = await readdir(cache);
  await rm(join(cache, built ?? ""), { recursive: true });
  await writeFile(join(cache, `${built}.lock`), "2147483646");
  await expect(installBinaries(() => undefined, env)).resolves.toMatchObject({ kind: "found" });
});
