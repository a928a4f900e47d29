import type { ClusterName } from "../model/names.ts";
import type { ObjectKey } from "../model/pod.ts";
import type { Claim } from "./claim.ts";
import { NetIndex } from "./net-index.ts";
import { joinedName, setIdOf, setKey, type SetKey } from "./set-id.ts";

/** A pod, in its present life, that holds an address in a set. */
export interface Owner {
  readonly pod: ObjectKey;
  readonly uid: string;
}

/** One address in one set. */
export interface Entry {
  readonly set: SetKey;
  readonly net: string;
}

interface Held {
  readonly uid: string;
  readonly sets: readonly SetKey[];
  readonly nets: readonly string[];
}

/** Stands for the pods of entries whose removal waits to be confirmed. */
const BRAKE: Owner = { pod: "" as ObjectKey, uid: "held" };

/**
 * Which addresses are in which set, and because of which pods.
 * An entry belongs to (cluster, pod UID, address): a net leaves a set when its last owner does.
 * An address that sets of two clusters claim is in none of them until one lets go.
 * State depends only on the last claim of each pod; a set or cluster without entries leaves no trace.
 * Methods that change something return the sets whose nets changed.
 */
export class Membership {
  readonly #pods = new Map<ClusterName, Map<ObjectKey, Held>>();
  readonly #sets = new Map<SetKey, Map<string, Owner[]>>();
  /** The sets with entries by the name that their object would have: two tenants may share one. */
  readonly #joined = new Map<string, Set<SetKey>>();
  readonly #nets = new NetIndex();
  readonly #held = new Map<ClusterName, Entry[]>();

  /** `claim` is all that the pod called `owner.pod` holds from now on. */
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

  /** Keeps `entries` of `cluster` in their sets, whatever becomes of their pods, until `release`. */
  hold(cluster: ClusterName, entries: readonly Entry[]): ReadonlySet<SetKey> {
    const changed = new Set<SetKey>();
    const held = this.#held.get(cluster) ?? [];
    const known = new Set(held.map(({ set, net }) => `${set} ${net}`));
    const fresh = entries.filter(({ set, net }) => !known.has(`${set} ${net}`));
    for (const { set, net } of fresh) this.#add(set, net, BRAKE, changed);
    if (fresh.length > 0) this.#held.set(cluster, [...held, ...fresh]);
    return changed;
  }

  /** Ends every `hold` on entries of `cluster`. */
  release(cluster: ClusterName): ReadonlySet<SetKey> {
    const changed = new Set<SetKey>();
    for (const { set, net } of this.#held.get(cluster) ?? []) {
      this.#drop(set, net, BRAKE.uid, changed);
    }
    this.#held.delete(cluster);
    return changed;
  }

  /** How many entries of `cluster` are held. */
  heldCount(cluster: ClusterName): number {
    return this.#held.get(cluster)?.length ?? 0;
  }

  /** The nets of `set`, sorted by their text, without those that another cluster claims too. */
  nets(set: SetKey): readonly string[] {
    const nets = this.members(set);
    return this.#nets.hasContested ? nets.filter((net) => !this.#nets.isContested(net)) : nets;
  }

  /** The nets of `set`, sorted by their text, with those that another cluster claims too. */
  members(set: SetKey): readonly string[] {
    return [...(this.#sets.get(set)?.keys() ?? [])].toSorted();
  }

  /** How many nets `set` has, contested ones included. */
  count(set: SetKey): number {
    return this.#sets.get(set)?.size ?? 0;
  }

  /** Whether `net` is in `set`, or would be if it were not contested. */
  has(set: SetKey, net: string): boolean {
    return this.#sets.get(set)?.has(net) ?? false;
  }

  /** How many entries the sets of `cluster` have. */
  countOf(cluster: ClusterName): number {
    let count = 0;
    for (const [set, nets] of this.#sets) if (setIdOf(set).cluster === cluster) count += nets.size;
    return count;
  }

  /** The pods because of which `net` is in `set`. */
  owners(set: SetKey, net: string): readonly Owner[] {
    return (
      this.#sets
        .get(set)
        ?.get(net)
        ?.filter((owner) => owner !== BRAKE) ?? []
    );
  }

  /** The entries that would leave if `pods` of `cluster` went: nobody else holds them. */
  onlyOf(cluster: ClusterName, pods: Iterable<ObjectKey>): readonly Entry[] {
    const leaving = new Set(pods);
    const entries: Entry[] = [];
    const seen = new Set<string>();
    for (const pod of leaving) {
      const held = this.#pods.get(cluster)?.get(pod);
      for (const set of held?.sets ?? []) {
        for (const net of held?.nets ?? []) {
          const owners = this.#sets.get(set)?.get(net) ?? [];
          if (seen.has(`${set} ${net}`) || !owners.every((owner) => leaving.has(owner.pod)))
            continue;
          seen.add(`${set} ${net}`);
          entries.push({ set, net });
        }
      }
    }
    return entries;
  }

  /** The sets that have at least one entry. */
  sets(): Iterable<SetKey> {
    return this.#sets.keys();
  }

  /** The sets that have at least one entry and whose joined name is `name`. */
  joined(name: string): Iterable<SetKey> {
    return this.#joined.get(name) ?? [];
  }

  /** Addresses that sets of two clusters or more claim, with those sets. */
  contested(): ReadonlyMap<string, ReadonlySet<SetKey>> {
    return this.#nets.contested;
  }

  /** How many things are remembered; zero when every pod is gone. */
  get size(): number {
    return (
      this.#pods.size + this.#sets.size + this.#joined.size + this.#nets.size + this.#held.size
    );
  }

  #add(set: SetKey, net: string, owner: Owner, changed: Set<SetKey>): void {
    let nets = this.#sets.get(set);
    if (nets === undefined) {
      this.#sets.set(set, (nets = new Map<string, Owner[]>()));
      const name = joinedName(setIdOf(set));
      this.#joined.set(name, (this.#joined.get(name) ?? new Set<SetKey>()).add(set));
    }
    const owners = nets.get(net);
    if (owners !== undefined) {
      owners.push(owner);
      return;
    }
    nets.set(net, [owner]);
    changed.add(set);
    for (const other of this.#nets.add(net, set)) changed.add(other);
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
    if (nets.size === 0) this.#removeSet(set);
    changed.add(set);
    for (const other of this.#nets.remove(net, set)) changed.add(other);
  }

  #removeSet(set: SetKey): void {
    this.#sets.delete(set);
    const name = joinedName(setIdOf(set));
    const sharing = this.#joined.get(name);
    sharing?.delete(set);
    if (sharing?.size === 0) this.#joined.delete(name);
  }
}

function holds(held: Held | undefined, uid: string, set: SetKey, net: string): boolean {
  return (
    held !== undefined && held.uid === uid && held.sets.includes(set) && held.nets.includes(net)
  );
}
