import PQueue from "p-queue";
import { NetworkSetClient } from "../calico/network-set-client.ts";
import { ownedId, type ProfileName } from "../core/membership/profile.ts";
import { setIdOf, type SetKey } from "../core/membership/set-id.ts";
import { errorText, Fault, faultCode } from "../core/model/fault.ts";
import type { ClusterName } from "../core/model/names.ts";
import type { CalicoGroupChoice } from "../core/plan/calico-mode.ts";
import type { ActualSet } from "../core/plan/plan-set.ts";
import type { ApiClient } from "../kube/api-client.ts";
import type { Clock } from "../runtime/clock.ts";
import { ActualSets } from "./actual-sets.ts";
import { lookForCalico, type CalicoLook } from "./calico-discovery.ts";
import { listOnce } from "./list-once.ts";
import { localSets } from "./local-cluster.ts";
import { ownerOf } from "./run.ts";

/** Which objects of the local cluster are to go. */
export interface CleanupScope {
  readonly cluster: ClusterName;
  /** Only those whose labels are of this profile's kind; undefined for every generation. */
  readonly profile: ProfileName | undefined;
  readonly group: CalicoGroupChoice;
}

/** What became of one object that was to go: undefined when it is gone, else why it is still there. */
export type OnRemoved = (object: ActualSet, why: string | undefined) => void;

/** The objects that a clean-up is about, and the way to remove them. */
export interface Cleanup {
  /** Sorted by name. */
  readonly objects: readonly ActualSet[];
  /**
   * Removes each object unless it was replaced, or is no longer ours, since it was listed. Rejects with code `unavailable`,
   * having removed none, while Calico's store must not be written or when the sets have moved.
   */
  remove(onRemoved: OnRemoved): Promise<void>;
}

const CONCURRENCY = 8;
const ATTEMPTS = 5;
/** For one look at where Calico keeps its sets. */
const LOOK_MS = 60_000;

/** The set that `object` holds if it is within `scope`. */
function ownedWithin(object: ActualSet, { cluster, profile }: CleanupScope): SetKey | undefined {
  const owner = ownerOf(object);
  if (owner === undefined || setIdOf(owner).cluster !== cluster) return undefined;
  return profile === undefined || ownedId(object.labels, profile) !== undefined ? owner : undefined;
}

/** Why `listed` is still there; undefined when it is gone. */
async function removeOne(
  listed: ActualSet,
  client: NetworkSetClient,
  scope: CleanupScope,
): Promise<string | undefined> {
  let object = listed;
  for (let attempt = 1; ; attempt++) {
    try {
      await client.delete(object);
      return undefined;
    } catch (error) {
      if (faultCode(error) === "not-found") return undefined;
      if (faultCode(error) !== "conflict" || attempt === ATTEMPTS) return errorText(error);
    }
    try {
      object = await client.get(listed.name);
    } catch (error) {
      return faultCode(error) === "not-found" ? undefined : errorText(error);
    }
    if (object.uid !== listed.uid) return "it was deleted and made again meanwhile";
    if (ownedWithin(object, scope) === undefined) return "it is not ours any more";
  }
}

/**
 * Finds what we own of one remote cluster in the local one, whatever generation wrote it. Objects of others are never
 * in it. Rejects with a Fault when the local cluster does not answer or serves no GlobalNetworkSets.
 */
export async function findCleanup(
  scope: CleanupScope,
  client: ApiClient,
  clock: Clock,
): Promise<Cleanup> {
  const look = async (): Promise<CalicoLook> =>
    lookForCalico(client, scope.group, AbortSignal.timeout(LOOK_MS));
  const { group } = await look();
  const sets = new NetworkSetClient(client, group);
  const actual = new ActualSets({ onChanged: () => {}, onComplete: () => {} }, ownerOf);
  await listOnce(localSets(client, group), actual, clock);
  const objects = [...actual.all()]
    .filter((object) => ownedWithin(object, scope) !== undefined)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    objects,
    remove: async (onRemoved) => {
      const { group: groupNow, gate } = await look();
      if (groupNow !== group || gate.kind !== "open") {
        const why = groupNow === group ? gate.why : `Calico's sets are in ${groupNow} now`;
        throw new Fault("unavailable", `delete sets: not now: ${why}`);
      }
      const queue = new PQueue({ concurrency: CONCURRENCY });
      const removals = objects.map((object) => async () => {
        onRemoved(object, await removeOne(object, sets, scope));
      });
      await queue.addAll(removals);
    },
  };
}
