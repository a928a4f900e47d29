import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Paths of the programs of a control plane. */
export interface Binaries {
  readonly etcd: string;
  readonly kubeApiserver: string;
  readonly kubectl: string;
}

/** Where the programs are, or in one line why they are nowhere and what to do about it. */
export type Located =
  | { readonly kind: "found"; readonly binaries: Binaries }
  | { readonly kind: "missing"; readonly reason: string };

const goModule = fileURLToPath(new URL("binaries/", import.meta.url));

/** File name and Go package of each program, in the order of building. */
const programs = [
  ["etcd", "go.etcd.io/etcd/server/v3"],
  ["kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"],
  ["kubectl", "k8s.io/kubernetes/cmd/kubectl"],
] as const;

/** The version that `/version` and `kubectl version` answer; it follows k8s.io/kubernetes in go.mod. */
const kubernetesVersion = "v1.36.3";
const buildFlags = [
  "-trimpath",
  "-tags=providerless",
  "-ldflags",
  [
    "-s -w",
    `-X k8s.io/component-base/version.gitVersion=${kubernetesVersion}`,
    "-X k8s.io/component-base/version.gitMajor=1",
    "-X k8s.io/component-base/version.gitMinor=36",
  ].join(" "),
];

/**
 * Looks for the programs without building any: in the folder that KUBEBUILDER_ASSETS names (the
 * convention of Kubernetes' envtest), else in our cache folder.
 * @throws when KUBEBUILDER_ASSETS is set and lacks one of them: a wrong setting is not a missing one.
 */
export function locateBinaries(env: NodeJS.ProcessEnv = process.env): Located {
  const assets = env["KUBEBUILDER_ASSETS"] ?? "";
  if (assets !== "") {
    const lacking = missingIn(assets);
    if (lacking.length > 0) {
      throw new Error(`KUBEBUILDER_ASSETS is "${assets}", which has no ${lacking.join(", ")}`);
    }
    return { kind: "found", binaries: inFolder(assets) };
  }
  const folder = cacheFolder(env);
  if (missingIn(folder).length === 0) return { kind: "found", binaries: inFolder(folder) };
  return {
    kind: "missing",
    reason: hasGo(env)
      ? "no etcd and kube-apiserver: run `make binaries` to build them, or set KUBEBUILDER_ASSETS to a folder that has them"
      : "no etcd and kube-apiserver: install Go and run `make binaries`, or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl",
  };
}

/**
 * Builds the programs into the cache folder from the pinned Go module unless they are there already
 * (or KUBEBUILDER_ASSETS names them), telling `report` a line about what happens, also every 10 s.
 * Safe to call in several processes at once: one builds, the others wait for it.
 * @throws with the output of Go when a build fails.
 */
export async function installBinaries(
  report: (line: string) => void,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Located> {
  const located = locateBinaries(env);
  if (located.kind === "found" || !hasGo(env)) return located;
  const folder = cacheFolder(env);
  await mkdir(join(folder, ".."), { recursive: true });
  const unlock = await lock(`${folder}.lock`, report);
  try {
    if (missingIn(folder).length === 0) return locateBinaries(env);
    report(
      `building etcd, kube-apiserver and kubectl ${kubernetesVersion} into ${folder}, once; this takes some minutes`,
    );
    const unfinished = `${folder}.unfinished`;
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished);
    for (const [index, [name, goPackage]] of programs.entries()) {
      const what = `${name} (${index + 1} of ${programs.length})`;
      await build(goPackage, join(unfinished, name), env, what, report);
    }
    await rm(folder, { recursive: true, force: true });
    await rename(unfinished, folder);
    return locateBinaries(env);
  } finally {
    await unlock();
  }
}

/** Our cache folder for these exact versions, flags and platform. */
function cacheFolder(env: NodeJS.ProcessEnv): string {
  const hash = createHash("sha256");
  for (const file of ["go.mod", "go.sum"]) hash.update(readFileSync(join(goModule, file)));
  hash.update([...buildFlags, process.platform, process.arch].join("\0"));
  const cache = env["XDG_CACHE_HOME"] ?? "";
  return join(
    cache === "" ? join(homedir(), ".cache") : cache,
    "wayleave",
    "control-plane",
    hash.digest("hex").slice(0, 16),
  );
}

function inFolder(folder: string): Binaries {
  return {
    etcd: join(folder, "etcd"),
    kubeApiserver: join(folder, "kube-apiserver"),
    kubectl: join(folder, "kubectl"),
  };
}

function missingIn(folder: string): string[] {
  return programs.map(([name]) => name).filter((name) => !existsSync(join(folder, name)));
}

function hasGo(env: NodeJS.ProcessEnv): boolean {
  return (env["PATH"] ?? "")
    .split(delimiter)
    .some((folder) => folder !== "" && existsSync(join(folder, "go")));
}

/** One `go build`, with the module proxy and flags that the environment asks for. */
async function build(
  goPackage: string,
  output: string,
  env: NodeJS.ProcessEnv,
  what: string,
  report: (line: string) => void,
): Promise<void> {
  const startedMs = Date.now();
  const elapsed = () => `${Math.round((Date.now() - startedMs) / 1000)} s`;
  report(`building ${what}`);
  const progress = setInterval(() => report(`building ${what}: ${elapsed()}`), 10_000);
  try {
    await new Promise<void>((resolve, reject) => {
      const go = spawn("go", ["build", ...buildFlags, "-o", output, goPackage], {
        cwd: goModule,
        env: { ...env, CGO_ENABLED: "0", GOWORK: "off" },
        stdio: ["ignore", "pipe", "pipe"],
      });
      let said = "";
      const keep = (chunk: Buffer): void => {
        said = (said + chunk.toString()).slice(-4000);
      };
      go.stdout.on("data", keep);
      go.stderr.on("data", keep);
      go.on("error", (cause) => reject(new Error(`build ${what}: cannot run go`, { cause })));
      go.on("close", (code, signal) => {
        if (code === 0) resolve();
        else reject(new Error(`build ${what}: go ended with ${code ?? signal}\n${said.trim()}`));
      });
    });
  } finally {
    clearInterval(progress);
  }
  report(`built ${what} in ${elapsed()}`);
}

/** Takes a lock file that holds our pid, waiting while another living process has it. */
async function lock(path: string, report: (line: string) => void): Promise<() => Promise<void>> {
  for (let waitedSeconds = 0; ; waitedSeconds++) {
    try {
      const file = await open(path, "wx");
      await file.writeFile(String(process.pid));
      await file.close();
      return async () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = Number(await readFile(path, "utf8").catch(() => ""));
    // An empty file belongs to a process that is about to write its pid: give it a while.
    if (holder > 0 ? !isAlive(holder) : waitedSeconds >= 5) {
      await rm(path, { force: true });
      continue;
    }
    if (waitedSeconds % 10 === 0) report(`waiting for process ${holder}, which builds the same`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
