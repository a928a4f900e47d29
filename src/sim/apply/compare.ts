import { equal, isObject, type Json } from "../json.ts";
import { FieldSet } from "./field-set.ts";
import { itemStep, type Shape } from "./shape.ts";

/** What differs between two values, by path. */
export interface Comparison {
  readonly added: FieldSet;
  readonly removed: FieldSet;
  readonly modified: FieldSet;
}

/** Compares two objects of one shape. */
export function compare(
  shape: Shape,
  before: Json | undefined,
  after: Json | undefined,
): Comparison {
  const out: Comparison = {
    added: new FieldSet(),
    removed: new FieldSet(),
    modified: new FieldSet(),
  };
  walk(shape, before, after, [], out);
  return out;
}

/** Without the paths of `fields` and everything under them. */
export function without(comparison: Comparison, fields: FieldSet): Comparison {
  return {
    added: comparison.added.without(fields),
    removed: comparison.removed.without(fields),
    modified: comparison.modified.without(fields),
  };
}

function walk(
  shape: Shape,
  before: Json | undefined,
  after: Json | undefined,
  path: readonly string[],
  out: Comparison,
): void {
  if (!isLeaf(shape, before, after)) {
    for (const [step, item, a, b] of parts(shape, before, after))
      walk(item, a, b, [...path, step], out);
  } else if (before !== undefined && after !== undefined) {
    if (!equal(before, after)) out.modified.insert(path);
    return;
  }
  if (before === undefined) out.added.insert(path);
  else if (after === undefined) out.removed.insert(path);
}

function isLeaf(shape: Shape, before: Json | undefined, after: Json | undefined): boolean {
  if (shape.kind === "leaf") return true;
  const empty = (value: Json | undefined): boolean =>
    value === undefined ||
    value === null ||
    (Array.isArray(value)
      ? value.length === 0
      : !isObject(value) || Object.keys(value).length === 0);
  return empty(before) && empty(after);
}

function parts(
  shape: Shape,
  before: Json | undefined,
  after: Json | undefined,
): [string, Shape, Json | undefined, Json | undefined][] {
  if (shape.kind === "map") {
    const a = isObject(before) ? before : {};
    const b = isObject(after) ? after : {};
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].map((name) => [
      `f:${name}`,
      shape.at(name, (b[name] ?? a[name]) as Json),
      a[name],
      b[name],
    ]);
  }
  const items = (value: Json | undefined): Map<string, Json> =>
    new Map((Array.isArray(value) ? value : []).map((item) => [itemStep(shape, item), item]));
  const a = items(before);
  const b = items(after);
  const item: Shape = shape.kind === "list" ? shape.item : { kind: "leaf" };
  return [...new Set([...a.keys(), ...b.keys()])].map((step) => [
    step,
    item,
    a.get(step),
    b.get(step),
  ]);
}

/** The paths that someone who states `value` claims to own. */
export function fieldsOf(shape: Shape, value: Json): FieldSet {
  const out = new FieldSet();
  claim(shape, value, [], out);
  return out;
}

function claim(shape: Shape, value: Json, path: readonly string[], out: FieldSet): void {
  if (shape.kind === "leaf") {
    out.insert(path);
    return;
  }
  if (shape.kind === "map") {
    if (!isObject(value)) return;
    for (const [name, item] of Object.entries(value)) {
      const here = [...path, `f:${name}`];
      claim(shape.at(name, item), item, here, out);
      const isEmpty = item === null || (isObject(item) && Object.keys(item).length === 0);
      if (isEmpty || !shape.isField(name)) out.insert(here);
    }
    return;
  }
  if (!Array.isArray(value)) return;
  for (const item of value) {
    const here = [...path, itemStep(shape, item)];
    if (shape.kind === "list") claim(shape.item, item, here, out);
    out.insert(here);
  }
}
