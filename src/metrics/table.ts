/** A metric's name, type, labels and meaning; the documentation is printed from this. */
export interface MetricSpec {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram, in the metric's unit. */
  readonly buckets?: readonly number[];
}

const LATENCY_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** What the operator counts. */
export type OperatorMetric =
  | "buildInfo"
  | "linkState"
  | "lastEvent"
  | "lastSync"
  | "watchRestarts"
  | "propagation"
  | "sets"
  | "setMembers"
  | "pods"
  | "setWrites"
  | "refusals"
  | "drift"
  | "removalsHeld"
  | "ambiguousNames"
  | "contested"
  | "orphanedSets"
  | "queueDepth"
  | "queueRetries"
  | "requests"
  | "requestDuration";

/** Every metric of the operator; names follow the ecosystem where it has one. */
export const OPERATOR_METRICS: Readonly<Record<OperatorMetric, MetricSpec>> = {
  buildInfo: {
    name: "wayleave_build_info",
    type: "gauge",
    help: "Always 1; the version as labels.",
    labels: ["version", "revision", "node_version"],
  },
  linkState: {
    name: "wayleave_remote_link_state",
    type: "gauge",
    help: "1 for the state that the link to the remote cluster is in, 0 for the others.",
    labels: ["remote_cluster", "state"],
  },
  lastEvent: {
    name: "wayleave_remote_last_event_timestamp_seconds",
    type: "gauge",
    help: "When the remote cluster last gave proof of life: an event, a bookmark or a list.",
    labels: ["remote_cluster"],
  },
  lastSync: {
    name: "wayleave_remote_last_sync_timestamp_seconds",
    type: "gauge",
    help: "When the last complete list of the remote cluster's pods was taken in.",
    labels: ["remote_cluster"],
  },
  watchRestarts: {
    name: "wayleave_remote_watch_restarts_total",
    type: "counter",
    help: "Watches of the remote cluster that ended and were begun again.",
    labels: ["remote_cluster", "resource", "reason"],
  },
  propagation: {
    name: "wayleave_propagation_duration_seconds",
    type: "histogram",
    help: "From a pod's change as seen on the watch until its set was written.",
    labels: ["remote_cluster", "stage"],
    buckets: LATENCY_S,
  },
  sets: {
    name: "wayleave_sets",
    type: "gauge",
    help: "Sets that have at least one member.",
    labels: ["remote_cluster"],
  },
  setMembers: {
    name: "wayleave_set_members",
    type: "gauge",
    help: "Addresses in all sets of the remote cluster.",
    labels: ["remote_cluster"],
  },
  pods: {
    name: "wayleave_remote_pods",
    type: "gauge",
    help: "Pods of the remote cluster that the label selector matches.",
    labels: ["remote_cluster"],
  },
  setWrites: {
    name: "wayleave_set_writes_total",
    type: "counter",
    help: "Requests that wrote a set's object.",
    labels: ["remote_cluster", "operation", "result"],
  },
  refusals: {
    name: "wayleave_refused_total",
    type: "counter",
    help: "Set names and addresses of pods that were refused.",
    labels: ["remote_cluster", "field"],
  },
  drift: {
    name: "wayleave_drift_objects",
    type: "gauge",
    help: "Objects in the way: of a set's name but not ours.",
    labels: ["kind", "reason"],
  },
  removalsHeld: {
    name: "wayleave_removals_held_total",
    type: "counter",
    help: "Lists whose removals were held because they were too many, until a second list agreed.",
    labels: ["remote_cluster"],
  },
  ambiguousNames: {
    name: "wayleave_ambiguous_names",
    type: "gauge",
    help: "Objects whose name had to be told apart from another set's.",
    labels: [],
  },
  contested: {
    name: "wayleave_contested_addresses",
    type: "gauge",
    help: "Addresses that two remote clusters claim and that are therefore in no set.",
    labels: [],
  },
  orphanedSets: {
    name: "wayleave_orphaned_sets",
    type: "gauge",
    help: "Sets of a remote cluster that is not configured; they are left as they are.",
    labels: ["remote_cluster"],
  },
  queueDepth: {
    name: "workqueue_depth",
    type: "gauge",
    help: "Sets that wait to be looked at.",
    labels: ["name"],
  },
  queueRetries: {
    name: "workqueue_retries_total",
    type: "counter",
    help: "Sets that failed to be written and wait for their backoff.",
    labels: ["name"],
  },
  requests: {
    name: "rest_client_requests_total",
    type: "counter",
    help: "Requests to API servers.",
    labels: ["code", "method", "host"],
  },
  requestDuration: {
    name: "rest_client_request_duration_seconds",
    type: "histogram",
    help: "How long requests to API servers took, watches not counted.",
    labels: ["method", "host"],
    buckets: LATENCY_S,
  },
};
