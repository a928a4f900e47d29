import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSim } from "../../src/sim/sim.ts";
import { locateBinaries } from "../support/control-plane/binaries.ts";
import { startControlPlane } from "../support/control-plane/control-plane.ts";

/** What a request came to. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** An API server under contract. */
export interface Subject {
  readonly url: string;
  /** One request, with an identity that may do everything. */
  send(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string | Buffer,
  ): Promise<Answer>;
  /** Runs kubectl with words split at spaces, or in single quotes; gives both outputs and the exit code. */
  kubectl(words: readonly string[], input: string): Promise<string>;
  /** Forgets the past, so that earlier versions are expired. */
  expire(): Promise<void>;
  stop(): Promise<void>;
}

/** Where kubectl is, or undefined. */
export function kubectlPath(): string | undefined {
  const located = locateBinaries();
  return located.kind === "missing" ? undefined : located.binaries.kubectl;
}

/** A simulated API server. */
export async function simSubject(): Promise<Subject> {
  const sim = await startSim({ name: "contract" });
  const folder = await mkdtemp(join(tmpdir(), "contract-"));
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, sim.kubeconfig());
  return {
    url: sim.url,
    send: async (method, path, headers, body) => send(sim.url, {}, method, path, headers, body),
    kubectl: async (words, input) => kubectl(kubeconfig, folder, words, input),
    expire: async () => sim.compact(),
    stop: async () => {
      await sim.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A real kube-apiserver with etcd. */
export async function realSubject(): Promise<Subject> {
  const plane = await startControlPlane({ name: "contract" });
  const folder = await mkdtemp(join(tmpdir(), "contract-"));
  const tls = { ca: plane.caCert, cert: plane.adminCert, key: plane.adminKey };
  return {
    url: plane.url,
    send: async (method, path, headers, body) => send(plane.url, tls, method, path, headers, body),
    kubectl: async (words, input) => kubectl(plane.kubeconfig, folder, words, input),
    // The watch cache remembers what etcd forgot, until the API server starts again.
    expire: async () => {
      await plane.compact();
      await plane.kill();
      await plane.start();
    },
    stop: async () => {
      await plane.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function send(
  base: string,
  tls: object,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string | Buffer,
): Promise<Answer> {
  const url = new URL(path, base);
  const open = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = open(
      url,
      { method, headers: { "user-agent": "contract/1", ...headers }, ...tls },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        );
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

async function kubectl(
  kubeconfig: string,
  home: string,
  words: readonly string[],
  input: string,
): Promise<string> {
  const program = kubectlPath() ?? "kubectl";
  return new Promise((resolve) => {
    const child = execFile(
      program,
      [...words],
      { env: { PATH: process.env["PATH"], HOME: home, KUBECONFIG: kubeconfig }, timeout: 30_000 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : (error.code ?? "killed");
        const ends = code === 0 ? "" : `exit ${code}\n`;
        resolve(`${stdout}${stderr}${ends}`);
      },
    );
    child.stdin?.end(input);
  });
}
