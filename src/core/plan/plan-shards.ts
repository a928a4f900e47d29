import type { Labels } from "../membership/profile.ts";
import type { SetKey } from "../membership/set-id.ts";
import { allocate } from "./allocate.ts";
import { planSet, type ActualSet, type SetChange } from "./plan-set.ts";

/** A set as it should be, and the objects of the local cluster that bear on it. */
export interface ShardFacts {
  readonly set: SetKey;
  readonly labels: Labels;
  /** All its members, canonical and unique; empty when nobody is in it. */
  readonly nets: readonly string[];
  /** Every object that holds it, under whatever name. */
  readonly objects: readonly ActualSet[];
  /** The object called `name`, whoever's it is. */
  readonly objectNamed: (name: string) => ActualSet | undefined;
  readonly nameOf: (shard: number) => string;
  readonly maxNets: number;
  /** Wall clock, milliseconds since the epoch. */
  readonly now: number;
  /** How long an empty object is kept, in milliseconds. */
  readonly emptyGraceMs: number;
}

/** Whether carrying out `change` takes no net away, so that it may come before one that does. */
function onlyGains(change: SetChange, objectNamed: ShardFacts["objectNamed"]): boolean {
  if (change.kind === "create") return true;
  if (change.kind !== "replace") return false;
  const after = new Set(change.object.nets);
  return objectNamed(change.object.name)?.nets.every((net) => after.has(net)) ?? true;
}

/**
 * The changes that bring a set's objects to its members, in the order in which they must be carried out:
 * what adds first, so that a net which moves between objects is never in neither.
 * Objects that hold the set under a name that is not theirs are emptied and, after the grace, deleted.
 */
export function planShards(facts: ShardFacts): readonly SetChange[] {
  const { set, labels, objects, objectNamed, nameOf } = facts;
  const named = new Map<string, ActualSet>();
  for (const object of objects) named.set(object.name, object);
  const held = new Map<number, readonly string[]>();
  const nameByShard = new Map<number, string>();
  const name = (shard: number): string => {
    const known = nameByShard.get(shard) ?? nameOf(shard);
    nameByShard.set(shard, known);
    return known;
  };
  for (const object of objects) {
    if (object.name === name(object.shard)) held.set(object.shard, object.nets);
  }
  const changes: SetChange[] = [];
  for (const [shard, nets] of allocate(facts.nets, held, facts.maxNets)) {
    const object = name(shard);
    named.delete(object);
    changes.push(
      planSet(
        nets.length === 0 ? undefined : { name: object, owner: set, shard, labels, nets },
        objectNamed(object),
        {
          isOurs: (actual) => objects.includes(actual),
          now: facts.now,
          emptyGraceMs: facts.emptyGraceMs,
        },
      ),
    );
  }
  for (const stray of named.values()) {
    changes.push(planSet(undefined, stray, { ...facts, isOurs: () => true }));
  }
  const gains = changes.filter((change) => onlyGains(change, objectNamed));
  return [...gains, ...changes.filter((change) => !gains.includes(change))];
}
