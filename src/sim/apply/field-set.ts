import { isObject, type JsonObject } from "../json.ts";

/**
 * A set of field paths as managedFields keep it (KEP-555). A step of a path is written as in FieldsV1:
 * `f:NAME` for a field, `k:{…}` for an item of a keyed list, `v:VALUE` for an item of a set.
 */
export class FieldSet {
  /** Steps that are in the set themselves. */
  readonly members: Set<string> = new Set();
  /** Steps under which there is more. None is empty. */
  readonly children: Map<string, FieldSet> = new Map();

  /** Reads FieldsV1. What is no object is read as empty. */
  static parse(fields: JsonObject): FieldSet {
    const out = new FieldSet();
    for (const [step, value] of Object.entries(fields)) {
      if (step === "." || !isObject(value)) continue;
      const keys = Object.keys(value);
      if (keys.length === 0 || "." in value) out.members.add(step);
      if (keys.some((key) => key !== ".")) out.children.set(step, FieldSet.parse(value));
    }
    return out;
  }

  /** Prints FieldsV1, sorted. */
  print(): JsonObject {
    const out: JsonObject = {};
    for (const step of [...new Set([...this.members, ...this.children.keys()])].toSorted()) {
      const child = this.children.get(step);
      if (child === undefined) out[step] = {};
      else out[step] = this.members.has(step) ? { ".": {}, ...child.print() } : child.print();
    }
    return out;
  }

  get isEmpty(): boolean {
    return this.members.size === 0 && this.children.size === 0;
  }

  insert(path: readonly string[]): void {
    const [step, ...rest] = path;
    if (step === undefined) return;
    if (rest.length === 0) {
      this.members.add(step);
      return;
    }
    let child = this.children.get(step);
    if (child === undefined) this.children.set(step, (child = new FieldSet()));
    child.insert(rest);
  }

  union(other: FieldSet): FieldSet {
    return this.combine(other, (a, b) => a || b);
  }

  intersection(other: FieldSet): FieldSet {
    return this.combine(other, (a, b) => a && b);
  }

  difference(other: FieldSet): FieldSet {
    return this.combine(other, (a, b) => a && !b);
  }

  /** Without the paths of `other` and everything under them. */
  without(other: FieldSet): FieldSet {
    const out = new FieldSet();
    for (const step of this.members) if (!other.members.has(step)) out.members.add(step);
    for (const [step, child] of this.children) {
      if (other.members.has(step)) continue;
      const cut = other.children.get(step);
      const kept = cut === undefined ? child : child.without(cut);
      if (!kept.isEmpty) out.children.set(step, kept);
    }
    return out;
  }

  /** Every path: of each level its own members first, then what is under them. */
  paths(): string[][] {
    const own = [...this.members].toSorted().map((step) => [step]);
    const under = [...this.children].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return [
      ...own,
      ...under.flatMap(([step, child]) => child.paths().map((rest) => [step, ...rest])),
    ];
  }

  private combine(other: FieldSet, keep: (a: boolean, b: boolean) => boolean): FieldSet {
    const out = new FieldSet();
    for (const step of new Set([...this.members, ...other.members]))
      if (keep(this.members.has(step), other.members.has(step))) out.members.add(step);
    for (const step of new Set([...this.children.keys(), ...other.children.keys()])) {
      const mine = this.children.get(step) ?? new FieldSet();
      const child = mine.combine(other.children.get(step) ?? new FieldSet(), keep);
      if (!child.isEmpty) out.children.set(step, child);
    }
    return out;
  }
}

/** A path in the notation of conflict messages: `.spec.containers[name="c"].image`. */
export function pathText(path: readonly string[]): string {
  return path
    .map((step) => {
      const rest = step.slice(2);
      if (step.startsWith("f:")) return `.${rest}`;
      if (step.startsWith("v:")) return `[=${rest}]`;
      const keys = JSON.parse(rest) as JsonObject;
      return `[${Object.entries(keys)
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .join(",")}]`;
    })
    .join("");
}
