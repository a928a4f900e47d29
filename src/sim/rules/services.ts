import type { Cause } from "../api/errors.ts";
import { invalidValue, requiredValue, unsupportedValue } from "../api/names.ts";
import {
  arrayAt,
  clone,
  numberAt,
  objectAt,
  objectsAt,
  stringAt,
  stringListAt,
  type JsonObject,
} from "../json.ts";
import type { Rules } from "./rule.ts";

const TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const PROTOCOLS = ["SCTP", "TCP", "UDP"];

/** Services; cluster addresses are given out by the cluster itself. */
export const SERVICE_RULES: Rules = {
  nameRule: "label",
  unconditionalUpdate: true,
  defaults: (object) => {
    const spec = objectAt(object, "spec");
    object["spec"] = spec;
    if (stringAt(spec, "type") === "") spec["type"] = "ClusterIP";
    if (stringAt(spec, "sessionAffinity") === "") spec["sessionAffinity"] = "None";
    const external = spec["type"] === "ExternalName";
    if (!external && spec["internalTrafficPolicy"] === undefined)
      spec["internalTrafficPolicy"] = "Cluster";
    if (["LoadBalancer", "NodePort"].includes(stringAt(spec, "type"))) {
      if (spec["externalTrafficPolicy"] === undefined) spec["externalTrafficPolicy"] = "Cluster";
      if (spec["type"] === "LoadBalancer" && spec["allocateLoadBalancerNodePorts"] === undefined)
        spec["allocateLoadBalancerNodePorts"] = true;
    }
    for (const port of objectsAt(spec, "ports")) {
      if (stringAt(port, "protocol") === "") port["protocol"] = "TCP";
      if (port["targetPort"] === undefined || port["targetPort"] === 0 || port["targetPort"] === "")
        port["targetPort"] = numberAt(port, "port");
    }
  },
  onCreate: (object) => {
    object["status"] = { loadBalancer: {} };
    familyDefaults(objectAt(object, "spec"));
  },
  onUpdate: (fresh, old) => {
    fresh["status"] = clone(objectAt(old, "status"));
    const spec = objectAt(fresh, "spec");
    const before = objectAt(old, "spec");
    if (spec["type"] === "ExternalName") return;
    for (const key of ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"])
      if (spec[key] === undefined && before[key] !== undefined) spec[key] = clone(before[key]);
  },
  validate: serviceCauses,
  validateUpdate: (fresh, old) => {
    const before = stringAt(objectAt(old, "spec"), "clusterIP");
    const after = stringAt(objectAt(fresh, "spec"), "clusterIP");
    const same =
      stringAt(objectAt(fresh, "spec"), "type") === stringAt(objectAt(old, "spec"), "type");
    if (!same || before === "" || before === after) return [];
    return [
      invalidValue(
        "spec.clusterIPs[0]",
        arrayAt(objectAt(fresh, "spec"), "clusterIPs"),
        "may not change once set",
      ),
    ];
  },
};

function familyDefaults(spec: JsonObject): void {
  if (spec["type"] === "ExternalName") return;
  const ip = stringAt(spec, "clusterIP") || (stringListAt(spec, "clusterIPs")[0] ?? "");
  if (ip !== "") {
    spec["clusterIP"] = ip;
    if (arrayAt(spec, "clusterIPs").length === 0) spec["clusterIPs"] = [ip];
  }
  if (spec["ipFamilies"] === undefined) spec["ipFamilies"] = [ip.includes(":") ? "IPv6" : "IPv4"];
  if (spec["ipFamilyPolicy"] === undefined) spec["ipFamilyPolicy"] = "SingleStack";
}

function serviceCauses(object: JsonObject): Cause[] {
  const spec = objectAt(object, "spec");
  const out: Cause[] = [];
  const type = stringAt(spec, "type");
  const ports = objectsAt(spec, "ports");
  if (ports.length === 0 && type !== "ExternalName" && stringAt(spec, "clusterIP") !== "None")
    out.push(requiredValue("spec.ports"));
  for (const [index, port] of ports.entries()) {
    const here = `spec.ports[${index}]`;
    if (ports.length > 1 && stringAt(port, "name") === "") out.push(requiredValue(`${here}.name`));
    const number = numberAt(port, "port");
    if (number < 1 || number > 65_535)
      out.push(invalidValue(`${here}.port`, number, "must be between 1 and 65535, inclusive"));
    const protocol = stringAt(port, "protocol");
    if (!PROTOCOLS.includes(protocol))
      out.push(unsupportedValue(`${here}.protocol`, protocol, PROTOCOLS));
  }
  if (!TYPES.includes(type)) out.push(unsupportedValue("spec.type", type, TYPES));
  if (type === "ExternalName" && stringAt(spec, "externalName") === "")
    out.push(requiredValue("spec.externalName"));
  return out;
}
