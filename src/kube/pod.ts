import type { ContainerPort, PodPhase, PodRecord, Protocol } from "../core/model/pod.ts";
import { asObject, flag, list, object, text, wrongType, type JsonObject } from "./json.ts";

const PHASES: ReadonlySet<string> = new Set(["Pending", "Running", "Succeeded", "Failed"]);
const PROTOCOLS: ReadonlySet<string> = new Set(["TCP", "UDP", "SCTP"]);

/**
 * The PodRecord of a v1 Pod in JSON, with the annotations named in `keepAnnotations`.
 * Throws a Fault `malformed` that names the field when the object is no Pod.
 * A phase that is not one of Kubernetes' becomes Unknown.
 */
export function podFromJson(pod: unknown, keepAnnotations: ReadonlySet<string>): PodRecord {
  const root = asObject(pod);
  if (root === undefined) throw wrongType("pod", "an object", pod);
  const metadata = object(root, "metadata", "pod");
  const name = text(metadata, "name", "pod.metadata", "");
  const namespace = text(metadata, "namespace", "pod.metadata", "");
  if (name === "") throw wrongType("pod.metadata.name", "a name", metadata["name"]);
  if (namespace === "") throw wrongType("pod.metadata.namespace", "a name", metadata["namespace"]);
  const path = `pod ${namespace}/${name}`;
  const spec = object(root, "spec", path);
  const status = object(root, "status", path);
  const deletion = text(metadata, "deletionTimestamp", `${path}: metadata`, "");
  return {
    namespace,
    name,
    uid: text(metadata, "uid", `${path}: metadata`, ""),
    labels: labels(metadata, path),
    annotations: annotations(metadata, path, keepAnnotations),
    ips: ips(status, path),
    phase: phase(text(status, "phase", `${path}: status`, "")),
    hostNetwork: flag(spec, "hostNetwork", `${path}: spec`),
    nodeName: text(spec, "nodeName", `${path}: spec`, ""),
    terminating: deletion !== "",
    ports: ports(spec, path),
  };
}

function phase(name: string): PodPhase {
  if (name === "") return "Pending";
  return PHASES.has(name) ? (name as PodPhase) : "Unknown";
}

function labels(metadata: JsonObject, path: string): Record<string, string> {
  const found = object(metadata, "labels", `${path}: metadata`);
  for (const key of Object.keys(found)) {
    const value = found[key];
    if (typeof value !== "string") {
      throw wrongType(`${path}: metadata.labels["${key}"]`, "a string", value);
    }
  }
  return found as Record<string, string>;
}

function annotations(
  metadata: JsonObject,
  path: string,
  keep: ReadonlySet<string>,
): Record<string, string> {
  const found = object(metadata, "annotations", `${path}: metadata`);
  const kept: Record<string, string> = {};
  for (const key of keep) {
    if (Object.hasOwn(found, key))
      kept[key] = text(found, key, `${path}: metadata.annotations`, "");
  }
  return kept;
}

function ips(status: JsonObject, path: string): readonly string[] {
  const addresses = list(status, "podIPs", `${path}: status`).map((entry) =>
    text(asObject(entry) ?? {}, "ip", `${path}: status.podIPs`, ""),
  );
  const known = addresses.filter((address) => address !== "");
  if (known.length > 0) return known;
  const single = text(status, "podIP", `${path}: status`, "");
  return single === "" ? [] : [single];
}

function ports(spec: JsonObject, path: string): readonly ContainerPort[] {
  const found: ContainerPort[] = [];
  for (const container of list(spec, "containers", `${path}: spec`)) {
    addPorts(found, asObject(container), path);
  }
  for (const container of list(spec, "initContainers", `${path}: spec`)) {
    const init = asObject(container);
    // Only one that restarts runs beside the pod's containers (KEP-753).
    if (init?.["restartPolicy"] === "Always") addPorts(found, init, path);
  }
  return found;
}

function addPorts(into: ContainerPort[], container: JsonObject | undefined, path: string): void {
  if (container === undefined) return;
  for (const entry of list(container, "ports", `${path}: container`)) {
    const declared = asObject(entry);
    if (declared === undefined) throw wrongType(`${path}: container port`, "an object", entry);
    const port = declared["containerPort"];
    const protocol = text(declared, "protocol", `${path}: container port`, "") || "TCP";
    if (typeof port !== "number" || !PROTOCOLS.has(protocol)) continue;
    const name = text(declared, "name", `${path}: container port`, "");
    into.push({ name, port, protocol: protocol as Protocol });
  }
}
