import { clone, equal, isObject, stringAt, type Json, type JsonObject } from "../json.ts";

/** A JSON patch (RFC 6902) that cannot be applied. */
export class PatchError extends Error {}

/** Applies JSON patch operations to a copy of `document`. Throws PatchError. */
export function applyJsonPatch(
  document: JsonObject,
  operations: readonly JsonObject[],
): JsonObject {
  let root: Json = clone(document);
  for (const operation of operations) {
    const path = pointer(operation["path"]);
    const value = operation["value"];
    switch (stringAt(operation, "op")) {
      case "add":
        root = add(root, path, clone(needed(value)));
        break;
      case "remove":
        root = remove(root, path).root;
        break;
      case "replace":
        read(root, path);
        root = path.length === 0 ? clone(needed(value)) : replace(root, path, clone(needed(value)));
        break;
      case "move": {
        const taken = remove(root, pointer(operation["from"]));
        root = add(taken.root, path, taken.value);
        break;
      }
      case "copy":
        root = add(root, path, clone(read(root, pointer(operation["from"]))));
        break;
      case "test":
        if (!equal(readOrNull(root, path), value ?? null))
          throw new PatchError(`testing value ${stringAt(operation, "path")} failed`);
        break;
      default:
        throw new PatchError(`Unexpected kind: ${stringAt(operation, "op")}`);
    }
  }
  if (!isObject(root)) throw new PatchError("the patched document is not an object");
  return root;
}

function needed(value: Json | undefined): Json {
  if (value === undefined) throw new PatchError("missing value");
  return value;
}

function pointer(text: Json | undefined): string[] {
  if (typeof text !== "string") throw new PatchError("missing path");
  if (text === "") return [];
  if (!text.startsWith("/")) throw new PatchError(`missing path: ${text}`);
  return text
    .slice(1)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function step(value: Json, part: string): Json | undefined {
  if (Array.isArray(value)) return value[index(value, part, false)];
  return isObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
}

function index(array: readonly Json[], part: string, adding: boolean): number {
  if (part === "-" && adding) return array.length;
  if (!/^(0|[1-9]\d*|-[1-9]\d*)$/.test(part)) throw new PatchError(`invalid index ${part}`);
  const number = Number(part) < 0 ? array.length + Number(part) + (adding ? 1 : 0) : Number(part);
  if (number < 0 || number > array.length - (adding ? 0 : 1))
    throw new PatchError(`index ${part} out of bounds`);
  return number;
}

function read(root: Json, path: readonly string[]): Json {
  let value = root;
  for (const part of path) {
    const next = step(value, part);
    if (next === undefined) throw new PatchError(`missing key ${part}`);
    value = next;
  }
  return value;
}

function readOrNull(root: Json, path: readonly string[]): Json {
  try {
    return read(root, path);
  } catch {
    return null;
  }
}

function parentOf(root: Json, path: readonly string[]): Json {
  return read(root, path.slice(0, -1));
}

function add(root: Json, path: readonly string[], value: Json): Json {
  const last = path.at(-1);
  if (last === undefined) return value;
  const parent = parentOf(root, path);
  if (Array.isArray(parent)) parent.splice(index(parent, last, true), 0, value);
  else if (isObject(parent)) parent[last] = value;
  else throw new PatchError(`no container at ${path.join("/")}`);
  return root;
}

function replace(root: Json, path: readonly string[], value: Json): Json {
  const last = path.at(-1) as string;
  const parent = parentOf(root, path);
  if (Array.isArray(parent)) parent[index(parent, last, false)] = value;
  else if (isObject(parent)) parent[last] = value;
  return root;
}

function remove(
  root: Json,
  path: readonly string[],
): { readonly root: Json; readonly value: Json } {
  const last = path.at(-1);
  const value = read(root, path);
  if (last === undefined) return { root: null, value };
  const parent = parentOf(root, path);
  if (Array.isArray(parent)) parent.splice(index(parent, last, false), 1);
  else if (isObject(parent)) delete parent[last];
  return { root, value };
}
