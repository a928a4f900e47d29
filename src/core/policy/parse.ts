import { containsIp, formatCidr, networkOf, parseCidr, type Cidr } from "../address/cidr.ts";
import { isIpv4Mapped, type Ip } from "../address/ip.ts";
import { isDnsLabel, isDnsSubdomain } from "../model/names.ts";
import type { Protocol } from "../model/pod.ts";
import { labelKeyProblem, labelValueProblem } from "../selector/labels.ts";
import type { Operator, Requirement, Selector } from "../selector/selector.ts";
import { FieldReader, type FieldPath, type Problem } from "./fields.ts";
import type {
  Direction,
  IpBlock,
  NetworkPolicy,
  Peer,
  PolicyPort,
  Rule,
} from "./network-policy.ts";

/**
 * What became of an object that claims to be a NetworkPolicy.
 * `policy` is there whenever name and subject could be read, also beside problems: what could not be read in it
 * admits nobody while the subject stays isolated (semantics.md B24). Without `policy` the object must be refused.
 */
export interface ParsedPolicy {
  readonly policy: NetworkPolicy | undefined;
  readonly problems: readonly Problem[];
}

const PROTOCOLS: readonly string[] = ["TCP", "UDP", "SCTP"];
const OPERATORS: readonly string[] = ["In", "NotIn", "Exists", "DoesNotExist"];

/** The label selector in `value`, which the API calls meta/v1 LabelSelector; undefined when absent or broken. */
export function parseSelector(
  value: unknown,
  path: FieldPath,
  reader: FieldReader,
): Selector | undefined {
  const fields = reader.object(value, path);
  if (fields === undefined) return undefined;
  const before = reader.refusals;
  reader.only(fields, ["matchLabels", "matchExpressions"], path);
  const labelsPath = [...path, "matchLabels"];
  const requirements: Requirement[] = [];
  for (const [key, text] of Object.entries(reader.textMap(fields["matchLabels"], labelsPath))) {
    checkKey(key, [...labelsPath, key], reader);
    checkValue(text, [...labelsPath, key], reader);
    requirements.push({ key, operator: "In", values: [text] });
  }
  const listPath = [...path, "matchExpressions"];
  for (const [index, item] of (reader.list(fields["matchExpressions"], listPath) ?? []).entries()) {
    requirements.push(parseRequirement(item, [...listPath, index], reader));
  }
  return reader.refusals > before ? undefined : { requirements };
}

function checkKey(key: string, path: FieldPath, reader: FieldReader): void {
  const problem = labelKeyProblem(key);
  if (problem !== undefined) reader.refuse(path, key, `label key ${problem}`);
}

function checkValue(value: string, path: FieldPath, reader: FieldReader): void {
  const problem = labelValueProblem(value);
  if (problem !== undefined) reader.refuse(path, value, `label value ${problem}`);
}

function parseRequirement(value: unknown, path: FieldPath, reader: FieldReader): Requirement {
  const fields = reader.object(value, path);
  reader.only(fields, ["key", "operator", "values"], path);
  const key = reader.text(fields?.["key"], [...path, "key"]) ?? "";
  const operator = reader.text(fields?.["operator"], [...path, "operator"]) ?? "";
  const values = reader.texts(fields?.["values"], [...path, "values"]);
  checkKey(key, [...path, "key"], reader);
  values.forEach((text, index) => checkValue(text, [...path, "values", index], reader));
  if (!OPERATORS.includes(operator)) {
    reader.refuse([...path, "operator"], operator, `must be one of ${OPERATORS.join(", ")}`);
  } else if (operator === "In" || operator === "NotIn") {
    if (values.length === 0) {
      reader.refuse([...path, "values"], fields?.["values"], `must not be empty with ${operator}`);
    }
  } else if (values.length > 0) {
    reader.refuse([...path, "values"], values, `must be absent with ${operator}`);
  }
  return { key, operator: operator as Operator, values };
}

/** `text` without the leading zeros that API servers before 1.36 read as decimal. */
function withoutLeadingZeros(text: string): string {
  return text.replaceAll(/(^|[.:/])0+(?=[0-9a-fA-F])/g, "$1");
}

/** An IPv4-mapped range as the IPv4 range it means (semantics.md B10). */
function unmapped(cidr: Cidr): Cidr {
  return isIpv4Mapped(cidr) && cidr.prefix >= 96
    ? networkOf({ family: 4, bits: cidr.bits & 0xffff_ffffn }, cidr.prefix - 96)
    : cidr;
}

function parseBlockCidr(text: string, path: FieldPath, reader: FieldReader): Cidr | undefined {
  const strict = parseCidr(text);
  const cidr = strict ?? parseCidr(withoutLeadingZeros(text));
  if (cidr === undefined) {
    reader.refuse(path, text, "must be a range such as 10.9.8.0/24 or 2001:db8::/64");
    return undefined;
  }
  const address = addressOf(text);
  if (strict === undefined) {
    reader.refuse(path, text, "must not have leading zeros", "strict-cidr");
  } else if (address !== undefined && isIpv4Mapped(address)) {
    reader.refuse(path, text, "must not be an IPv4-mapped IPv6 range", "strict-cidr");
  } else if (address !== undefined && address.bits !== cidr.bits) {
    const message = `must not have bits set beyond the prefix length; it means ${formatCidr(cidr)}`;
    reader.refuse(path, text, message, "strict-cidr");
  }
  // The API server keeps the mask as written when it compares; the packet's family decides for us.
  return cidr;
}

function addressOf(text: string): Ip | undefined {
  const bare = text.slice(0, text.indexOf("/"));
  return parseCidr(`${bare}/${bare.includes(":") ? 128 : 32}`);
}

function parseBlock(value: unknown, path: FieldPath, reader: FieldReader): IpBlock | undefined {
  const fields = reader.object(value, path);
  reader.only(fields, ["cidr", "except"], path);
  const text = reader.text(fields?.["cidr"], [...path, "cidr"]) ?? "";
  const except = reader.texts(fields?.["except"], [...path, "except"]);
  if (text === "") {
    reader.refuse([...path, "cidr"], fields?.["cidr"], "must be given");
    return undefined;
  }
  const cidr = parseBlockCidr(text, [...path, "cidr"], reader);
  const excepts = except.map((item, index) => {
    const exceptPath = [...path, "except", index];
    const inner = parseBlockCidr(item, exceptPath, reader);
    if (cidr === undefined || inner === undefined) return undefined;
    if (!containsIp(unmapped(cidr), unmapped(inner)) || cidr.prefix >= inner.prefix) {
      reader.refuse(exceptPath, item, `must lie within cidr ${text} and be smaller`);
      return undefined;
    }
    return unmapped(inner);
  });
  // A block whose exception cannot be read would admit too much: the whole block goes.
  return cidr === undefined || excepts.includes(undefined)
    ? undefined
    : { cidr: unmapped(cidr), excepts: excepts as Cidr[] };
}

function parsePeer(value: unknown, path: FieldPath, reader: FieldReader): Peer {
  const fields = reader.object(value, path);
  reader.only(fields, ["podSelector", "namespaceSelector", "ipBlock"], path);
  const has = (key: string): boolean => fields?.[key] !== undefined && fields[key] !== null;
  const podSelector = parseSelector(fields?.["podSelector"], [...path, "podSelector"], reader);
  const namespaceSelector = parseSelector(
    fields?.["namespaceSelector"],
    [...path, "namespaceSelector"],
    reader,
  );
  const hasSelector = has("podSelector") || has("namespaceSelector");
  if (has("ipBlock")) {
    const block = parseBlock(fields?.["ipBlock"], [...path, "ipBlock"], reader);
    if (hasSelector) {
      reader.refuse(path, value, "must not have ipBlock beside a selector");
      return { kind: "invalid" };
    }
    return block === undefined ? { kind: "invalid" } : { kind: "block", block };
  }
  if (!hasSelector) {
    reader.refuse(path, value, "must have podSelector, namespaceSelector or ipBlock");
    return { kind: "invalid" };
  }
  const broken =
    (has("podSelector") && podSelector === undefined) ||
    (has("namespaceSelector") && namespaceSelector === undefined);
  return broken ? { kind: "invalid" } : { kind: "pods", podSelector, namespaceSelector };
}

/** What is wrong with `name` as the name of a port (RFC 6335 in lower case), or undefined. */
export function portNameProblem(name: string): string | undefined {
  if (name.length > 15) return "must have at most 15 characters";
  if (!/^[-a-z0-9]+$/.test(name)) return "must be lower case letters, digits and '-'";
  if (!/[a-z]/.test(name)) return "must hold a letter";
  if (name.includes("--")) return "must not have '-' twice in a row";
  return name.startsWith("-") || name.endsWith("-") ? "must not begin or end with '-'" : undefined;
}

function isPort(number: number): boolean {
  return number >= 1 && number <= 65535;
}

function parsePort(value: unknown, path: FieldPath, reader: FieldReader): PolicyPort {
  const before = reader.problems.length;
  const fields = reader.object(value, path);
  const protocol = reader.text(fields?.["protocol"], [...path, "protocol"]) ?? "TCP";
  if (!PROTOCOLS.includes(protocol)) {
    reader.refuse([...path, "protocol"], protocol, `must be one of ${PROTOCOLS.join(", ")}`);
  }
  const given = fields?.["port"];
  const name = typeof given === "string" ? given : undefined;
  const port = name === undefined ? reader.int32(given, [...path, "port"]) : undefined;
  const endPort = reader.int32(fields?.["endPort"], [...path, "endPort"]);
  const endPath = [...path, "endPort"];
  const nameProblem = name === undefined ? undefined : portNameProblem(name);
  if (nameProblem !== undefined) reader.refuse([...path, "port"], name, `port name ${nameProblem}`);
  if (port !== undefined && !isPort(port)) {
    reader.refuse([...path, "port"], port, "must be between 1 and 65535");
  }
  if (endPort !== undefined) {
    if (port === undefined) reader.refuse(endPath, endPort, "needs a numeric port");
    else if (endPort < port) reader.refuse(endPath, endPort, `must not be below port ${port}`);
    else if (!isPort(endPort)) reader.refuse(endPath, endPort, "must be between 1 and 65535");
  }
  if (reader.problems.length > before) return { kind: "invalid" };
  reader.only(fields, ["protocol", "port", "endPort"], path);
  const known = protocol as Protocol;
  if (name !== undefined) return { kind: "named", protocol: known, name };
  if (port === undefined) return { kind: "any", protocol: known };
  return { kind: "range", protocol: known, port, endPort: endPort ?? port };
}

function parseRules(
  value: unknown,
  peersKey: "from" | "to",
  path: FieldPath,
  reader: FieldReader,
): Rule[] {
  return (reader.list(value, path) ?? []).map((item, index) => {
    const rulePath = [...path, index];
    const before = reader.problems.length;
    const fields = reader.object(item, rulePath);
    reader.only(fields, [peersKey, "ports"], rulePath);
    const peers = reader.list(fields?.[peersKey], [...rulePath, peersKey]);
    const ports = reader.list(fields?.["ports"], [...rulePath, "ports"]);
    // A field that is there but unreadable, or misspelt, must not turn into "no restriction".
    const broken = reader.problems.length > before;
    const readPeers = (peers ?? []).map((peer, at) =>
      parsePeer(peer, [...rulePath, peersKey, at], reader),
    );
    const readPorts = (ports ?? []).map((port, at) =>
      parsePort(port, [...rulePath, "ports", at], reader),
    );
    if (broken) return { peers: [{ kind: "invalid" }], ports: undefined };
    return {
      peers: readPeers.length === 0 ? undefined : readPeers,
      ports: readPorts.length === 0 ? undefined : readPorts,
    };
  });
}

function parseTypes(value: unknown, hasEgress: boolean, reader: FieldReader): Set<Direction> {
  const path = ["spec", "policyTypes"];
  const before = reader.problems.length;
  const types = reader.texts(value, path);
  if (types.length > 2) reader.refuse(path, types, "must have at most two entries");
  types.forEach((type, index) => {
    if (type === "Ingress" || type === "Egress") return;
    reader.refuse([...path, index], type, "must be one of Ingress, Egress");
  });
  if (reader.problems.length > before) return new Set(["ingress", "egress"]);
  if (types.length === 0) return new Set(hasEgress ? ["ingress", "egress"] : ["ingress"]);
  return new Set(types.map((type) => (type === "Ingress" ? "ingress" : "egress")));
}

function checkMetadata(
  fields: Readonly<Record<string, unknown>> | undefined,
  namespace: string,
  reader: FieldReader,
): string | undefined {
  const name = reader.text(fields?.["name"], ["metadata", "name"]) ?? "";
  const before = reader.problems.length;
  if (name === "") reader.refuse(["metadata", "name"], fields?.["name"], "must be given");
  else if (!isDnsSubdomain(name)) {
    reader.refuse(["metadata", "name"], name, "must be a DNS-1123 subdomain");
  }
  if (!isDnsLabel(namespace)) {
    reader.refuse(["metadata", "namespace"], namespace, "must be a DNS-1123 label");
  }
  const usable = reader.problems.length === before;
  for (const [key, value] of Object.entries(
    reader.textMap(fields?.["labels"], ["metadata", "labels"]),
  )) {
    checkKey(key, ["metadata", "labels", key], reader);
    checkValue(value, ["metadata", "labels", key], reader);
  }
  for (const key of Object.keys(
    reader.textMap(fields?.["annotations"], ["metadata", "annotations"]),
  )) {
    checkKey(key.toLowerCase(), ["metadata", "annotations", key], reader);
  }
  return usable ? name : undefined;
}

/**
 * Reads a NetworkPolicy as the API server does: same defaults, same refusals (KEP-2079 and the networking/v1 rules).
 * `object` is untyped JSON; `defaultNamespace` is used where metadata has none.
 */
export function parseNetworkPolicy(object: unknown, defaultNamespace = "default"): ParsedPolicy {
  const reader = new FieldReader();
  const fields = reader.object(object, []);
  if (fields === undefined) {
    if (reader.problems.length === 0) reader.refuse([], object, "must be an object");
    return { policy: undefined, problems: reader.problems };
  }
  reader.only(fields, ["apiVersion", "kind", "metadata", "spec", "status"], []);
  const metadata = reader.object(fields["metadata"], ["metadata"]);
  const given = reader.text(metadata?.["namespace"], ["metadata", "namespace"]) ?? "";
  const namespace = given === "" ? defaultNamespace : given;
  const name = checkMetadata(metadata, namespace, reader);
  const spec = reader.object(fields["spec"], ["spec"]);
  const specIsBroken =
    spec === undefined && fields["spec"] !== undefined && fields["spec"] !== null;
  reader.only(spec, ["podSelector", "ingress", "egress", "policyTypes"], ["spec"]);
  const subjectGiven = spec?.["podSelector"] !== undefined && spec["podSelector"] !== null;
  const subject = parseSelector(spec?.["podSelector"], ["spec", "podSelector"], reader);
  const ingress = parseRules(spec?.["ingress"], "from", ["spec", "ingress"], reader);
  const egress = parseRules(spec?.["egress"], "to", ["spec", "egress"], reader);
  const isolates = parseTypes(spec?.["policyTypes"], egress.length > 0, reader);
  const usable = name !== undefined && !specIsBroken && !(subjectGiven && subject === undefined);
  return {
    policy: usable
      ? {
          namespace,
          name,
          podSelector: subject ?? { requirements: [] },
          isolates,
          ingress,
          egress,
        }
      : undefined,
    problems: reader.problems,
  };
}
