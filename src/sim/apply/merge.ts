import { clone, isObject, type Json, type JsonObject } from "../json.ts";
import type { FieldSet } from "./field-set.ts";
import { itemStep, type Shape } from "./shape.ts";

/** Merges an applied configuration into a live value: what it states wins, the rest stays. */
export function mergeConfig(shape: Shape, live: Json | undefined, config: Json): Json {
  if (live === undefined || shape.kind === "leaf" || config === null) return clone(config);
  if (shape.kind === "map") {
    if (!isObject(live) || !isObject(config)) return clone(config);
    const out: JsonObject = clone(live);
    for (const [name, value] of Object.entries(config))
      out[name] = mergeConfig(shape.at(name, value), live[name], value);
    return out;
  }
  if (!Array.isArray(live) || !Array.isArray(config)) return clone(config);
  return mergeItems(shape, live, config);
}

/** Items of the configuration come in its order; others keep their place among the live ones. */
function mergeItems(
  shape: Extract<Shape, { kind: "set" | "list" }>,
  live: readonly Json[],
  config: readonly Json[],
): Json[] {
  const item: Shape = shape.kind === "list" ? shape.item : { kind: "leaf" };
  const before = new Map(live.map((value) => [itemStep(shape, value), value]));
  const wanted = new Set(config.map((value) => itemStep(shape, value)));
  const out: Json[] = [];
  let next = 0;
  const takeOne = (): string => {
    const value = config[next++] as Json;
    const step = itemStep(shape, value);
    out.push(mergeConfig(item, before.get(step), value));
    return step;
  };
  const taken = new Set<string>();
  for (const value of live) {
    const step = itemStep(shape, value);
    if (!wanted.has(step)) out.push(clone(value));
    else if (!taken.has(step))
      while (next < config.length && !taken.has(step)) taken.add(takeOne());
  }
  while (next < config.length) takeOne();
  return out;
}

/** Removes from `value` what is in `last` and in nobody's set any more. Gives undefined when nothing is left. */
export function removeUnowned(
  shape: Shape,
  value: Json,
  last: FieldSet,
  owned: FieldSet,
): Json | undefined {
  if (shape.kind === "leaf") return value;
  if (shape.kind === "map") {
    if (!isObject(value)) return value;
    const out: JsonObject = {};
    for (const [name, item] of Object.entries(value)) {
      const kept = keep(shape.at(name, item), item, `f:${name}`, last, owned);
      if (kept !== undefined) out[name] = kept;
    }
    return out;
  }
  if (!Array.isArray(value)) return value;
  const itemShape: Shape = shape.kind === "list" ? shape.item : { kind: "leaf" };
  const out = value.flatMap((item) => {
    const kept = keep(itemShape, item, itemStep(shape, item), last, owned);
    return kept === undefined ? [] : [kept];
  });
  return out.length === 0 && value.length > 0 ? undefined : out;
}

function keep(
  shape: Shape,
  value: Json,
  step: string,
  last: FieldSet,
  owned: FieldSet,
): Json | undefined {
  const under = last.children.get(step);
  if (under === undefined && !last.members.has(step)) return value;
  const stillOwned = owned.children.get(step);
  if (!owned.members.has(step) && stillOwned === undefined) return undefined;
  if (under === undefined || stillOwned === undefined) return value;
  return removeUnowned(shape, value, under, stillOwned);
}
