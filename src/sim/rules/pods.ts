import type { Cause } from "../api/errors.ts";
import {
  duplicateValue,
  forbiddenValue,
  invalidValue,
  nameProblems,
  requiredValue,
  unsupportedValue,
} from "../api/names.ts";
import {
  arrayAt,
  clone,
  equal,
  isObject,
  metadataOf,
  numberAt,
  objectAt,
  objectsAt,
  stringAt,
  type JsonObject,
} from "../json.ts";
import type { Rules } from "./rule.ts";

/** Pods. */
export const POD_RULES: Rules = {
  nameRule: "subdomain",
  unconditionalUpdate: true,
  defaults: podDefaults,
  onCreate: (pod) => {
    admit(pod);
    pod["status"] = { phase: "Pending", qosClass: qosClass(pod) };
  },
  onUpdate: (fresh, old) => {
    fresh["status"] = clone(objectAt(old, "status"));
  },
  validate: podCauses,
  validateUpdate: podUpdateCauses,
};

function fill(object: JsonObject, values: JsonObject): void {
  for (const [key, value] of Object.entries(values))
    if (object[key] === undefined || object[key] === "") object[key] = clone(value);
}

function podDefaults(pod: JsonObject): void {
  const spec = objectAt(pod, "spec");
  pod["spec"] = spec;
  fill(spec, {
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    securityContext: {},
    schedulerName: "default-scheduler",
    enableServiceLinks: true,
  });
  const account = stringAt(spec, "serviceAccountName") || stringAt(spec, "serviceAccount");
  if (account !== "") {
    spec["serviceAccountName"] = account;
    spec["serviceAccount"] = account;
  }
  for (const volume of objectsAt(spec, "volumes")) volumeDefaults(volume);
  for (const container of [...objectsAt(spec, "initContainers"), ...objectsAt(spec, "containers")])
    containerDefaults(container, spec["hostNetwork"] === true);
}

function volumeDefaults(volume: JsonObject): void {
  if (Object.keys(volume).every((key) => key === "name")) volume["emptyDir"] = {};
  for (const key of ["secret", "configMap", "downwardAPI", "projected"]) {
    const source = volume[key];
    if (!isObject(source)) continue;
    fill(source, { defaultMode: 420 });
    for (const item of [source, ...objectsAt(source, "sources")]) {
      const token = item["serviceAccountToken"];
      if (isObject(token)) fill(token, { expirationSeconds: 3600 });
    }
  }
  const hostPath = volume["hostPath"];
  if (isObject(hostPath) && hostPath["type"] === undefined) hostPath["type"] = "";
}

function containerDefaults(container: JsonObject, hostNetwork: boolean): void {
  const image = stringAt(container, "image");
  const tag = /:([^/:@]+)$/.exec(image.split("@")[0] ?? "")?.[1] ?? "latest";
  fill(container, {
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    imagePullPolicy: tag === "latest" && !image.includes("@") ? "Always" : "IfNotPresent",
  });
  for (const port of objectsAt(container, "ports")) {
    fill(port, { protocol: "TCP" });
    if (hostNetwork && numberAt(port, "hostPort") === 0)
      port["hostPort"] = numberAt(port, "containerPort");
  }
  for (const variable of objectsAt(container, "env")) {
    const field = objectAt(objectAt(variable, "valueFrom"), "fieldRef");
    if (stringAt(field, "fieldPath") !== "") fill(field, { apiVersion: "v1" });
  }
  for (const key of ["livenessProbe", "readinessProbe", "startupProbe"]) {
    const probe = container[key];
    if (!isObject(probe)) continue;
    fill(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
    const http = probe["httpGet"];
    if (isObject(http)) fill(http, { path: "/", scheme: "HTTP" });
  }
  const limits = objectAt(objectAt(container, "resources"), "limits");
  if (Object.keys(limits).length > 0) {
    const resources = objectAt(container, "resources");
    resources["requests"] = { ...limits, ...objectAt(resources, "requests") };
  }
}

/** What the admission plugins that are on by default add. */
function admit(pod: JsonObject): void {
  const spec = objectAt(pod, "spec");
  fill(spec, { priority: 0, preemptionPolicy: "PreemptLowerPriority" });
  const tolerations = objectsAt(spec, "tolerations");
  for (const key of ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]) {
    const covered = tolerations.some(
      (item) =>
        (item["key"] === key || stringAt(item, "key") === "") &&
        ["NoExecute", ""].includes(stringAt(item, "effect")),
    );
    if (!covered)
      tolerations.push({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 });
  }
  spec["tolerations"] = tolerations;
}

function qosClass(pod: JsonObject): string {
  const spec = objectAt(pod, "spec");
  const containers = [...objectsAt(spec, "initContainers"), ...objectsAt(spec, "containers")];
  const all = containers.map((container) => objectAt(container, "resources"));
  const wants = all.some((item) =>
    ["requests", "limits"].some((kind) =>
      ["cpu", "memory"].some((name) => objectAt(item, kind)[name] !== undefined),
    ),
  );
  if (!wants) return "BestEffort";
  const guaranteed = all.every((item) =>
    ["cpu", "memory"].every((name) => {
      const limit = objectAt(item, "limits")[name];
      return limit !== undefined && equal(limit, objectAt(item, "requests")[name] ?? limit);
    }),
  );
  return guaranteed ? "Guaranteed" : "Burstable";
}

const PROTOCOLS = ["SCTP", "TCP", "UDP"];

function podCauses(pod: JsonObject): Cause[] {
  const spec = objectAt(pod, "spec");
  const out: Cause[] = [];
  const containers = objectsAt(spec, "containers");
  if (containers.length === 0) out.push(requiredValue("spec.containers"));
  const names = new Set<string>();
  for (const list of ["initContainers", "containers"])
    for (const [index, container] of objectsAt(spec, list).entries())
      out.push(...containerCauses(container, `spec.${list}[${index}]`, names));
  const restart = stringAt(spec, "restartPolicy");
  if (!["Always", "OnFailure", "Never"].includes(restart))
    out.push(unsupportedValue("spec.restartPolicy", restart, ["Always", "OnFailure", "Never"]));
  const node = stringAt(spec, "nodeName");
  if (node !== "")
    for (const text of nameProblems("subdomain", node))
      out.push(invalidValue("spec.nodeName", node, text));
  if (numberAt(spec, "terminationGracePeriodSeconds") < 0)
    out.push(
      invalidValue(
        "spec.terminationGracePeriodSeconds",
        numberAt(spec, "terminationGracePeriodSeconds"),
        "must be greater than or equal to 0",
      ),
    );
  return out;
}

function containerCauses(container: JsonObject, path: string, names: Set<string>): Cause[] {
  const out: Cause[] = [];
  const name = stringAt(container, "name");
  if (name === "") out.push(requiredValue(`${path}.name`));
  else {
    for (const text of nameProblems("label", name))
      out.push(invalidValue(`${path}.name`, name, text));
  }
  if (stringAt(container, "image") === "") out.push(requiredValue(`${path}.image`));
  const portNames = new Set<string>();
  for (const [index, port] of objectsAt(container, "ports").entries()) {
    const here = `${path}.ports[${index}]`;
    const number = numberAt(port, "containerPort");
    if (number === 0) out.push(requiredValue(`${here}.containerPort`));
    else if (number < 1 || number > 65_535)
      out.push(
        invalidValue(`${here}.containerPort`, number, "must be between 1 and 65535, inclusive"),
      );
    const protocol = stringAt(port, "protocol");
    if (!PROTOCOLS.includes(protocol))
      out.push(unsupportedValue(`${here}.protocol`, protocol, PROTOCOLS));
    const portName = stringAt(port, "name");
    if (portName !== "" && portNames.has(portName))
      out.push(duplicateValue(`${here}.name`, portName));
    portNames.add(portName);
  }
  if (names.has(name)) out.push(duplicateValue(`${path}.name`, name));
  if (name !== "") names.add(name);
  return out;
}

const MUTABLE =
  "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

function podUpdateCauses(fresh: JsonObject, old: JsonObject): Cause[] {
  const out: Cause[] = [];
  const oldTolerations = objectsAt(objectAt(old, "spec"), "tolerations");
  const newTolerations = objectsAt(objectAt(fresh, "spec"), "tolerations");
  if (oldTolerations.some((item) => !newTolerations.some((other) => equal(item, other))))
    out.push(
      forbiddenValue(
        "spec.tolerations",
        "existing toleration can not be modified except its tolerationSeconds",
      ),
    );
  if (!equal(frozen(fresh), frozen(old)))
    out.push(
      forbiddenValue("spec", `${MUTABLE}\n@@ the simulation does not print the difference @@`),
    );
  return out;
}

/** What an update of a pod may not change. */
function frozen(pod: JsonObject): JsonObject {
  const spec = clone(objectAt(pod, "spec"));
  delete spec["activeDeadlineSeconds"];
  delete spec["tolerations"];
  for (const container of [...objectsAt(spec, "initContainers"), ...objectsAt(spec, "containers")])
    delete container["image"];
  return spec;
}

/** The pod's own addresses, kept in step: `podIPs` is given its first entry from `podIP`. */
export function alignPodIps(pod: JsonObject): void {
  const status = objectAt(pod, "status");
  const ip = stringAt(status, "podIP");
  const ips = arrayAt(status, "podIPs");
  if (ip !== "" && ips.length === 0) status["podIPs"] = [{ ip }];
  const first = ips[0];
  if (ip === "" && isObject(first)) status["podIP"] = stringAt(first, "ip");
  metadataOf(pod);
}
