import { parseCidr, type Cidr } from "../core/address/cidr.ts";
import { Fault } from "../core/model/fault.ts";
import { parseClusterName, type ClusterName } from "../core/model/names.ts";
import type { ClusterFacts } from "../core/policy/facts.ts";
import { onNetwork } from "../core/policy/secondary.ts";
import { World } from "../core/policy/world.ts";
import { DEFAULT_RESERVED_KEYS } from "../core/selector/cluster-term.ts";
import {
  brokenPolicies,
  collect,
  factsOf,
  multiNetworkPolicies,
  type ClusterObjects,
} from "./collect.ts";
import { readManifests, type Manifest, type OnProgress, type SyntaxProblem } from "./manifest.ts";

/** How the user asked for a world: the options shared by explain, matrix, lint and diff, not checked yet. */
export interface SourceOptions {
  /** Files, folders or `-` of the local cluster; undefined means live. */
  readonly filename?: readonly string[];
  /** `NAME=PATH` offline, or `NAME` alone for a cluster that exists but was not read; `NAME=CONTEXT` live. */
  readonly remote?: readonly string[];
  /** @default "local" */
  readonly localName?: string;
  /** @default "local" */
  readonly defaultClusterScope?: string;
  /** Reserved keys instead of the default ones. */
  readonly clusterLabel?: readonly string[];
  /** @default "enforce" */
  readonly podToNode?: string;
  /** `NAME=CIDR`. */
  readonly remotePodCidr?: readonly string[];
  readonly localCidr?: readonly string[];
  /** Live: the kubeconfig and the context of the local cluster. */
  readonly kubeconfig?: string;
  readonly context?: string;
}

/** Objects of the local cluster, first, and of the remote ones by name. */
export interface Snapshot {
  readonly clusters: readonly ClusterObjects[];
  readonly problems: readonly SyntaxProblem[];
  readonly options: ResolvedOptions;
}

/** The options that shape verdicts, checked. */
export interface ResolvedOptions {
  readonly localName: ClusterName;
  readonly defaultScope: "local" | "clusterset";
  readonly reservedKeys: readonly string[];
  readonly podToNode: "enforce" | "allow";
  readonly remotes: readonly { readonly name: ClusterName; readonly from: string | undefined }[];
  readonly cidrsOf: (name: ClusterName) => readonly Cidr[];
  readonly localCidrs: readonly Cidr[];
}

/** A complaint about what the user asked: exit code 2. */
export function usage(message: string): Fault {
  return new Fault("bad-request", message);
}

function oneOf<T extends string>(flag: string, value: string, legal: readonly T[]): T {
  const found = legal.find((each) => each === value);
  if (found === undefined) throw usage(`${flag} "${value}": must be ${legal.join(" or ")}`);
  return found;
}

function clusterName(flag: string, value: string): ClusterName {
  const name = parseClusterName(value);
  if (name === undefined) {
    throw usage(`${flag} "${value}": a cluster name is a DNS-1123 label, e.g. prod-1`);
  }
  return name;
}

function cidr(flag: string, value: string): Cidr {
  const found = parseCidr(value);
  if (found === undefined) throw usage(`${flag} "${value}": must be a range, e.g. 10.0.0.0/16`);
  return found;
}

/** Checks the shared options. @throws Fault `bad-request` naming flag and value. */
export function resolveOptions(options: SourceOptions): ResolvedOptions {
  const localName = clusterName("--local-name", options.localName ?? "local");
  const remotes = (options.remote ?? []).map((text) => {
    const [name = "", ...rest] = text.split("=");
    const from = text.includes("=") ? rest.join("=") : undefined;
    if (from === "") throw usage(`--remote "${text}": nothing after "="`);
    return { name: clusterName("--remote", name), from };
  });
  const names = new Set<ClusterName>([localName]);
  for (const { name } of remotes) {
    if (names.has(name)) throw usage(`--remote "${name}": there is already a cluster of that name`);
    names.add(name);
  }
  const declared = new Map<ClusterName, Cidr[]>();
  for (const text of options.remotePodCidr ?? []) {
    const [name = "", range] = text.split("=");
    if (range === undefined) throw usage(`--remote-pod-cidr "${text}": must be NAME=CIDR`);
    const cluster = clusterName("--remote-pod-cidr", name);
    if (!names.has(cluster)) throw usage(`--remote-pod-cidr "${text}": no --remote of that name`);
    declared.set(cluster, [...(declared.get(cluster) ?? []), cidr("--remote-pod-cidr", range)]);
  }
  return {
    localName,
    defaultScope: oneOf("--default-cluster-scope", options.defaultClusterScope ?? "local", [
      "local",
      "clusterset",
    ]),
    reservedKeys: options.clusterLabel ?? DEFAULT_RESERVED_KEYS,
    podToNode: oneOf("--pod-to-node", options.podToNode ?? "enforce", ["enforce", "allow"]),
    remotes,
    cidrsOf: (name) => declared.get(name) ?? [],
    localCidrs: (options.localCidr ?? []).map((text) => cidr("--local-cidr", text)),
  };
}

/** Objects that cannot be read are told to `onBadObject`; without it they end the reading. */
export interface ReadHooks {
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly onProgress?: OnProgress;
  readonly onBadObject?: (manifest: Manifest, message: string) => void;
}

/**
 * Reads the world from files. @throws Fault `bad-request`, `not-found` or `malformed`.
 */
export async function readOffline(options: SourceOptions, hooks: ReadHooks): Promise<Snapshot> {
  const resolved = resolveOptions(options);
  const paths = options.filename ?? [];
  const all = [...paths, ...resolved.remotes.map(({ from }) => from)];
  if (all.filter((path) => path === "-").length > 1) {
    throw usage('"-" is given twice, and standard input can be read only once');
  }
  const shared = hooks.onBadObject === undefined ? {} : { onBadObject: hooks.onBadObject };
  const local = await readManifests(paths, hooks.stdin, hooks.onProgress);
  const clusters = [
    collect(local.manifests, {
      ...shared,
      name: resolved.localName,
      reservedCidrs: resolved.localCidrs,
    }),
  ];
  const problems = [...local.problems];
  for (const { name, from } of resolved.remotes) {
    const read =
      from === undefined
        ? { manifests: [], problems: [] }
        : await readManifests([from], hooks.stdin, hooks.onProgress);
    problems.push(...read.problems);
    clusters.push(
      collect(read.manifests, {
        ...shared,
        name,
        podCidrs: resolved.cidrsOf(name),
        ...(from === undefined ? { link: "connecting", policiesAreKnown: false } : {}),
      }),
    );
  }
  return { clusters, problems, options: resolved };
}

/** The world of a snapshot. @throws Fault `malformed` listing everything in it that an API server would refuse. */
export function worldOf({ clusters, problems, options }: Snapshot): World {
  refuse([
    ...problems.map(({ file, line, message }) => `${file}:${line}: ${message}`),
    ...clusters.flatMap(brokenPolicies),
  ]);
  return makeWorld(clusters.map(factsOf), options);
}

/**
 * The world of one secondary network (`namespace/name`) of the local cluster, under its MultiNetworkPolicies.
 * Their selectors are always local: what a network of one name is in two clusters is defined nowhere.
 * @throws Fault as `worldOf`, and `bad-request` when no pod is on the network.
 */
export function networkWorldOf(snapshot: Snapshot, network: string): World {
  if (network.split("/").length !== 2) {
    throw usage(`--network "${network}": must be NAMESPACE/NAME`);
  }
  const [local] = snapshot.clusters;
  if (local === undefined) throw new Fault("malformed", "there is no local cluster");
  const { policies, problems } = multiNetworkPolicies(local);
  refuse([
    ...snapshot.problems.map(({ file, line, message }) => `${file}:${line}: ${message}`),
    ...problems,
  ]);
  const facts = onNetwork(factsOf(local), policies, network);
  if (facts.pods.length === 0) throw usage(`--network "${network}": no pod is attached to it`);
  return makeWorld([facts], { ...snapshot.options, defaultScope: "local" });
}

function refuse(broken: readonly string[]): void {
  if (broken.length > 0) throw new Fault("malformed", broken.join("\n"));
}

function makeWorld(clusters: readonly ClusterFacts[], options: ResolvedOptions): World {
  return new World({
    clusters,
    defaultScope: options.defaultScope,
    reservedKeys: options.reservedKeys,
    podToNode: options.podToNode,
  });
}
