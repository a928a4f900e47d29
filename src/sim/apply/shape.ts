import { isObject, stringAt, stringListAt, objectAt, type Json, type JsonObject } from "../json.ts";
import type { Kind } from "../kinds/kind.ts";
import type { Field, FieldType, MessageType, Schema } from "../schema/parse.ts";

/** How server-side apply looks at a value: whole, field by field, or item by item. */
export type Shape =
  | { readonly kind: "leaf" }
  | {
      readonly kind: "map";
      /** The shape of a field or entry. */
      readonly at: (name: string, value: Json) => Shape;
      /** Whether `name` is a field of a struct, which is not owned apart from what it holds. */
      readonly isField: (name: string) => boolean;
    }
  | { readonly kind: "set" }
  | { readonly kind: "list"; readonly keys: readonly string[]; readonly item: Shape };

const LEAF: Shape = { kind: "leaf" };

/** A value without a schema: maps by entry, everything else whole. */
const UNTYPED: Shape = {
  kind: "map",
  at: (_name, value) => (isObject(value) ? UNTYPED : LEAF),
  isField: () => false,
};

/** The shape of objects of `kind`. */
export function shapeOf(schema: Schema, kind: Kind): Shape {
  if (kind.message !== undefined) return messageShape(schema, schema.get(kind.message));
  const own = structuralShape(kind.structural ?? {});
  const metadata = messageShape(schema, schema.get("ObjectMeta"));
  if (own.kind !== "map") return own;
  return {
    kind: "map",
    at: (name, value) => (name === "metadata" ? metadata : own.at(name, value)),
    isField: (name) => name === "metadata" || own.isField(name),
  };
}

function messageShape(schema: Schema, type: MessageType | undefined): Shape {
  if (type === undefined || type.atomic) return LEAF;
  const shapes = new Map<string, Shape>();
  return {
    kind: "map",
    at: (name) => {
      let shape = shapes.get(name);
      if (shape === undefined) {
        const field = type.byName.get(name);
        shapes.set(name, (shape = field === undefined ? LEAF : fieldShape(schema, field)));
      }
      return shape;
    },
    isField: (name) => type.byName.has(name),
  };
}

function fieldShape(schema: Schema, field: Field): Shape {
  if (field.atomic) return LEAF;
  const { type } = field;
  if (type.kind === "list") {
    if (field.listType === "set") return { kind: "set" };
    if (field.listType === "map")
      return { kind: "list", keys: field.keys, item: typeShape(schema, type.element) };
    return LEAF;
  }
  return typeShape(schema, type);
}

function typeShape(schema: Schema, type: FieldType): Shape {
  if (type.kind === "message") return messageShape(schema, schema.get(type.name));
  if (type.kind === "map") {
    const element = typeShape(schema, type.element);
    return { kind: "map", at: () => element, isField: () => false };
  }
  return LEAF;
}

function structuralShape(schema: JsonObject): Shape {
  const type = stringAt(schema, "type");
  if (type === "array") {
    const items = objectAt(schema, "items");
    switch (stringAt(schema, "x-kubernetes-list-type")) {
      case "set":
        return { kind: "set" };
      case "map":
        return {
          kind: "list",
          keys: stringListAt(schema, "x-kubernetes-list-map-keys"),
          item: structuralShape(items),
        };
      default:
        return LEAF;
    }
  }
  if (type !== "object")
    return schema["x-kubernetes-preserve-unknown-fields"] === true ? UNTYPED : LEAF;
  if (schema["x-kubernetes-map-type"] === "atomic") return LEAF;
  const properties = objectAt(schema, "properties");
  const additional = schema["additionalProperties"];
  const entry = isObject(additional) ? structuralShape(additional) : undefined;
  return {
    kind: "map",
    at: (name, value) => {
      const property = properties[name];
      if (isObject(property)) return structuralShape(property);
      return entry ?? (isObject(value) ? UNTYPED : LEAF);
    },
    isField: (name) => isObject(properties[name]) || name === "apiVersion" || name === "kind",
  };
}

/** The step of an item of a keyed list or a set, as FieldsV1 writes it. */
export function itemStep(shape: Shape, item: Json): string {
  if (shape.kind !== "list" || !isObject(item)) return `v:${JSON.stringify(item)}`;
  const keys: JsonObject = {};
  for (const key of shape.keys.toSorted()) {
    const value = item[key];
    if (value !== undefined) keys[key] = value;
    // The one key that has a default in the kinds that are served.
    else if (key === "protocol") keys[key] = "TCP";
  }
  return `k:${JSON.stringify(keys)}`;
}
