import type { Cause } from "./errors.ts";
import {
  isObject,
  objectAt,
  objectsAt,
  arrayAt,
  scalarText,
  stringAt,
  type Json,
  type JsonObject,
} from "../json.ts";

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;

const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1035_TEXT =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED_TEXT =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE_TEXT =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/** Which rule the names of a kind follow. */
export type NameRule = "subdomain" | "label" | "label-1035";

/** A cause with reason FieldValueInvalid. */
export function invalidValue(field: string, value: Json, text: string): Cause {
  return {
    reason: "FieldValueInvalid",
    message: `Invalid value: ${JSON.stringify(value)}: ${text}`,
    field,
  };
}

/** A cause with reason FieldValueRequired. */
export function requiredValue(field: string, text = ""): Cause {
  return {
    reason: "FieldValueRequired",
    message: text === "" ? "Required value" : `Required value: ${text}`,
    field,
  };
}

/** A cause with reason FieldValueForbidden. */
export function forbiddenValue(field: string, text: string): Cause {
  return { reason: "FieldValueForbidden", message: `Forbidden: ${text}`, field };
}

/** A cause with reason FieldValueNotSupported. */
export function unsupportedValue(
  field: string,
  value: string,
  supported: readonly string[],
): Cause {
  return {
    reason: "FieldValueNotSupported",
    message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported.map((item) => JSON.stringify(item)).join(", ")}`,
    field,
  };
}

/** A cause with reason FieldValueDuplicate. */
export function duplicateValue(field: string, value: Json): Cause {
  return {
    reason: "FieldValueDuplicate",
    message: `Duplicate value: ${JSON.stringify(value)}`,
    field,
  };
}

/** What is wrong with a name, as texts. */
export function nameProblems(rule: NameRule, name: string): string[] {
  const longest = rule === "subdomain" ? 253 : 63;
  const out: string[] = [];
  if (name.length > longest) out.push(`must be no more than ${longest} characters`);
  const [pattern, text] =
    rule === "subdomain"
      ? ([SUBDOMAIN, SUBDOMAIN_TEXT] as const)
      : rule === "label"
        ? ([LABEL, LABEL_TEXT] as const)
        : ([LABEL_1035, LABEL_1035_TEXT] as const);
  if (!pattern.test(name)) out.push(text);
  return out;
}

function qualifiedProblems(key: string): string[] {
  const parts = key.split("/");
  if (parts.length > 2)
    return [
      "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    ];
  const name = parts.at(-1) as string;
  const out: string[] = [];
  if (parts.length === 2) {
    const prefix = parts[0] as string;
    if (prefix === "") out.push("prefix part must be non-empty");
    else out.push(...nameProblems("subdomain", prefix).map((text) => `prefix part ${text}`));
  }
  if (name === "") out.push("name part must be non-empty");
  else if (name.length > 63) out.push("name part must be no more than 63 characters");
  if (!QUALIFIED.test(name)) out.push(QUALIFIED_TEXT);
  return out;
}

/** What is wrong with a map of labels. */
export function labelCauses(labels: JsonObject, field: string): Cause[] {
  const out: Cause[] = [];
  for (const key of Object.keys(labels).toSorted()) {
    for (const text of qualifiedProblems(key)) out.push(invalidValue(field, key, text));
    const value = stringAt(labels, key);
    if (value.length > 63)
      out.push({ ...invalidValue(field, value, "must be no more than 63 bytes") });
    if (!VALUE.test(value)) out.push(invalidValue(field, value, VALUE_TEXT));
  }
  return out;
}

/** What is wrong with a LabelSelector (meta/v1). */
export function selectorCauses(selector: JsonObject, field: string): Cause[] {
  const out = labelCauses(objectAt(selector, "matchLabels"), `${field}.matchLabels`);
  for (const [index, item] of objectsAt(selector, "matchExpressions").entries()) {
    const here = `${field}.matchExpressions[${index}]`;
    const operator = stringAt(item, "operator");
    const values = arrayAt(item, "values");
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0)
        out.push(
          requiredValue(`${here}.values`, "must be specified when `operator` is 'In' or 'NotIn'"),
        );
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (values.length > 0)
        out.push(
          forbiddenValue(
            `${here}.values`,
            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
          ),
        );
    } else out.push(invalidValue(`${here}.operator`, operator, "not a valid selector operator"));
    for (const text of qualifiedProblems(stringAt(item, "key")))
      out.push(invalidValue(`${here}.key`, stringAt(item, "key"), text));
    for (const [at, value] of values.entries())
      if (!VALUE.test(scalarText(value)))
        out.push(invalidValue(`${here}.values[${at}]`, value, VALUE_TEXT));
  }
  return out;
}

const MAX_ANNOTATIONS_BYTES = 256 * 1024;

/** What is wrong with the metadata of an object that is to be written. */
export function metadataCauses(metadata: JsonObject, rule: NameRule): Cause[] {
  const out: Cause[] = [];
  const name = stringAt(metadata, "name");
  const generateName = stringAt(metadata, "generateName");
  if (generateName !== "")
    for (const text of nameProblems(rule, generateName.replace(/[-.]+$/, "")))
      out.push(invalidValue("metadata.generateName", generateName, text));
  if (name === "") out.push(requiredValue("metadata.name", "name or generateName is required"));
  else
    for (const text of nameProblems(rule, name))
      out.push(invalidValue("metadata.name", name, text));
  out.push(...labelCauses(objectAt(metadata, "labels"), "metadata.labels"));
  const annotations = objectAt(metadata, "annotations");
  let bytes = 0;
  for (const key of Object.keys(annotations).toSorted()) {
    for (const text of qualifiedProblems(key.toLowerCase()))
      out.push(invalidValue("metadata.annotations", key, text));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(stringAt(annotations, key));
  }
  if (bytes > MAX_ANNOTATIONS_BYTES)
    out.push({
      reason: "FieldValueTooLong",
      message: `Too long: may not be more than ${MAX_ANNOTATIONS_BYTES} bytes`,
      field: "metadata.annotations",
    });
  for (const [index, finalizer] of arrayAt(metadata, "finalizers").entries()) {
    const field = `metadata.finalizers[${index}]`;
    const text = scalarText(finalizer);
    for (const problem of qualifiedProblems(text)) out.push(invalidValue(field, text, problem));
    if (!text.includes("/") && !STANDARD_FINALIZERS.has(text))
      out.push(
        invalidValue(
          field,
          text,
          "name is neither a standard finalizer name nor is it fully qualified",
        ),
      );
  }
  for (const [index, owner] of objectsAt(metadata, "ownerReferences").entries())
    for (const key of ["apiVersion", "kind", "name", "uid"])
      if (stringAt(owner, key) === "")
        out.push(
          invalidValue(
            `metadata.ownerReferences[${index}].${key}`,
            "",
            `${key === "apiVersion" ? "version" : key} must not be empty`,
          ),
        );
  return out;
}

const STANDARD_FINALIZERS = new Set(["kubernetes", "orphan", "foregroundDeletion"]);

/** What may not change in metadata. */
export function immutableMetadataCauses(fresh: JsonObject, old: JsonObject): Cause[] {
  const out: Cause[] = [];
  for (const key of ["name", "namespace", "uid"]) {
    const value = stringAt(fresh, key);
    if (value !== stringAt(old, key))
      out.push(invalidValue(`metadata.${key}`, value, "field is immutable"));
  }
  if (isObject(old) && old["deletionTimestamp"] !== undefined) {
    const before = new Set(arrayAt(old, "finalizers").map(String));
    const added = arrayAt(fresh, "finalizers")
      .map(String)
      .filter((item) => !before.has(item));
    if (added.length > 0)
      out.push(
        forbiddenValue(
          "metadata.finalizers",
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((item) => JSON.stringify(item)).join(", ")}}`,
        ),
      );
  }
  return out;
}
