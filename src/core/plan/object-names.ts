import { joinedName, setIdOf, type SetKey } from "../membership/set-id.ts";

/** One object of a set: its first, or a further shard. */
export interface Place {
  readonly set: SetKey;
  /** From 1. */
  readonly shard: number;
}

/** What naming needs to know of the present. */
export interface NameFacts {
  /** Who holds the object called `name`: a place, `foreign` when it is not ours, undefined when there is none. */
  readonly holder: (name: string) => Place | "foreign" | undefined;
  /** The sets known to have members whose joined name is `name`. */
  readonly joined: (name: string) => Iterable<SetKey>;
  /** How many objects `set` needs now. */
  readonly shardsOf: (set: SetKey) => number;
  /** Eight hexadecimal digits that depend on all of `text`; the same for ever. */
  readonly hash8: (text: string) => string;
}

/** A name, and whether it had to be told apart from another set's. */
export interface ChosenName {
  readonly name: string;
  readonly isAmbiguous: boolean;
}

const SUFFIX = /^(.*)-s([1-9]\d*)$/;
/** With `-` and eight digits, 63 characters. */
const SHORTENED = 54;

function joinOf({ set, shard }: Place): string {
  const name = joinedName(setIdOf(set));
  return shard === 1 ? name : `${name}-s${shard}`;
}

function hashedName(place: Place, hash8: NameFacts["hash8"]): string {
  const shortened = joinOf(place)
    .slice(0, SHORTENED)
    .replace(/[-.]+$/, "");
  return `${shortened}-${hash8(`${place.set}#${place.shard}`)}`;
}

function isSame(a: Place, b: Place | "foreign" | undefined): boolean {
  return typeof b === "object" && a.set === b.set && a.shard === b.shard;
}

/** Smaller namespace first; then by cluster, name and shard, so that the order is total. */
function compare(a: Place, b: Place): number {
  const [x, y] = [setIdOf(a.set), setIdOf(b.set)];
  if (x.namespace !== y.namespace) return x.namespace < y.namespace ? -1 : 1;
  if (a.set !== b.set) return a.set < b.set ? -1 : 1;
  return a.shard - b.shard;
}

/** Every place known now whose joined name is `name`. */
function claimants(name: string, { joined, shardsOf }: NameFacts): Place[] {
  const places = [...joined(name)].map((set) => ({ set, shard: 1 }));
  const match = SUFFIX.exec(name);
  const shard = Number(match?.[2]);
  if (match?.[1] !== undefined && shard > 1) {
    for (const set of joined(match[1])) {
      if (shardsOf(set) >= shard) places.push({ set, shard });
    }
  }
  return places;
}

/**
 * The name of the object at `place`: `<cluster>-<namespace>-<set>`, with `-s<N>` from the second shard on, unless that
 * is another's. Tenants are never merged: an object keeps its name for its life; where no object exists the smaller
 * namespace gets the joined name, and every other place `<shortened>-<hash8>`.
 */
export function chooseName(place: Place, facts: NameFacts): ChosenName {
  const join = joinOf(place);
  const hashed = hashedName(place, facts.hash8);
  const holder = facts.holder(join);
  if (isSame(place, holder)) return { name: join, isAmbiguous: false };
  if (isSame(place, facts.holder(hashed))) return { name: hashed, isAmbiguous: true };
  // Somebody else's object is in the way: a conflict to report, not a name to avoid.
  if (holder === "foreign") return { name: join, isAmbiguous: false };
  if (holder !== undefined) return { name: hashed, isAmbiguous: true };
  const first = claimants(join, facts)
    .filter((other) => !isSame(other, facts.holder(hashedName(other, facts.hash8))))
    .toSorted(compare)[0];
  return first === undefined || compare(place, first) <= 0
    ? { name: join, isAmbiguous: false }
    : { name: hashed, isAmbiguous: true };
}
