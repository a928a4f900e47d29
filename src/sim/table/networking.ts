import type { Printer } from "../kinds/kind.ts";
import { arrayAt, numberAt, objectAt, objectsAt, stringAt, type JsonObject } from "../json.ts";
import { AGE_COLUMN, NAME_COLUMN, ageOf, column, nameOf, selectorText } from "./text.ts";

/** NetworkPolicies. */
export const networkPolicyPrinter: Printer = {
  columns: [NAME_COLUMN, column("Pod-Selector", "The pods it is about."), AGE_COLUMN],
  cells: (object, nowMs) => [
    nameOf(object),
    selectorText(objectAt(objectAt(object, "spec"), "podSelector")),
    ageOf(object, nowMs),
  ],
};

/** EndpointSlices. */
export const endpointSlicePrinter: Printer = {
  columns: [
    NAME_COLUMN,
    column("AddressType", "The type of its addresses."),
    column("Ports", "The ports of its endpoints."),
    column("Endpoints", "The addresses of its endpoints."),
    AGE_COLUMN,
  ],
  cells: (object, nowMs) => [
    nameOf(object),
    stringAt(object, "addressType"),
    portsText(object),
    endpointsText(object),
    ageOf(object, nowMs),
  ],
};

function few(items: readonly string[], none: string): string {
  if (items.length === 0) return none;
  const more = items.length - 3;
  return items.slice(0, 3).join(",") + (more > 0 ? ` + ${more} more...` : "");
}

function portsText(slice: JsonObject): string {
  const ports = objectsAt(slice, "ports").map((port) => {
    const name = stringAt(port, "name");
    const number = numberAt(port, "port");
    if (number !== 0) return String(number);
    return name === "" ? "*" : name;
  });
  return few(ports, "<unset>");
}

function endpointsText(slice: JsonObject): string {
  const addresses = objectsAt(slice, "endpoints").flatMap((endpoint) =>
    arrayAt(endpoint, "addresses").map(String),
  );
  return few(addresses, "<unset>");
}
