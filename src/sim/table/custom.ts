import type { Cell, Column, Printer } from "../kinds/kind.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";
import { plainPrinter } from "./core.ts";
import { NAME_COLUMN, ageText, nameOf } from "./text.ts";

/** A printer column of a CustomResourceDefinition. */
export interface CustomColumn extends Column {
  /** A simple path such as `.spec.nets[0]` or `.metadata.creationTimestamp`. */
  readonly jsonPath: string;
}

/** The printer of a custom kind: its columns, or name and age when it defines none. */
export function customPrinter(columns: readonly CustomColumn[]): Printer {
  if (columns.length === 0) return plainPrinter;
  return {
    columns: [
      NAME_COLUMN,
      ...columns.map(({ name, type, format, description, priority }) => ({
        name,
        type,
        format,
        description:
          description === ""
            ? `Custom resource definition column (in JSONPath format): ${columns.find((item) => item.name === name)?.jsonPath ?? ""}`
            : description,
        priority,
      })),
    ],
    cells: (object, nowMs) => [
      nameOf(object),
      ...columns.map((column) => cell(column, pathValues(object, column.jsonPath), nowMs)),
    ],
  };
}

/** The values at a JSONPath of names, indexes and `[*]`. */
export function pathValues(object: JsonObject, path: string): Json[] {
  let values: Json[] = [object];
  for (const step of path.matchAll(/\.([\w-]+)|\[(\d+|\*)\]|\['([^']+)'\]/g)) {
    const name = step[1] ?? step[3];
    const index = step[2];
    values = values.flatMap((value): Json[] => {
      if (name !== undefined) {
        const next = isObject(value) ? value[name] : undefined;
        return next === undefined ? [] : [next];
      }
      if (!Array.isArray(value)) return [];
      if (index === "*") return value;
      const item = value[Number(index)];
      return item === undefined ? [] : [item];
    });
  }
  return values;
}

function cell(column: CustomColumn, values: readonly Json[], nowMs: number): Cell {
  const value = values[0];
  if (value === undefined || value === null) return null;
  switch (column.type) {
    case "integer":
    case "number":
      return typeof value === "number" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      return typeof value === "string" ? ageText(value, nowMs) : null;
    case "string":
      return typeof value === "object" ? JSON.stringify(value) : String(value);
    default:
      return null;
  }
}
