import { formatCidr, hostCidr, parseCidr, type Cidr } from "../core/address/cidr.ts";
import type { NamedRange } from "../core/address/fence.ts";
import { parseIp } from "../core/address/ip.ts";
import { errorText } from "../core/model/fault.ts";
import type { ApiClient } from "../kube/api-client.ts";
import { asObject, asText, type JsonObject } from "../kube/json.ts";
import { sleep, type Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";

const PERIOD_MS = 300_000;

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(asText).filter((text) => text !== "") : [];
}

function named(cidr: Cidr | undefined, what: string): readonly NamedRange[] {
  return cidr === undefined
    ? []
    : [{ cidr, what: `lies in the local cluster's ${what} ${formatCidr(cidr)}` }];
}

function nodeRanges(node: JsonObject): readonly NamedRange[] {
  const addresses = asObject(node["status"])?.["addresses"];
  const ips = (Array.isArray(addresses) ? addresses : [])
    .map((entry) => parseIp(asText(asObject(entry)?.["address"])))
    .filter((ip) => ip !== undefined);
  return [
    ...texts(asObject(node["spec"])?.["podCIDRs"]).flatMap((text) =>
      named(parseCidr(text), "pod range"),
    ),
    ...ips.flatMap((ip) => named(hostCidr(ip), "node address")),
  ];
}

function serviceRanges(serviceCidr: JsonObject): readonly NamedRange[] {
  return texts(asObject(serviceCidr["spec"])?.["cidrs"]).flatMap((text) =>
    named(parseCidr(text), "service range"),
  );
}

const SOURCES = [
  { path: "/api/v1/nodes", rangesOf: nodeRanges },
  { path: "/apis/networking.k8s.io/v1/servicecidrs", rangesOf: serviceRanges },
] as const;

/**
 * Reads the ranges into `known`, by the path that told them. What cannot be read is told to `onFault`, and what it told
 * before stands. Rejects with nothing but what `onFault` throws.
 */
export async function readLocalRanges(
  client: ApiClient,
  signal: AbortSignal,
  known: Map<string, readonly NamedRange[]>,
  onFault: (path: string, error: unknown) => void,
): Promise<readonly NamedRange[]> {
  for (const { path, rangesOf } of SOURCES) {
    try {
      const { body } = await client.request({ method: "GET", path, signal });
      const items = asObject(body)?.["items"];
      const objects = (Array.isArray(items) ? items : []).map((item) => asObject(item) ?? {});
      known.set(path, objects.flatMap(rangesOf));
    } catch (error) {
      onFault(path, error);
    }
  }
  return [...known.values()].flat();
}

/**
 * The local cluster's own ranges as its Nodes (pod ranges, addresses) and ServiceCIDRs tell, read at once and then
 * every five minutes until `signal` aborts. What cannot be read is told once, and what it told before stands.
 */
export async function followLocalRanges(
  client: ApiClient,
  onRanges: (ranges: readonly NamedRange[]) => void,
  parts: { readonly clock: Clock; readonly log: Log; readonly signal: AbortSignal },
): Promise<void> {
  const { clock, log, signal } = parts;
  const known = new Map<string, readonly NamedRange[]>();
  const told = new Set<string>();
  let last = "";
  while (!signal.aborted) {
    const ranges = await readLocalRanges(client, signal, known, (path, error) => {
      if (!signal.aborted && !told.has(path)) {
        log.warn("local ranges cannot be read", { path, error: errorText(error) });
      }
      told.add(path);
    });
    if (signal.aborted) return;
    const now = ranges.map(({ what }) => what).join();
    if (now !== last) onRanges(ranges);
    last = now;
    try {
      await sleep(clock, PERIOD_MS, signal);
    } catch {
      return;
    }
  }
}
