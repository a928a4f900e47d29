import { parseIp, type Ip } from "../core/address/ip.ts";
import type { Protocol } from "../core/model/pod.ts";
import type { PodFact } from "../core/policy/facts.ts";
import { FieldReader, formatProblem } from "../core/policy/fields.ts";
import { parseSelector } from "../core/policy/parse.ts";
import type { World } from "../core/policy/world.ts";
import { matches, selectorOf, type Selector } from "../core/selector/selector.ts";
import { asObject, asText } from "../kube/json.ts";
import { isKind, type ClusterObjects } from "./collect.ts";
import type { Manifest } from "./manifest.ts";
import { usage } from "./source.ts";

/** What a reference means: an address, or pods; of a Service also how its ports map. */
export type Target =
  | { readonly kind: "ip"; readonly ip: Ip }
  | {
      readonly kind: "pods";
      readonly pods: readonly PodFact[];
      readonly service: ServicePorts | undefined;
    };

/** The ports of a Service. `target` is a number, or a name that each pod resolves for itself. */
export interface ServicePorts {
  readonly name: string;
  readonly ports: readonly {
    readonly name: string;
    readonly port: number;
    readonly protocol: Protocol;
    readonly target: number | string;
  }[];
}

/** `DST:PORT[/PROTO]` in parts. `port` is a number, a name, or undefined for ICMP. */
export interface DestinationText {
  readonly reference: string;
  readonly port: number | string | undefined;
  /** Undefined when it was not written. */
  readonly protocol: Protocol | "ICMP" | undefined;
}

const PROTOCOLS: readonly string[] = ["TCP", "UDP", "SCTP"];

/** Kinds that a reference may name, with kubectl's short forms. */
const KINDS: ReadonlyMap<string, { readonly kind: string; readonly group: string }> = new Map(
  (
    [
      ["Pod", "", "po", "pod", "pods"],
      ["Service", "", "svc", "service", "services"],
      ["Deployment", "apps", "deploy", "deployment", "deployments"],
      ["StatefulSet", "apps", "sts", "statefulset", "statefulsets"],
      ["DaemonSet", "apps", "ds", "daemonset", "daemonsets"],
      ["ReplicaSet", "apps", "rs", "replicaset", "replicasets"],
      ["Job", "batch", "job", "jobs"],
    ] as const
  ).flatMap(([kind, group, ...names]) => names.map((name) => [name, { kind, group }] as const)),
);

/** Reads `80`, `81/UDP`, `serve-80-tcp`. The protocol is undefined when not written. */
export function parsePortText(text: string): {
  readonly port: number | string;
  readonly protocol: Protocol | undefined;
} {
  const [port = "", protocol, ...rest] = text.split("/");
  const known = protocol?.toUpperCase();
  if (rest.length > 0 || (known !== undefined && !PROTOCOLS.includes(known))) {
    throw usage(`port "${text}": the protocol must be one of ${PROTOCOLS.join(", ")}`);
  }
  const number = Number(port);
  if (/^\d+$/.test(port)) {
    if (number < 1 || number > 65535) throw usage(`port "${text}": must be between 1 and 65535`);
    return { port: number, protocol: known as Protocol | undefined };
  }
  if (!/^[a-z0-9-]{1,15}$/.test(port)) {
    throw usage(`port "${text}": must be a number, or the name of a container port`);
  }
  return { port, protocol: known as Protocol | undefined };
}

/** Cuts `DST:PORT[/PROTO]` at the colon of the port. An IPv6 address stands in brackets. */
export function parseDestination(text: string): DestinationText {
  const bracket = /^\[([^\]]*)\]:(.+)$/.exec(text);
  const [reference, rest] =
    bracket === null
      ? [text.slice(0, text.lastIndexOf(":")), text.slice(text.lastIndexOf(":") + 1)]
      : [bracket[1] ?? "", bracket[2] ?? ""];
  if (bracket === null && (!text.includes(":") || reference === "")) {
    throw usage(`destination "${text}": must be DST:PORT or DST:PORT/PROTO, e.g. shop/web-1:80`);
  }
  if (bracket === null && reference.includes(":")) {
    throw usage(`destination "${text}": write an IPv6 address in brackets, e.g. [fd00::1]:80`);
  }
  if (rest.toLowerCase() === "icmp") return { reference, port: undefined, protocol: "ICMP" };
  return { reference, ...parsePortText(rest) };
}

interface Name {
  readonly cluster: string;
  readonly namespace: string;
  readonly kind: { readonly kind: string; readonly group: string } | undefined;
  readonly name: string;
}

/** `[cluster/][namespace/][kind/]name`. */
function parseName(text: string, localName: string, defaultNamespace: string): Name {
  const parts = text.split("/");
  const name = parts.pop() ?? "";
  const kind = KINDS.get((parts.at(-1) ?? "").toLowerCase());
  if (kind !== undefined) parts.pop();
  const namespace = parts.pop() ?? defaultNamespace;
  const cluster = parts.pop() ?? localName;
  if (parts.length > 0 || [name, namespace, cluster].includes("")) {
    throw usage(
      `"${text}": must be [cluster/][namespace/]pod, [cluster/][namespace/]kind/name, or an address`,
    );
  }
  return { cluster, namespace, kind, name };
}

function metadataOf(manifest: Manifest): { name: string; namespace: string } {
  const metadata = asObject(manifest.object["metadata"]) ?? {};
  const namespace = asText(metadata["namespace"]);
  return { name: asText(metadata["name"]), namespace: namespace === "" ? "default" : namespace };
}

function findObject(
  cluster: ClusterObjects,
  kind: string,
  group: string,
  { namespace, name }: Name,
): Manifest | undefined {
  return cluster.manifests.findLast((manifest) => {
    const found = metadataOf(manifest);
    return isKind(manifest, kind, group) && found.namespace === namespace && found.name === name;
  });
}

function selectPods(
  world: World,
  cluster: ClusterObjects,
  namespace: string,
  selector: Selector,
): PodFact[] {
  return world.pods.filter(
    (fact) =>
      fact.cluster === cluster.name &&
      fact.pod.namespace === namespace &&
      fact.pod.phase !== "Succeeded" &&
      fact.pod.phase !== "Failed" &&
      matches(selector, fact.pod.labels),
  );
}

/** Pods whose owner is the workload: directly, or through a ReplicaSet that a Deployment made. */
function ownedPods(world: World, cluster: ClusterObjects, kind: string, wanted: Name): PodFact[] {
  const isOwner = (owner: unknown): boolean => {
    const fields = asObject(owner) ?? {};
    const name = asText(fields["name"]);
    if (asText(fields["kind"]) === kind) return name === wanted.name;
    return (
      kind === "Deployment" &&
      asText(fields["kind"]) === "ReplicaSet" &&
      name.startsWith(`${wanted.name}-`) &&
      /^[a-z0-9]+$/.test(name.slice(wanted.name.length + 1))
    );
  };
  return world.pods.filter(({ cluster: of, pod }) => {
    if (of !== cluster.name || pod.namespace !== wanted.namespace) return false;
    if (pod.phase === "Succeeded" || pod.phase === "Failed") return false;
    const source = cluster.pods.get(`${pod.namespace}/${pod.name}`);
    const owners = asObject(source?.manifest.object["metadata"])?.["ownerReferences"];
    return Array.isArray(owners) && owners.some(isOwner);
  });
}

function servicePorts(service: Manifest, name: string): ServicePorts {
  const ports = asObject(service.object["spec"])?.["ports"];
  return {
    name,
    ports: (Array.isArray(ports) ? ports : []).map((entry) => {
      const fields = asObject(entry) ?? {};
      const target = fields["targetPort"];
      const port = Number(fields["port"]);
      return {
        name: asText(fields["name"]),
        port,
        protocol: (asText(fields["protocol"]) || "TCP") as Protocol,
        target: typeof target === "number" || typeof target === "string" ? target : port,
      };
    }),
  };
}

function resolveService(
  text: string,
  service: Manifest,
  world: World,
  cluster: ClusterObjects,
  { namespace, name }: Name,
): Target {
  const reader = new FieldReader();
  const labels = reader.textMap(asObject(service.object["spec"])?.["selector"], [
    "spec",
    "selector",
  ]);
  if (reader.problems[0] !== undefined) {
    throw usage(`"${text}": ${formatProblem(reader.problems[0])}`);
  }
  if (Object.keys(labels).length === 0) {
    throw usage(`"${text}": the Service has no selector; name its pods or addresses`);
  }
  const pods = selectPods(world, cluster, namespace, selectorOf(labels));
  if (pods.length === 0) throw usage(`"${text}": the Service selects no pod`);
  return { kind: "pods", pods, service: servicePorts(service, name) };
}

function resolveWorkload(
  text: string,
  kind: string,
  group: string,
  world: World,
  cluster: ClusterObjects,
  wanted: Name,
): Target | undefined {
  const found = findObject(cluster, kind, group, wanted);
  const reader = new FieldReader();
  const selector =
    found === undefined
      ? undefined
      : parseSelector(asObject(found.object["spec"])?.["selector"], ["spec", "selector"], reader);
  const pods =
    selector === undefined
      ? ownedPods(world, cluster, kind, wanted)
      : selectPods(world, cluster, wanted.namespace, selector);
  if (pods.length > 0) return { kind: "pods", pods, service: undefined };
  if (found === undefined) return undefined;
  throw usage(`"${text}": the ${kind} has no pod`);
}

/**
 * Finds what `text` refers to: an address, `[cluster/][namespace/]name` of a pod, or with a kind (`deploy/web`).
 * A name without kind that is no pod is tried as a Service and as a workload. @throws Fault `bad-request`.
 */
export function resolveReference(
  text: string,
  world: World,
  clusters: readonly ClusterObjects[],
  localName: string,
  defaultNamespace: string,
): Target {
  const ip = parseIp(text.replace(/^\[(.*)\]$/, "$1"));
  if (ip !== undefined) return { kind: "ip", ip };
  const wanted = parseName(text, localName, defaultNamespace);
  const cluster = clusters.find(({ name }) => name === wanted.cluster);
  if (cluster === undefined) {
    const known = clusters.map(({ name }) => name).join(", ");
    throw usage(`"${text}": no cluster "${wanted.cluster}"; known are ${known}`);
  }
  const tried = wanted.kind === undefined ? [...new Set(KINDS.values())] : [wanted.kind];
  const seen = new Set<string>();
  for (const { kind, group } of tried) {
    if (seen.has(kind)) continue;
    seen.add(kind);
    if (kind === "Pod") {
      const pod = world.pods.find(
        (fact) =>
          fact.cluster === cluster.name &&
          fact.pod.namespace === wanted.namespace &&
          fact.pod.name === wanted.name,
      );
      if (pod !== undefined) return { kind: "pods", pods: [pod], service: undefined };
    } else if (kind === "Service") {
      const service = findObject(cluster, kind, group, wanted);
      if (service !== undefined) return resolveService(text, service, world, cluster, wanted);
    } else {
      const target = resolveWorkload(text, kind, group, world, cluster, wanted);
      if (target !== undefined) return target;
    }
  }
  const what = wanted.kind?.kind ?? "pod, Service or workload";
  throw usage(
    `"${text}": no ${what} "${wanted.name}" in namespace "${wanted.namespace}" of cluster "${wanted.cluster}"`,
  );
}
