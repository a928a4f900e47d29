import type { ClusterName } from "../model/names.ts";
import { objectKey, type ObjectKey, type PodRecord } from "../model/pod.ts";
import type { Store } from "../reflector/store.ts";
import { claimOf, type Claim, type Refusal } from "./claim.ts";
import type { Membership } from "./membership.ts";
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
}

const NO_CLAIM: Claim = { sets: [], nets: [], refusals: [] };

/** The pods of one remote cluster, as a Reflector delivers them, turned into entries of `membership`. */
export class ClusterPods implements Store<PodRecord> {
  readonly #cluster: ClusterName;
  readonly #membership: Membership;
  readonly #profile: LabelProfile;
  readonly #events: ClusterPodsEvents;
  /** UID by pod, of every pod that the server has, whether it is in a set or not. */
  readonly #uids = new Map<ObjectKey, string>();
  readonly #refused = new Map<ObjectKey, string>();
  /** While a list runs: the pods it has not held so far. */
  #unseen: Set<ObjectKey> | undefined;

  constructor(
    cluster: ClusterName,
    membership: Membership,
    profile: LabelProfile,
    events: ClusterPodsEvents,
  ) {
    this.#cluster = cluster;
    this.#membership = membership;
    this.#profile = profile;
    this.#events = events;
  }

  /** How many pods the server has, as far as is known. */
  get size(): number {
    return this.#uids.size;
  }

  beginList(): void {
    this.#unseen = new Set(this.#uids.keys());
  }

  endList(): void {
    for (const pod of this.#unseen ?? []) this.#forget(pod, this.#uids.get(pod) ?? "");
    this.#unseen = undefined;
    this.#events.onComplete();
  }

  abandonList(): void {
    this.#unseen = undefined;
  }

  put(pod: PodRecord): void {
    const key = objectKey(pod.namespace, pod.name);
    const claim = claimOf(pod, this.#profile);
    this.#unseen?.delete(key);
    this.#uids.set(key, pod.uid);
    this.#claim(key, pod.uid, claim);
    this.#refuse(key, pod.uid, claim.refusals);
  }

  remove(pod: PodRecord): void {
    const key = objectKey(pod.namespace, pod.name);
    if (this.#uids.get(key) === pod.uid) this.#forget(key, pod.uid);
  }

  #forget(key: ObjectKey, uid: string): void {
    this.#uids.delete(key);
    this.#refused.delete(key);
    this.#unseen?.delete(key);
    this.#claim(key, uid, NO_CLAIM);
  }

  #claim(key: ObjectKey, uid: string, claim: Claim): void {
    const namespace = key.slice(0, key.indexOf("/"));
    const changed = this.#membership.put(this.#cluster, namespace, { pod: key, uid }, claim);
    if (changed.size > 0) this.#events.onChanged(changed);
  }

  #refuse(key: ObjectKey, uid: string, refusals: readonly Refusal[]): void {
    if (refusals.length === 0) {
      this.#refused.delete(key);
      return;
    }
    const told = JSON.stringify([uid, refusals]);
    if (this.#refused.get(key) === told) return;
    this.#refused.set(key, told);
    for (const refusal of refusals) this.#events.onRefused(key, refusal);
  }
}
