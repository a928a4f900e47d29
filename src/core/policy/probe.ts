import type { Family } from "../address/ip.ts";
import type { Protocol } from "../model/pod.ts";
import type { Endpoint, Packet } from "./match.ts";
import { endpointsOf } from "./evaluate.ts";
import type { PodFact } from "./facts.ts";

/** What to try on a destination: a port by number, or by the name that the destination's containers gave it. */
export interface Probe {
  readonly protocol: Protocol;
  readonly port: number | string;
}

/** `TCP/80`, `UDP/dns`. */
export function formatProbe({ protocol, port }: Probe): string {
  return `${protocol}/${port}`;
}

const PROTOCOLS: readonly string[] = ["TCP", "UDP", "SCTP"];

/** Every port that the pods declare, by number, in order of protocol and number. */
export function declaredProbes(pods: readonly PodFact[]): Probe[] {
  const found = new Map<string, Probe>();
  for (const { pod } of pods) {
    for (const { port, protocol } of pod.ports)
      found.set(`${protocol}/${port}`, { port, protocol });
  }
  return [...found.values()].toSorted(
    (a, b) =>
      PROTOCOLS.indexOf(a.protocol) - PROTOCOLS.indexOf(b.protocol) ||
      Number(a.port) - Number(b.port),
  );
}

/** The number that `probe` means on a destination, or undefined when it declares no such name and protocol. */
export function portOn(probe: Probe, fact: PodFact | undefined): number | undefined {
  if (typeof probe.port === "number") return probe.port;
  return fact?.pod.ports.find(
    ({ name, protocol }) => name === probe.port && protocol === probe.protocol,
  )?.port;
}

/** Two ends that can exchange packets, or why there are none. */
export type Pairing =
  | { readonly kind: "pair"; readonly source: Endpoint; readonly destination: Endpoint }
  | { readonly kind: "no-common-family" };

/**
 * The ends through which `from` reaches `to`: the first address of `to` whose family `from` has too,
 * of `family` only when given. A pod without any address is taken as one that will have the right one.
 */
export function pairEnds(from: PodFact, to: PodFact, family: Family | undefined): Pairing {
  const usable = (fact: PodFact): Endpoint[] =>
    endpointsOf(fact).filter(
      ({ ip }) => ip === undefined || family === undefined || ip.family === family,
    );
  const sources = usable(from);
  for (const destination of usable(to)) {
    const source = sources.find(
      ({ ip }) =>
        ip === undefined || destination.ip === undefined || ip.family === destination.ip.family,
    );
    if (source !== undefined) return { kind: "pair", source, destination };
  }
  return { kind: "no-common-family" };
}

/** The packet of a probe between two ends, or undefined when the port's number is not known there. */
export function packetOf(
  probe: Probe,
  source: Endpoint,
  destination: Endpoint,
): Packet | undefined {
  const port = portOn(probe, destination.pod);
  return port === undefined ? undefined : { source, destination, protocol: probe.protocol, port };
}
