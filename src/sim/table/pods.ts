import type { Cell, Printer } from "../kinds/kind.ts";
import { numberAt, objectAt, objectsAt, stringAt, type JsonObject } from "../json.ts";
import {
  AGE_COLUMN,
  NAME_COLUMN,
  ageOf,
  ageText,
  column,
  conditionOf,
  nameOf,
  orElse,
  stateOf,
} from "./text.ts";

/** Pods as API servers show them. */
export const podPrinter: Printer = {
  columns: [
    NAME_COLUMN,
    column("Ready", "How many containers are ready, of how many."),
    column("Status", "What the containers do, in one word."),
    column("Restarts", "How often containers restarted, and when the last of them did."),
    AGE_COLUMN,
    column("IP", "The address of the pod.", { wide: true }),
    column("Node", "The node that runs it.", { wide: true }),
    column("Nominated Node", "The node on which room is being made for it.", { wide: true }),
    column("Readiness Gates", "Readiness gates that are met, of how many.", { wide: true }),
  ],
  cells: podCells,
};

interface Summary {
  reason: string;
  restarts: number;
  lastRestart: string;
  ready: number;
}

function podCells(pod: JsonObject, nowMs: number): Cell[] {
  const spec = objectAt(pod, "spec");
  const status = objectAt(pod, "status");
  const metadata = objectAt(pod, "metadata");
  const summary: Summary = {
    reason: orElse(stringAt(status, "reason"), stringAt(status, "phase")),
    restarts: 0,
    lastRestart: "",
    ready: 0,
  };
  if (
    objectsAt(status, "conditions").some(
      (condition) =>
        condition["type"] === "PodScheduled" && condition["reason"] === "SchedulingGated",
    )
  )
    summary.reason = "SchedulingGated";
  const sidecars = new Set(
    objectsAt(spec, "initContainers")
      .filter((container) => container["restartPolicy"] === "Always")
      .map((container) => stringAt(container, "name")),
  );
  const containers = objectsAt(spec, "containers").length + sidecars.size;
  const initializing = summarizeInit(spec, status, sidecars, summary);
  if (!initializing || isTrue(pod, "Initialized")) summarizeContainers(pod, status, summary);
  if (metadata["deletionTimestamp"] !== undefined) {
    if (stringAt(status, "reason") === "NodeLost") summary.reason = "Unknown";
    else if (!["Succeeded", "Failed"].includes(stringAt(status, "phase")))
      summary.reason = "Terminating";
  }
  const restarts =
    summary.restarts !== 0 && summary.lastRestart !== ""
      ? `${summary.restarts} (${ageText(summary.lastRestart, nowMs)} ago)`
      : String(summary.restarts);
  const ips = objectsAt(status, "podIPs");
  const gates = objectsAt(spec, "readinessGates");
  return [
    nameOf(pod),
    `${summary.ready}/${containers}`,
    summary.reason,
    restarts,
    ageOf(pod, nowMs),
    orElse(ips.length > 0 ? stringAt(ips[0] as JsonObject, "ip") : "", "<none>"),
    orElse(stringAt(spec, "nodeName"), "<none>"),
    orElse(stringAt(status, "nominatedNodeName"), "<none>"),
    gates.length === 0
      ? "<none>"
      : `${gates.filter((gate) => isTrue(pod, stringAt(gate, "conditionType"))).length}/${gates.length}`,
  ];
}

function isTrue(pod: JsonObject, condition: string): boolean {
  return conditionOf(pod, condition)?.["status"] === "True";
}

/** Counts init containers; says whether the pod is still initializing. */
function summarizeInit(
  spec: JsonObject,
  status: JsonObject,
  sidecars: ReadonlySet<string>,
  summary: Summary,
): boolean {
  const total = objectsAt(spec, "initContainers").length;
  const statuses = objectsAt(status, "initContainerStatuses");
  for (const [index, container] of statuses.entries()) {
    count(container, summary);
    const terminated = stateOf(container, "terminated");
    const waiting = stateOf(container, "waiting");
    if (terminated !== undefined && numberAt(terminated, "exitCode") === 0) continue;
    if (sidecars.has(stringAt(container, "name")) && container["started"] === true) {
      if (container["ready"] === true) summary.ready++;
      continue;
    }
    if (terminated !== undefined) summary.reason = `Init:${terminatedReason(terminated)}`;
    else if (
      waiting !== undefined &&
      !["", "PodInitializing"].includes(stringAt(waiting, "reason"))
    )
      summary.reason = `Init:${stringAt(waiting, "reason")}`;
    else summary.reason = `Init:${index}/${total}`;
    return true;
  }
  return false;
}

function summarizeContainers(pod: JsonObject, status: JsonObject, summary: Summary): void {
  let hasRunning = false;
  for (const container of objectsAt(status, "containerStatuses").toReversed()) {
    count(container, summary);
    const waiting = stateOf(container, "waiting");
    const terminated = stateOf(container, "terminated");
    if (waiting !== undefined && stringAt(waiting, "reason") !== "")
      summary.reason = stringAt(waiting, "reason");
    else if (terminated !== undefined) summary.reason = terminatedReason(terminated);
    else if (container["ready"] === true && stateOf(container, "running") !== undefined) {
      hasRunning = true;
      summary.ready++;
    }
  }
  if (summary.reason === "Completed" && hasRunning)
    summary.reason = isTrue(pod, "Ready") ? "Running" : "NotReady";
}

function count(container: JsonObject, summary: Summary): void {
  summary.restarts += numberAt(container, "restartCount");
  const ended = objectAt(objectAt(container, "lastState"), "terminated");
  const finishedAt = stringAt(ended, "finishedAt");
  if (finishedAt > summary.lastRestart) summary.lastRestart = finishedAt;
}

function terminatedReason(terminated: JsonObject): string {
  const reason = stringAt(terminated, "reason");
  if (reason !== "") return reason;
  const signal = numberAt(terminated, "signal");
  return signal !== 0 ? `Signal:${signal}` : `ExitCode:${numberAt(terminated, "exitCode")}`;
}
