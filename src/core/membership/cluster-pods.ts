import type { Fence } from "../address/fence.ts";
import type { ClusterName } from "../model/names.ts";
import { objectKey, type ObjectKey, type PodRecord } from "../model/pod.ts";
import { isMassRemoval, type BrakeLimits } from "../plan/brake.ts";
import type { Store } from "../reflector/store.ts";
import { claimOf, type Claim, type Refusal } from "./claim.ts";
import type { Holdings } from "./holdings.ts";
import type { Entry, Membership } from "./membership.ts";
import type { LabelProfile } from "./profile.ts";
import type { SetKey } from "./set-id.ts";

/** What happens as pods come and go; called synchronously. */
export interface ClusterPodsEvents {
  /** The nets of these sets changed. */
  onChanged(sets: ReadonlySet<SetKey>): void;
  /** Part of what `pod` asks for was refused; told once for a pod's life and value. */
  onRefused(pod: ObjectKey, refusal: Refusal): void;
  /** A complete list was taken in. */
  onComplete(): void;
  /** A list would have removed `removed` of `total` entries: they stay until a list `holdMs` later agrees. */
  onHeld(removed: number, total: number): void;
}

/** What a ClusterPods works with. */
export interface ClusterPodsParts {
  readonly cluster: ClusterName;
  readonly membership: Membership;
  readonly profile: LabelProfile;
  readonly brake: BrakeLimits;
  readonly events: ClusterPodsEvents;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** The fence now; a change of it takes effect with the next list. */
  readonly fence: () => Fence;
  /** Told where the pods are that are in sets. @default nobody */
  readonly holdings?: Holdings;
}

const NO_CLAIM: Claim = { sets: [], nets: [], refusals: [] };

/**
 * The pods of one remote cluster, as a Reflector delivers them, turned into entries of a Membership.
 * Only absence from a list is braked; what a watch says of a pod is evidence, and counts at once.
 */
export class ClusterPods implements Store<PodRecord> {
  readonly #parts: ClusterPodsParts;
  /** UID by pod, of every pod that the server has, whether it is in a set or not. */
  readonly #uids = new Map<ObjectKey, string>();
  readonly #refused = new Map<ObjectKey, string>();
  /** While a list runs: the pods it has not held so far. */
  #unseen: Set<ObjectKey> | undefined;
  /** Entries when the list began: what it adds must not make what it removes look small. */
  #entriesBefore = 0;
  #heldSince = 0;

  constructor(parts: ClusterPodsParts) {
    this.#parts = parts;
  }

  /** How many pods the server has, as far as is known. */
  get size(): number {
    return this.#uids.size;
  }

  beginList(): void {
    this.#unseen = new Set(this.#uids.keys());
    this.#entriesBefore = this.#parts.membership.countOf(this.#parts.cluster);
  }

  endList(): void {
    const absent = this.#unseen ?? new Set();
    this.#unseen = undefined;
    this.#confirmHeld();
    const { cluster, membership } = this.#parts;
    if (absent.size > 0) {
      this.#holdIfMass(membership.onlyOf(cluster, absent), this.#entriesBefore);
    }
    for (const pod of absent) this.#forget(pod, this.#uids.get(pod) ?? "");
    this.#parts.events.onComplete();
  }

  abandonList(): void {
    this.#unseen = undefined;
  }

  put(pod: PodRecord): void {
    const key = objectKey(pod.namespace, pod.name);
    const claim = claimOf(pod, this.#parts.profile, this.#parts.fence());
    this.#unseen?.delete(key);
    this.#uids.set(key, pod.uid);
    this.#parts.holdings?.put(key, pod, claim.nets);
    this.#claim(key, pod.uid, claim);
    this.#refuse(key, pod.uid, claim.refusals);
  }

  remove(pod: PodRecord): void {
    const key = objectKey(pod.namespace, pod.name);
    if (this.#uids.get(key) === pod.uid) this.#forget(key, pod.uid);
  }

  /**
   * The entries that the cluster's sets had before the first list, read from their objects, once both are known.
   * What of them the list does not explain is about to be removed: if that is a mass, it is held like any other.
   */
  adopt(entries: readonly Entry[]): void {
    const { membership } = this.#parts;
    const lost = entries.filter(({ set, net }) => !membership.has(set, net));
    this.#holdIfMass(lost, entries.length);
  }

  /** Every pod of the cluster is to be forgotten, as after a complete list that held none, without a brake. */
  clear(): void {
    for (const [pod, uid] of this.#uids) this.#forget(pod, uid);
    this.#changed(this.#parts.membership.release(this.#parts.cluster));
  }

  #holdIfMass(entries: readonly Entry[], total: number): void {
    const { cluster, membership, brake, events, now } = this.#parts;
    if (!isMassRemoval(entries.length, total, brake)) return;
    if (membership.heldCount(cluster) === 0) this.#heldSince = now();
    this.#changed(membership.hold(cluster, entries));
    events.onHeld(entries.length, total);
  }

  /** A complete list long enough after the one that was held: what it did not bring back either is gone. */
  #confirmHeld(): void {
    const { cluster, membership, brake, now } = this.#parts;
    if (membership.heldCount(cluster) === 0 || now() - this.#heldSince < brake.holdMs) return;
    this.#changed(membership.release(cluster));
  }

  #forget(key: ObjectKey, uid: string): void {
    this.#uids.delete(key);
    this.#refused.delete(key);
    this.#unseen?.delete(key);
    this.#parts.holdings?.remove(key);
    this.#claim(key, uid, NO_CLAIM);
  }

  #claim(key: ObjectKey, uid: string, claim: Claim): void {
    const { cluster, membership } = this.#parts;
    const namespace = key.slice(0, key.indexOf("/"));
    this.#changed(membership.put(cluster, namespace, { pod: key, uid }, claim));
  }

  #changed(sets: ReadonlySet<SetKey>): void {
    if (sets.size > 0) this.#parts.events.onChanged(sets);
  }

  #refuse(key: ObjectKey, uid: string, refusals: readonly Refusal[]): void {
    if (refusals.length === 0) {
      this.#refused.delete(key);
      return;
    }
    const told = JSON.stringify([uid, refusals]);
    if (this.#refused.get(key) === told) return;
    this.#refused.set(key, told);
    for (const refusal of refusals) this.#parts.events.onRefused(key, refusal);
  }
}
