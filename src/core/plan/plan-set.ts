import { FAMILY_KEYS, type Labels } from "../membership/profile.ts";
import type { SetKey } from "../membership/set-id.ts";

/** A set's object as it should be. */
export interface DesiredSet {
  readonly name: string;
  /** The set that the object holds; recorded on it, so that an edit of its labels does not make it a stranger. */
  readonly owner: SetKey;
  /** Which of the set's objects, from 1. */
  readonly shard: number;
  readonly labels: Labels;
  /** Canonical, disjoint, unique, sorted. */
  readonly nets: readonly string[];
}

/** A set's object as the local cluster has it. */
export interface ActualSet {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** The set that it was written for, when it says so. */
  readonly owner: SetKey | undefined;
  /** Which of the set's objects it is; 1 when it does not say. */
  readonly shard: number;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly nets: readonly string[];
  /** Since when it has been empty, milliseconds since the epoch, to the second; written in the request that empties it. */
  readonly emptySince: number | undefined;
  /** What else its metadata holds that an update must carry along unchanged: finalizers, ownerReferences. */
  readonly carried: Readonly<Record<string, unknown>>;
}

/** What to do about one object. */
export type SetChange =
  | { readonly kind: "none" }
  /** The object is right for now and must be looked at again after `delayMs`. */
  | { readonly kind: "later"; readonly delayMs: number }
  | { readonly kind: "create"; readonly object: DesiredSet }
  | { readonly kind: "replace"; readonly object: ActualSet; readonly reason: string }
  | { readonly kind: "delete"; readonly object: ActualSet }
  /** An object of this name exists and is not ours: it is never touched. */
  | { readonly kind: "conflict"; readonly object: ActualSet };

/** What `planSet` needs to know besides the two states. */
export interface PlanFacts {
  /** Whether the actual object is ours, and holds this very set. */
  readonly isOurs: (actual: ActualSet) => boolean;
  /** Wall clock, milliseconds since the epoch. */
  readonly now: number;
  /** How long an empty set keeps its object, in milliseconds. */
  readonly emptyGraceMs: number;
}

function sameNets(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((net, index) => net === b[index]);
}

/** `wanted`, and of `actual` what others put there: labels of another generation of ours go. */
function mergedLabels(wanted: Labels, actual: Labels): Labels {
  const foreign = Object.entries(actual).filter(([key]) => !FAMILY_KEYS.has(key));
  return { ...Object.fromEntries(foreign), ...wanted };
}

function sameLabels(a: Labels, b: Labels): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

function planPresent(desired: DesiredSet, actual: ActualSet): SetChange {
  const labels = mergedLabels(desired.labels, actual.labels);
  const reasons = [
    !sameNets(desired.nets, actual.nets) && "members",
    !sameLabels(labels, actual.labels) && "labels",
    actual.emptySince !== undefined && "no longer empty",
  ].filter((reason) => reason !== false);
  if (reasons.length === 0) return { kind: "none" };
  const object: ActualSet = {
    ...actual,
    owner: desired.owner,
    shard: desired.shard,
    nets: desired.nets,
    labels,
    emptySince: undefined,
  };
  return { kind: "replace", object, reason: reasons.join(", ") };
}

function planAbsent(actual: ActualSet, facts: PlanFacts): SetChange {
  const { emptySince } = actual;
  if (actual.nets.length > 0 || emptySince === undefined) {
    const object: ActualSet = { ...actual, nets: [], emptySince: facts.now };
    return { kind: "replace", object, reason: "empty" };
  }
  // A time in the future is a stepped clock or a hand edit, and must not keep the object for ever.
  const age = Math.max(0, facts.now - emptySince);
  return age >= facts.emptyGraceMs
    ? { kind: "delete", object: actual }
    : { kind: "later", delayMs: facts.emptyGraceMs - age };
}

/**
 * The change that brings `actual` to `desired`; undefined stands for "no such set" and "no such object".
 * An object without a desired set is emptied, and deleted when it has been empty for the grace time.
 * Applying the change and planning again gives `none` or `later`.
 */
export function planSet(
  desired: DesiredSet | undefined,
  actual: ActualSet | undefined,
  facts: PlanFacts,
): SetChange {
  if (actual === undefined) {
    return desired === undefined ? { kind: "none" } : { kind: "create", object: desired };
  }
  if (!facts.isOurs(actual)) {
    return desired === undefined ? { kind: "none" } : { kind: "conflict", object: actual };
  }
  return desired === undefined ? planAbsent(actual, facts) : planPresent(desired, actual);
}
