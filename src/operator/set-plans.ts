import type { Membership } from "../core/membership/membership.ts";
import type { LabelProfile } from "../core/membership/profile.ts";
import { setIdOf, type SetKey } from "../core/membership/set-id.ts";
import { chooseName, type ChosenName, type NameFacts } from "../core/plan/object-names.ts";
import { planShards } from "../core/plan/plan-shards.ts";
import type { SetChange } from "../core/plan/plan-set.ts";
import type { ActualSets } from "./actual-sets.ts";

/** What plans of sets are made from. */
export interface SetPlansParts {
  readonly membership: Membership;
  readonly actual: ActualSets;
  readonly profile: LabelProfile;
  readonly hash8: NameFacts["hash8"];
  readonly emptyGraceMs: number;
  readonly maxNetsPerSet: number;
}

/** What is to be done so that a set's objects hold what membership says. Only reads. */
export class SetPlans {
  readonly #parts: SetPlansParts;
  readonly #names: NameFacts;

  constructor(parts: SetPlansParts) {
    this.#parts = parts;
    const { membership, actual, maxNetsPerSet, hash8 } = parts;
    this.#names = {
      holder: (name) => {
        const object = actual.get(name);
        if (object === undefined) return undefined;
        const set = actual.ownerOf(object);
        return set === undefined ? "foreign" : { set, shard: object.shard };
      },
      joined: (name) => membership.joined(name),
      shardsOf: (set) =>
        Math.max(
          Math.ceil(membership.count(set) / maxNetsPerSet),
          ...actual.of(set).map(({ shard }) => shard),
        ),
      hash8,
    };
  }

  /** The name of a set's object. */
  nameOf(set: SetKey, shard: number): ChosenName {
    return chooseName({ set, shard }, this.#names);
  }

  /** The changes, in the order in which they must be carried out, at `now` (milliseconds since the epoch). */
  changes(
    set: SetKey,
    now: number,
    nameOf: (shard: number) => string = (shard) => this.nameOf(set, shard).name,
  ): readonly SetChange[] {
    const { membership, actual, profile, emptyGraceMs, maxNetsPerSet } = this.#parts;
    return planShards({
      set,
      labels: profile.labelsOf(setIdOf(set)),
      nets: membership.nets(set),
      objects: actual.of(set),
      objectNamed: (name) => actual.get(name),
      nameOf,
      maxNets: maxNetsPerSet,
      now,
      emptyGraceMs,
    });
  }
}
