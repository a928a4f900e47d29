import type { ClusterName } from "../model/names.ts";
import type { ObjectKey } from "../model/pod.ts";
import type { Claim } from "./claim.ts";
import { setKey, type SetKey } from "./set-id.ts";

/** A pod, in its present life, that holds an address in a set. */
export interface Owner {
  readonly pod: ObjectKey;
  readonly uid: string;
}

interface Held {
  readonly uid: string;
  readonly sets: readonly SetKey[];
  readonly nets: readonly string[];
}

/**
 * Which addresses are in which set, and because of which pods.
 * An entry belongs to (cluster, pod UID, address): a net leaves a set when its last owner does.
 * State depends only on the last claim of each pod; a set or cluster without entries leaves no trace.
 */
export class Membership {
  readonly #pods = new Map<ClusterName, Map<ObjectKey, Held>>();
  readonly #sets = new Map<SetKey, Map<string, Owner[]>>();

  /**
   * `claim` is all that the pod called `pod` holds from now on.
   * @returns the sets whose nets changed.
   */
  put(cluster: ClusterName, namespace: string, owner: Owner, claim: Claim): ReadonlySet<SetKey> {
    const changed = new Set<SetKey>();
    const pods = this.#pods.get(cluster);
    const before = pods?.get(owner.pod);
    const after: Held = {
      uid: owner.uid,
      sets: claim.sets.map((name) => setKey({ cluster, namespace, name })),
      nets: claim.nets,
    };
    for (const set of after.sets) {
      for (const net of after.nets) {
        if (!holds(before, owner.uid, set, net)) this.#add(set, net, owner, changed);
      }
    }
    if (before !== undefined) {
      for (const set of before.sets) {
        for (const net of before.nets) {
          if (!holds(after, before.uid, set, net)) this.#drop(set, net, before.uid, changed);
        }
      }
    }
    if (after.sets.length > 0) {
      if (pods === undefined) this.#pods.set(cluster, new Map([[owner.pod, after]]));
      else pods.set(owner.pod, after);
    } else if (pods?.delete(owner.pod) === true && pods.size === 0) {
      this.#pods.delete(cluster);
    }
    return changed;
  }

  /** The nets of `set`, sorted by their text; empty when nobody is in it. */
  nets(set: SetKey): readonly string[] {
    return [...(this.#sets.get(set)?.keys() ?? [])].toSorted();
  }

  /** How many nets `set` has. */
  count(set: SetKey): number {
    return this.#sets.get(set)?.size ?? 0;
  }

  /** The pods because of which `net` is in `set`. */
  owners(set: SetKey, net: string): readonly Owner[] {
    return this.#sets.get(set)?.get(net) ?? [];
  }

  /** The sets that have at least one entry. */
  sets(): Iterable<SetKey> {
    return this.#sets.keys();
  }

  /** The pods of `cluster` that hold an address in some set. */
  pods(cluster: ClusterName): Iterable<ObjectKey> {
    return this.#pods.get(cluster)?.keys() ?? [];
  }

  /** How many things are remembered; zero when every pod is gone. */
  get size(): number {
    return this.#pods.size + this.#sets.size;
  }

  #add(set: SetKey, net: string, owner: Owner, changed: Set<SetKey>): void {
    let nets = this.#sets.get(set);
    if (nets === undefined) this.#sets.set(set, (nets = new Map<string, Owner[]>()));
    const owners = nets.get(net);
    if (owners === undefined) {
      nets.set(net, [owner]);
      changed.add(set);
    } else {
      owners.push(owner);
    }
  }

  #drop(set: SetKey, net: string, uid: string, changed: Set<SetKey>): void {
    const nets = this.#sets.get(set);
    const owners = nets?.get(net)?.filter((owner) => owner.uid !== uid);
    if (nets === undefined || owners === undefined) throw new Error(`no entry ${net} in ${set}`);
    if (owners.length > 0) {
      nets.set(net, owners);
      return;
    }
    nets.delete(net);
    if (nets.size === 0) this.#sets.delete(set);
    changed.add(set);
  }
}

function holds(held: Held | undefined, uid: string, set: SetKey, net: string): boolean {
  return (
    held !== undefined && held.uid === uid && held.sets.includes(set) && held.nets.includes(net)
  );
}
