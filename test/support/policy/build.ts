import type { ClusterName } from "../../../src/core/model/names.ts";
import type { ContainerPort, PodRecord } from "../../../src/core/model/pod.ts";
import type { ClusterFacts, PodFact, WorldFacts } from "../../../src/core/policy/facts.ts";
import { formatProblem } from "../../../src/core/policy/fields.ts";
import { parseIp } from "../../../src/core/address/ip.ts";
import type { Packet } from "../../../src/core/policy/match.ts";
import type { NetworkPolicy } from "../../../src/core/policy/network-policy.ts";
import { parseNetworkPolicy } from "../../../src/core/policy/parse.ts";
import { World } from "../../../src/core/policy/world.ts";
import { DEFAULT_RESERVED_KEYS } from "../../../src/core/selector/cluster-term.ts";

export const KEY = "networking.k8s.io/multicluster-name";

/** A TCP port that a container declares. */
export function tcp(port: number, name = ""): ContainerPort {
  return { name, port, protocol: "TCP" };
}

/** A running pod called `path` ("namespace/name"). */
export function aPod(path: string, ip: string, facts: Partial<PodRecord> = {}): PodRecord {
  const [namespace = "", name = ""] = path.split("/");
  return {
    namespace,
    name,
    uid: `uid-${path}`,
    labels: {},
    annotations: {},
    ips: ip === "" ? [] : [ip],
    phase: "Running",
    hostNetwork: false,
    nodeName: "",
    terminating: false,
    ports: [],
    ...facts,
  };
}

/** A synced cluster. */
export function aCluster(name: string, facts: Partial<ClusterFacts> = {}): ClusterFacts {
  return {
    name: name as ClusterName,
    aliases: [],
    link: "synced",
    namespaces: new Map(),
    pods: [],
    nodes: [],
    policies: [],
    podCidrs: [],
    reservedCidrs: [],
    ...facts,
  };
}

/** A world of these clusters, with the defaults of the product. */
export function aWorld(clusters: readonly ClusterFacts[], facts: Partial<WorldFacts> = {}): World {
  return new World({
    clusters,
    defaultScope: "local",
    reservedKeys: DEFAULT_RESERVED_KEYS,
    podToNode: "enforce",
    ...facts,
  });
}

/** The policy with this spec. Throws on any problem. */
export function aPolicy(path: string, spec: unknown): NetworkPolicy {
  const [namespace, name] = path.split("/");
  const { policy, problems } = parseNetworkPolicy({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { namespace, name },
    spec,
  });
  if (policy === undefined || problems.length > 0) {
    throw new Error(problems.map(formatProblem).join("\n"));
  }
  return policy;
}

/** The pod at `path` ("cluster/namespace/name"). */
export function podAt(world: World, path: string): PodFact {
  const fact = world.pods.find(
    ({ cluster, pod }) => `${cluster}/${pod.namespace}/${pod.name}` === path,
  );
  if (fact === undefined) throw new Error(`no pod ${path}`);
  return fact;
}

/** The first packet from one end to another; an end is a pod's path or an address. */
export function aPacket(
  world: World,
  from: string,
  to: string,
  port: number | undefined = 80,
  protocol: Packet["protocol"] = "TCP",
): Packet {
  const end = (text: string): Packet["source"] => {
    const ip = parseIp(text);
    if (ip !== undefined) return { ip, pod: undefined };
    const pod = podAt(world, text);
    return { ip: pod.ips[0], pod };
  };
  return { source: end(from), destination: end(to), protocol, port };
}
