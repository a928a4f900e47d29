import type { Printer } from "../kinds/kind.ts";
import { numberAt, objectAt, objectsAt, stringAt, stringListAt, type JsonObject } from "../json.ts";
import {
  AGE_COLUMN,
  NAME_COLUMN,
  ageOf,
  ageText,
  column,
  conditionOf,
  mapText,
  nameOf,
  orElse,
} from "./text.ts";

/** Kinds that have nothing to show but their age. */
export const plainPrinter: Printer = {
  columns: [NAME_COLUMN, AGE_COLUMN],
  cells: (object, nowMs) => [nameOf(object), ageOf(object, nowMs)],
};

/** Kinds without a printer of their own in API servers: CustomResourceDefinition, LimitRange. */
export const createdPrinter: Printer = {
  columns: [NAME_COLUMN, column("Created At", "When the object was created.", { type: "date" })],
  cells: (object) => [nameOf(object), stringAt(objectAt(object, "metadata"), "creationTimestamp")],
};

/** Namespaces. */
export const namespacePrinter: Printer = {
  columns: [NAME_COLUMN, column("Status", "The phase of the namespace."), AGE_COLUMN],
  cells: (object, nowMs) => [
    nameOf(object),
    stringAt(objectAt(object, "status"), "phase"),
    ageOf(object, nowMs),
  ],
};

/** ConfigMaps. */
export const configMapPrinter: Printer = {
  columns: [NAME_COLUMN, column("Data", "How many keys it holds."), AGE_COLUMN],
  cells: (object, nowMs) => [
    nameOf(object),
    Object.keys(objectAt(object, "data")).length +
      Object.keys(objectAt(object, "binaryData")).length,
    ageOf(object, nowMs),
  ],
};

/** Secrets. */
export const secretPrinter: Printer = {
  columns: [
    NAME_COLUMN,
    column("Type", "What the secret is for."),
    column("Data", "How many keys it holds."),
    AGE_COLUMN,
  ],
  cells: (object, nowMs) => [
    nameOf(object),
    stringAt(object, "type"),
    Object.keys(objectAt(object, "data")).length,
    ageOf(object, nowMs),
  ],
};

/** Nodes. */
export const nodePrinter: Printer = {
  columns: [
    NAME_COLUMN,
    column("Status", "Whether the node is ready, and takes pods."),
    column("Roles", "The roles that its labels give it."),
    AGE_COLUMN,
    column("Version", "The version of its kubelet."),
    column("Internal-IP", "Its address within the cluster.", { wide: true }),
    column("External-IP", "Its address outside.", { wide: true }),
    column("OS-Image", "Its operating system.", { wide: true }),
    column("Kernel-Version", "Its kernel.", { wide: true }),
    column("Container-Runtime", "What runs its containers.", { wide: true }),
  ],
  cells: (object, nowMs) => {
    const status = objectAt(object, "status");
    const info = objectAt(status, "nodeInfo");
    const address = (type: string): string =>
      orElse(
        stringAt(
          objectsAt(status, "addresses").find((item) => item["type"] === type) ?? {},
          "address",
        ),
        "<none>",
      );
    const unknown = (name: string): string => orElse(stringAt(info, name), "<unknown>");
    return [
      nameOf(object),
      nodeStatus(object),
      nodeRoles(object),
      ageOf(object, nowMs),
      stringAt(info, "kubeletVersion"),
      address("InternalIP"),
      address("ExternalIP"),
      unknown("osImage"),
      unknown("kernelVersion"),
      unknown("containerRuntimeVersion"),
    ];
  },
};

function nodeStatus(node: JsonObject): string {
  const ready = conditionOf(node, "Ready");
  const words = [
    ready === undefined ? "Unknown" : ready["status"] === "True" ? "Ready" : "NotReady",
  ];
  if (objectAt(node, "spec")["unschedulable"] === true) words.push("SchedulingDisabled");
  return words.join(",");
}

function nodeRoles(node: JsonObject): string {
  const labels = objectAt(objectAt(node, "metadata"), "labels");
  const prefix = "node-role.kubernetes.io/";
  const roles = Object.keys(labels).flatMap((key) => {
    if (key.startsWith(prefix) && key.length > prefix.length) return [key.slice(prefix.length)];
    const value = stringAt(labels, key);
    return key === "kubernetes.io/role" && value !== "" ? [value] : [];
  });
  return orElse([...new Set(roles)].toSorted().join(","), "<none>");
}

/** Services. */
export const servicePrinter: Printer = {
  columns: [
    NAME_COLUMN,
    column("Type", "How the service is exposed."),
    column("Cluster-IP", "Its address within the cluster."),
    column("External-IP", "Its addresses outside."),
    column("Port(s)", "Its ports."),
    AGE_COLUMN,
    column("Selector", "The labels of its pods.", { wide: true }),
  ],
  cells: (object, nowMs) => {
    const spec = objectAt(object, "spec");
    const ports = objectsAt(spec, "ports").map((port) => {
      const nodePort = numberAt(port, "nodePort");
      const first = `${numberAt(port, "port")}${nodePort === 0 ? "" : `:${nodePort}`}`;
      return `${first}/${stringAt(port, "protocol")}`;
    });
    const clusterIps = stringListAt(spec, "clusterIPs");
    return [
      nameOf(object),
      stringAt(spec, "type"),
      orElse(clusterIps[0] ?? "", "<none>"),
      externalIps(object),
      orElse(ports.join(","), "<none>"),
      ageOf(object, nowMs),
      mapText(objectAt(spec, "selector")),
    ];
  },
};

function externalIps(service: JsonObject): string {
  const spec = objectAt(service, "spec");
  const extra = stringListAt(spec, "externalIPs");
  switch (stringAt(spec, "type")) {
    case "ExternalName":
      return stringAt(spec, "externalName");
    case "LoadBalancer": {
      const ingress = objectsAt(objectAt(objectAt(service, "status"), "loadBalancer"), "ingress");
      const addresses = ingress.map((item) =>
        orElse(stringAt(item, "ip"), stringAt(item, "hostname")),
      );
      const all = [...addresses, ...extra];
      return all.length === 0 ? "<pending>" : all.join(",");
    }
    default:
      return extra.length === 0 ? "<none>" : extra.join(",");
  }
}

/** Events, in the form of core/v1. */
export const eventPrinter: Printer = {
  columns: [
    column("Last Seen", "When it was last seen."),
    column("Type", "Normal or Warning."),
    column("Reason", "Why it happened, in one word."),
    column("Object", "What it is about."),
    column("Subobject", "The part of the object that it is about.", { wide: true }),
    column("Source", "Who reported it.", { wide: true }),
    column("Message", "What happened."),
    column("First Seen", "When it was first seen.", { wide: true }),
    column("Count", "How often it was seen.", { wide: true }),
    column("Name", "The name of the object.", { format: "name", wide: true }),
  ],
  cells: (object, nowMs) => {
    const involved = objectAt(object, "involvedObject");
    const source = objectAt(object, "source");
    const series = objectAt(object, "series");
    const eventTime = stringAt(object, "eventTime");
    const first = stringAt(object, "firstTimestamp");
    const last = stringAt(object, "lastTimestamp");
    const firstText = first === "" ? ageText(eventTime, nowMs) : ageText(first, nowMs);
    const seriesTime = stringAt(series, "lastObservedTime");
    const lastText =
      seriesTime !== ""
        ? ageText(seriesTime, nowMs)
        : last === ""
          ? firstText
          : ageText(last, nowMs);
    const count = numberAt(series, "count", numberAt(object, "count"));
    const component = orElse(stringAt(source, "component"), stringAt(object, "reportingComponent"));
    const host = orElse(stringAt(source, "host"), stringAt(object, "reportingInstance"));
    return [
      lastText,
      stringAt(object, "type"),
      stringAt(object, "reason"),
      `${stringAt(involved, "kind").toLowerCase()}/${stringAt(involved, "name")}`,
      stringAt(involved, "fieldPath"),
      [component, host].filter((part) => part !== "").join(", "),
      stringAt(object, "message").trim(),
      firstText,
      count === 0 ? 1 : count,
      nameOf(object),
    ];
  },
};

/** ResourceQuotas. */
export const resourceQuotaPrinter: Printer = {
  columns: [
    NAME_COLUMN,
    column("Request", "What may be requested."),
    column("Limit", "The limits."),
    AGE_COLUMN,
  ],
  cells: (object, nowMs) => {
    const status = objectAt(object, "status");
    const hard = objectAt(status, "hard");
    const used = objectAt(status, "used");
    const parts = Object.keys(hard)
      .toSorted()
      .map(
        (key) =>
          [key, `${key}: ${orElse(stringAt(used, key), "0")}/${stringAt(hard, key)}`] as const,
      );
    const of = (limits: boolean): string =>
      parts
        .filter(([key]) => key.startsWith("limits.") === limits)
        .map(([, text]) => text)
        .join(", ");
    return [nameOf(object), of(false), of(true), ageOf(object, nowMs)];
  },
};

/** Leases. */
export const leasePrinter: Printer = {
  columns: [NAME_COLUMN, column("Holder", "Who holds the lease."), AGE_COLUMN],
  cells: (object, nowMs) => [
    nameOf(object),
    stringAt(objectAt(object, "spec"), "holderIdentity"),
    ageOf(object, nowMs),
  ],
};
