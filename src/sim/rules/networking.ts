import { isIP } from "node:net";
import type { Cause } from "../api/errors.ts";
import {
  forbiddenValue,
  invalidValue,
  requiredValue,
  selectorCauses,
  unsupportedValue,
} from "../api/names.ts";
import { parseCidr } from "../../core/address/cidr.ts";
import {
  arrayAt,
  isObject,
  numberAt,
  objectAt,
  objectsAt,
  scalarText,
  stringAt,
  type JsonObject,
} from "../json.ts";
import type { Rules } from "./rule.ts";

const PROTOCOLS = ["SCTP", "TCP", "UDP"];

/** NetworkPolicies. */
export const NETWORK_POLICY_RULES: Rules = {
  nameRule: "subdomain",
  unconditionalUpdate: true,
  defaults: (object) => {
    const spec = objectAt(object, "spec");
    object["spec"] = spec;
    if (arrayAt(spec, "policyTypes").length === 0)
      spec["policyTypes"] =
        objectsAt(spec, "egress").length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
    for (const rule of [...objectsAt(spec, "ingress"), ...objectsAt(spec, "egress")])
      for (const port of objectsAt(rule, "ports"))
        if (port["protocol"] === undefined) port["protocol"] = "TCP";
  },
  validate: (object) => {
    const spec = objectAt(object, "spec");
    const out = selectorCauses(objectAt(spec, "podSelector"), "spec.podSelector");
    for (const [direction, peers] of [
      ["ingress", "from"],
      ["egress", "to"],
    ] as const)
      for (const [index, rule] of objectsAt(spec, direction).entries())
        out.push(...ruleCauses(rule, peers, `spec.${direction}[${index}]`));
    for (const [index, type] of arrayAt(spec, "policyTypes").entries())
      if (type !== "Ingress" && type !== "Egress")
        out.push(
          unsupportedValue(`spec.policyTypes[${index}]`, scalarText(type), ["Egress", "Ingress"]),
        );
    return out;
  },
};

function ruleCauses(rule: JsonObject, peers: string, path: string): Cause[] {
  const out: Cause[] = [];
  for (const [index, port] of objectsAt(rule, "ports").entries())
    out.push(...portCauses(port, `${path}.ports[${index}]`));
  for (const [index, peer] of objectsAt(rule, peers).entries())
    out.push(...peerCauses(peer, `${path}.${peers}[${index}]`));
  return out;
}

function portCauses(port: JsonObject, path: string): Cause[] {
  const out: Cause[] = [];
  const protocol = stringAt(port, "protocol");
  if (!PROTOCOLS.includes(protocol))
    out.push(unsupportedValue(`${path}.protocol`, protocol, PROTOCOLS));
  const value = port["port"];
  const end = port["endPort"];
  if (typeof value === "number" && (value < 1 || value > 65_535))
    out.push(invalidValue(`${path}.port`, value, "must be between 1 and 65535, inclusive"));
  if (end !== undefined) {
    if (value === undefined)
      out.push(requiredValue(`${path}.port`, "must be specified when `endPort` is specified"));
    else if (typeof value === "string")
      out.push(
        invalidValue(`${path}.endPort`, end, "may not be specified when `port` is non-numeric"),
      );
    else if (numberAt(port, "endPort") < Number(value))
      out.push(invalidValue(`${path}.endPort`, end, "must be greater than or equal to `port`"));
  }
  return out;
}

function peerCauses(peer: JsonObject, path: string): Cause[] {
  const out: Cause[] = [];
  let parts = 0;
  for (const key of ["podSelector", "namespaceSelector"]) {
    const selector = peer[key];
    if (!isObject(selector)) continue;
    parts++;
    out.push(...selectorCauses(selector, `${path}.${key}`));
  }
  const block = peer["ipBlock"];
  if (isObject(block)) {
    parts++;
    const cidr = stringAt(block, "cidr");
    if (cidr === "") out.push(requiredValue(`${path}.ipBlock.cidr`));
    else if (!isCidr(cidr))
      out.push(
        invalidValue(
          `${path}.ipBlock.cidr`,
          cidr,
          "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
        ),
      );
    for (const [index, except] of arrayAt(block, "except").entries())
      if (!isCidr(scalarText(except)))
        out.push(
          invalidValue(
            `${path}.ipBlock.except[${index}]`,
            except,
            "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
          ),
        );
  }
  if (parts === 0) out.push(requiredValue(path, "must specify a peer"));
  else if (isObject(block) && parts > 1)
    out.push(forbiddenValue(path, "may not specify both ipBlock and another peer"));
  return out;
}

function isCidr(text: string): boolean {
  return text.includes("/") && parseCidr(text) !== undefined;
}

/** EndpointSlices. */
export const ENDPOINT_SLICE_RULES: Rules = {
  nameRule: "subdomain",
  unconditionalUpdate: true,
  defaults: (object) => {
    for (const port of objectsAt(object, "ports")) {
      if (port["name"] === undefined) port["name"] = "";
      if (port["protocol"] === undefined) port["protocol"] = "TCP";
    }
  },
  validate: (object) => {
    const type = stringAt(object, "addressType");
    const out: Cause[] = [];
    if (type === "") out.push(requiredValue("addressType"));
    else if (!["IPv4", "IPv6", "FQDN"].includes(type))
      out.push(unsupportedValue("addressType", type, ["FQDN", "IPv4", "IPv6"]));
    for (const [index, endpoint] of objectsAt(object, "endpoints").entries()) {
      const addresses = arrayAt(endpoint, "addresses");
      if (addresses.length === 0)
        out.push(requiredValue(`endpoints[${index}].addresses`, "must contain at least 1 address"));
      for (const [at, address] of addresses.entries())
        out.push(...addressCauses(type, scalarText(address), `endpoints[${index}].addresses`, at));
    }
    return out;
  },
  validateUpdate: (fresh, old) =>
    stringAt(fresh, "addressType") === stringAt(old, "addressType")
      ? []
      : [invalidValue("addressType", stringAt(fresh, "addressType"), "field is immutable")],
};

function addressCauses(type: string, address: string, field: string, index: number): Cause[] {
  if (type === "FQDN") return [];
  const out: Cause[] = [];
  const family = isIP(address);
  if (type === "IPv4" && family !== 4)
    out.push(invalidValue(field, address, "must be an IPv4 address"));
  if (type === "IPv6" && family !== 6)
    out.push(invalidValue(field, address, "must be an IPv6 address"));
  const special = specialRange(address);
  if (special !== undefined) out.push(invalidValue(`${field}[${index}]`, address, special));
  return out;
}

/** Why no endpoint can have the address, or undefined. */
function specialRange(address: string): string | undefined {
  if (address === "0.0.0.0" || address === "::") return `may not be unspecified (${address})`;
  if (address === "::1" || address.startsWith("127."))
    return "may not be in the loopback range (127.0.0.0/8, ::1/128)";
  if (address.startsWith("169.254.") || /^fe[89ab]/i.test(address))
    return "may not be in the link-local range (169.254.0.0/16, fe80::/10)";
  if (address.startsWith("224.0.0.") || /^ff02:/i.test(address))
    return "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)";
  return undefined;
}

/** Leases. */
export const LEASE_RULES: Rules = {
  nameRule: "subdomain",
  unconditionalUpdate: false,
  validate: (object) => {
    const spec = objectAt(object, "spec");
    const out: Cause[] = [];
    const seconds = spec["leaseDurationSeconds"];
    if (typeof seconds === "number" && seconds <= 0)
      out.push(invalidValue("spec.leaseDurationSeconds", seconds, "must be greater than 0"));
    const transitions = spec["leaseTransitions"];
    if (typeof transitions === "number" && transitions < 0)
      out.push(
        invalidValue("spec.leaseTransitions", transitions, "must be greater than or equal to 0"),
      );
    return out;
  },
};
