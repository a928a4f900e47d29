import { parseIp, type Ip } from "../address/ip.ts";
import type { ClusterName } from "../model/names.ts";
import { withoutKeys, type Labels } from "../selector/labels.ts";
import {
  ipKey,
  plainIp,
  type ClusterFacts,
  type Lookups,
  type PodFact,
  type WorldFacts,
} from "./facts.ts";
import { View } from "./view.ts";

function readIps(texts: readonly string[]): Ip[] {
  return texts.flatMap((text) => {
    const ip = parseIp(text);
    return ip === undefined ? [] : [plainIp(ip)];
  });
}

/** A broken promise about the clusters themselves: two of one name, or an alias that means two. */
function checkNames(clusters: readonly ClusterFacts[]): Map<string, ClusterName> {
  const owners = new Map<string, ClusterName>();
  const aliases = new Map<string, ClusterName>();
  for (const { name } of clusters) {
    if (owners.has(name)) throw new RangeError(`cluster name "${name}" is given twice`);
    owners.set(name, name);
  }
  for (const cluster of clusters) {
    for (const alias of cluster.aliases) {
      const owner = owners.get(alias);
      if (owner !== undefined && owner !== cluster.name) {
        throw new RangeError(
          `alias "${alias}" of cluster "${cluster.name}" already means "${owner}"`,
        );
      }
      owners.set(alias, cluster.name);
      aliases.set(alias, cluster.name);
    }
  }
  return aliases;
}

/** The facts with what every verdict needs looked up once. Immutable in meaning; views are made on first use. */
export class World implements Lookups {
  readonly facts: WorldFacts;
  readonly pods: readonly PodFact[];
  readonly aliases: ReadonlyMap<string, ClusterName>;
  readonly #clusters: ReadonlyMap<ClusterName, ClusterFacts>;
  readonly #podsByIp = new Map<number | bigint, PodFact[]>();
  readonly #nodesByIp = new Map<number | bigint, { cluster: ClusterName; node: string }[]>();
  readonly #views = new Map<ClusterName, View>();

  /** @throws RangeError when two clusters share a name or an alias. */
  constructor(facts: WorldFacts) {
    this.facts = facts;
    this.aliases = checkNames(facts.clusters);
    this.#clusters = new Map(facts.clusters.map((cluster) => [cluster.name, cluster]));
    this.pods = facts.clusters.flatMap((cluster) => this.#podFacts(cluster));
    for (const fact of this.pods) {
      for (const ip of fact.ips) push(this.#podsByIp, ipKey(ip), fact);
    }
    for (const { name, nodes } of facts.clusters) {
      for (const node of nodes) {
        for (const ip of readIps(node.ips)) {
          push(this.#nodesByIp, ipKey(ip), { cluster: name, node: node.name });
        }
      }
    }
  }

  #podFacts(cluster: ClusterFacts): PodFact[] {
    const { reservedKeys } = this.facts;
    const namespaces = new Map<string, Labels>();
    for (const [name, labels] of cluster.namespaces) {
      namespaces.set(name, withoutKeys(labels, reservedKeys));
    }
    return cluster.pods.map((pod) => ({
      cluster: cluster.name,
      pod,
      labels: withoutKeys(pod.labels, reservedKeys),
      namespaceLabels: namespaces.get(pod.namespace),
      ips: readIps(pod.ips),
      isOnPodNetwork: !pod.hostNetwork && pod.phase !== "Succeeded" && pod.phase !== "Failed",
    }));
  }

  /** The facts of one cluster, or undefined when it is not known. */
  cluster(name: ClusterName): ClusterFacts | undefined {
    return this.#clusters.get(name);
  }

  /** Every pod of any cluster that says it has this address, hostNetwork and finished ones included. */
  podsAt(ip: Ip): readonly PodFact[] {
    return this.#podsByIp.get(ipKey(ip)) ?? [];
  }

  /** The nodes that have this address: Node objects, and hostNetwork pods by their node. */
  nodesAt(ip: Ip): readonly { readonly cluster: ClusterName; readonly node: string }[] {
    const nodes = this.#nodesByIp.get(ipKey(ip)) ?? [];
    const hosts = this.podsAt(ip).filter(({ pod }) => pod.hostNetwork);
    return [...nodes, ...hosts.map(({ cluster, pod }) => ({ cluster, node: pod.nodeName }))];
  }

  /** The world as the policies of `cluster` see it. @throws RangeError when the cluster is not known. */
  view(cluster: ClusterName): View {
    const known = this.#views.get(cluster);
    if (known !== undefined) return known;
    const facts = this.#clusters.get(cluster);
    if (facts === undefined) throw new RangeError(`cluster "${cluster}" is not known`);
    const view = new View(this, facts);
    this.#views.set(cluster, view);
    return view;
  }
}

function push<K, T>(map: Map<K, T[]>, key: K, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
