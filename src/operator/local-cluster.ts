import {
  CALICO_GROUPS,
  collectionPath,
  decodeSet,
  PLURAL,
  type CalicoGroup,
} from "../calico/global-network-set.ts";
import { errorText } from "../core/model/fault.ts";
import type { ActualSet } from "../core/plan/plan-set.ts";
import type { ApiClient } from "../kube/api-client.ts";
import { discoverResources } from "../kube/discovery.ts";
import { jsonListWatch } from "../kube/json-list-watch.ts";
import { sleep, type Clock } from "../runtime/clock.ts";
import type { ListWatch } from "../runtime/list-watch.ts";
import type { Log } from "../runtime/log.ts";

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;

/** What waiting for Calico needs, and whom it tells. */
export interface DiscoveryParts {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Whether the local API answered the last attempt, and what is the matter if it did not or serves no sets. */
  readonly onAttempt: (answered: boolean, message: string) => void;
}

async function servedGroup(
  client: ApiClient,
  signal: AbortSignal,
): Promise<CalicoGroup | undefined> {
  for (const group of CALICO_GROUPS) {
    const [name = "", version = ""] = group.split("/");
    const resources = await discoverResources(client, name, version, signal);
    if (resources?.has(PLURAL) === true) return group;
  }
  return undefined;
}

/** Waits until the local cluster serves GlobalNetworkSets, and tells under which group. Rejects only when `signal` aborts. */
export async function waitForCalico(parts: DiscoveryParts): Promise<CalicoGroup> {
  const { client, clock, random, log, signal, onAttempt } = parts;
  let told = "";
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2)) {
    signal.throwIfAborted();
    let message: string;
    try {
      const group = await servedGroup(client, signal);
      if (group !== undefined) {
        onAttempt(true, `sets are written to ${group}`);
        log.info("local cluster serves GlobalNetworkSets", { group });
        return group;
      }
      message = `it serves GlobalNetworkSets neither in ${CALICO_GROUPS.join(" nor in ")}; waiting for Calico to be installed`;
      onAttempt(true, message);
    } catch (error) {
      signal.throwIfAborted();
      message = errorText(error);
      onAttempt(false, message);
    }
    if (message !== told) log.warn("local cluster not usable yet", { reason: message });
    told = message;
    await sleep(clock, waitMs * (0.5 + random() / 2), signal);
  }
}

/** The GlobalNetworkSets of the local cluster: all of them, since selectors on a watch cannot be trusted (calico.md 1.7). */
export function localSets(client: ApiClient, group: CalicoGroup): ListWatch<ActualSet> {
  return jsonListWatch(client, { path: collectionPath(group), decode: decodeSet });
}
