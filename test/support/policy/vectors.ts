import { readFileSync } from "node:fs";
import { parseIp } from "../../../src/core/address/ip.ts";
import type { ClusterName } from "../../../src/core/model/names.ts";
import type { PodRecord, Protocol } from "../../../src/core/model/pod.ts";
import { formatProblem } from "../../../src/core/policy/fields.ts";
import type { NetworkPolicy } from "../../../src/core/policy/network-policy.ts";
import { parseNetworkPolicy } from "../../../src/core/policy/parse.ts";

/** One state of the truth table: objects, and who reaches whom on which probe. */
export interface VectorState {
  readonly case: string;
  readonly step: number;
  readonly namespaces: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly pods: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly ip: string;
    readonly ports: PodRecord["ports"];
  }[];
  readonly policies: readonly unknown[];
  readonly order: readonly string[];
  readonly expected: Readonly<Record<string, readonly string[]>>;
}

/** All states of networkpolicy-truth.json. */
export function readVectors(): readonly VectorState[] {
  const url = new URL("../../fixtures/networkpolicy-truth.json", import.meta.url);
  return JSON.parse(readFileSync(url, "utf8")) as VectorState[];
}

/** `10.10.1.12` as `fd00::a0a:10c`: the same low bits, so that ranges map by adding 96 to their length. */
export function toIpv6(text: string): string {
  const ip = parseIp(text);
  if (ip === undefined) throw new Error(`not an address: ${text}`);
  const hex = ip.bits.toString(16).padStart(8, "0");
  return `fd00::${hex.slice(0, 4)}:${hex.slice(4)}`;
}

function rangeToIpv6(cidr: string): string {
  const [address = "", prefix = ""] = cidr.split("/");
  return `${toIpv6(address)}/${Number(prefix) + 96}`;
}

/** The state with every address and ipBlock mapped to IPv6. */
export function asIpv6(state: VectorState): VectorState {
  const policies = JSON.parse(
    JSON.stringify(state.policies, (key, value: unknown) => {
      if (key === "cidr") return rangeToIpv6(value as string);
      if (key === "except") return (value as string[]).map(rangeToIpv6);
      return value;
    }),
  ) as unknown[];
  return {
    ...state,
    policies,
    pods: state.pods.map((pod) => ({ ...pod, ip: toIpv6(pod.ip) })),
  };
}

/** The policies of a state, read strictly. */
export function policiesOf(state: VectorState): NetworkPolicy[] {
  return state.policies.map((object) => {
    const { policy, problems } = parseNetworkPolicy(object);
    if (policy === undefined || problems.length > 0) {
      throw new Error(problems.map(formatProblem).join("\n"));
    }
    return policy;
  });
}

/** The probe `TCP/80` in parts. */
export function probeOf(text: string): { readonly protocol: Protocol; readonly port: number } {
  const [protocol = "", port = ""] = text.split("/");
  return { protocol: protocol as Protocol, port: Number(port) };
}

/** A cluster's name, checked by nobody: for tests. */
export function named(name: string): ClusterName {
  return name as ClusterName;
}
