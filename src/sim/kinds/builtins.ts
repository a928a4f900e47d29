import { numberAt, objectAt, stringAt, type JsonObject } from "../json.ts";
import * as core from "../table/core.ts";
import { endpointSlicePrinter, networkPolicyPrinter } from "../table/networking.ts";
import { podPrinter } from "../table/pods.ts";
import { eventsToStorage, eventsFromStorage } from "./events.ts";
import { ALL_VERBS, type Kind } from "./kind.ts";

interface Options {
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly string[];
  readonly verbs?: readonly string[];
  readonly cluster?: boolean;
  readonly fields?: readonly string[];
  readonly countsGenerations?: boolean;
  readonly plural?: string;
}

const ZERO = (): number => 0;

function kind(group: string, name: string, printer: Kind["printer"], options: Options = {}): Kind {
  const singular = name.toLowerCase();
  const resource = options.plural ?? `${singular}s`;
  return {
    group,
    version: "v1",
    kind: name,
    listKind: `${name}List`,
    resource,
    singular,
    shortNames: options.shortNames ?? [],
    categories: options.categories ?? [],
    namespaced: options.cluster !== true,
    verbs: options.verbs ?? ALL_VERBS,
    subresources: options.subresources ?? [],
    countsGenerations: options.countsGenerations ?? false,
    storage: `${group}/${resource}`,
    message: name,
    structural: undefined,
    protobuf: true,
    fields: options.fields ?? [],
    printer,
    gracePeriodSeconds: ZERO,
  };
}

const EVENT_FIELDS = [
  "involvedObject.kind",
  "involvedObject.namespace",
  "involvedObject.name",
  "involvedObject.uid",
  "involvedObject.apiVersion",
  "involvedObject.resourceVersion",
  "involvedObject.fieldPath",
  "reason",
  "reportingComponent",
  "source",
  "type",
];

/** The kinds that every simulated cluster serves. */
export function builtinKinds(): Kind[] {
  const namespace = kind("", "Namespace", core.namespacePrinter, {
    cluster: true,
    shortNames: ["ns"],
    subresources: ["finalize", "status"],
    verbs: ALL_VERBS.filter((verb) => verb !== "deletecollection"),
    fields: ["status.phase"],
  });
  const event = kind("", "Event", core.eventPrinter, { shortNames: ["ev"], fields: EVENT_FIELDS });
  return [
    kind("", "ConfigMap", core.configMapPrinter, { shortNames: ["cm"] }),
    event,
    kind("", "LimitRange", core.createdPrinter, { shortNames: ["limits"] }),
    namespace,
    kind("", "Node", core.nodePrinter, {
      cluster: true,
      shortNames: ["no"],
      subresources: ["status"],
      fields: ["spec.unschedulable"],
    }),
    {
      ...kind("", "Pod", podPrinter, {
        shortNames: ["po"],
        categories: ["all"],
        subresources: ["status"],
        countsGenerations: true,
        fields: [
          "spec.nodeName",
          "spec.restartPolicy",
          "spec.schedulerName",
          "spec.serviceAccountName",
          "spec.hostNetwork",
          "status.phase",
          "status.podIP",
          "status.podIPs",
          "status.nominatedNodeName",
        ],
      }),
      gracePeriodSeconds: podGracePeriod,
    },
    kind("", "ResourceQuota", core.resourceQuotaPrinter, {
      shortNames: ["quota"],
      subresources: ["status"],
    }),
    kind("", "Secret", core.secretPrinter, { fields: ["type"] }),
    kind("", "ServiceAccount", core.plainPrinter, { shortNames: ["sa"] }),
    kind("", "Service", core.servicePrinter, {
      shortNames: ["svc"],
      categories: ["all"],
      subresources: ["status"],
      fields: ["spec.clusterIP", "spec.type"],
    }),
    kind("coordination.k8s.io", "Lease", core.leasePrinter),
    kind("discovery.k8s.io", "EndpointSlice", endpointSlicePrinter, { countsGenerations: true }),
    {
      ...kind("events.k8s.io", "Event", core.eventPrinter, { shortNames: ["ev"] }),
      message: "EventsEvent",
      fields: [
        ...EVENT_FIELDS.map((field) => field.replace("involvedObject", "regarding")),
        "reportingController",
      ],
      storage: event.storage,
      fromStorage: eventsFromStorage,
      toStorage: eventsToStorage,
    },
    kind("networking.k8s.io", "NetworkPolicy", networkPolicyPrinter, {
      shortNames: ["netpol"],
      plural: "networkpolicies",
      countsGenerations: true,
    }),
    kind("apiextensions.k8s.io", "CustomResourceDefinition", core.createdPrinter, {
      cluster: true,
      shortNames: ["crd", "crds"],
      categories: ["api-extensions"],
      subresources: ["status"],
      countsGenerations: true,
    }),
  ];
}

/** Pods that never reached a node, or have ended, go at once. */
function podGracePeriod(pod: JsonObject): number {
  const spec = objectAt(pod, "spec");
  const phase = stringAt(objectAt(pod, "status"), "phase");
  if (stringAt(spec, "nodeName") === "" || phase === "Succeeded" || phase === "Failed") return 0;
  return numberAt(spec, "terminationGracePeriodSeconds", 30);
}

/** API groups of Kubernetes that are not simulated: a request for one is answered 501 and not 404. */
export const UNSIMULATED_GROUPS: ReadonlySet<string> = new Set([
  "admissionregistration.k8s.io",
  "apiregistration.k8s.io",
  "apps",
  "authentication.k8s.io",
  "authorization.k8s.io",
  "autoscaling",
  "batch",
  "certificates.k8s.io",
  "flowcontrol.apiserver.k8s.io",
  "node.k8s.io",
  "policy",
  "rbac.authorization.k8s.io",
  "resource.k8s.io",
  "scheduling.k8s.io",
  "storage.k8s.io",
]);

/** Resources of simulated groups that are not simulated themselves. */
export const UNSIMULATED_RESOURCES: ReadonlySet<string> = new Set([
  "bindings",
  "componentstatuses",
  "endpoints",
  "persistentvolumeclaims",
  "persistentvolumes",
  "podtemplates",
  "replicationcontrollers",
  "ingressclasses",
  "ingresses",
  "ipaddresses",
  "servicecidrs",
]);

/** Subresources of simulated resources that are not simulated. */
export const UNSIMULATED_SUBRESOURCES: ReadonlySet<string> = new Set([
  "pods/attach",
  "pods/binding",
  "pods/ephemeralcontainers",
  "pods/eviction",
  "pods/exec",
  "pods/log",
  "pods/portforward",
  "pods/proxy",
  "pods/resize",
  "nodes/proxy",
  "services/proxy",
  "serviceaccounts/token",
]);
