import type { JsonObject } from "../sim/json.ts";
import { startSim } from "../sim/sim.ts";
import { CALICO } from "./calico-crd.ts";
import type { DemoCluster } from "./clusters.ts";

/** A definition of a kind that every API server has and the simulation has not, with whatever fields. */
function definition(group: string, kind: string, plural: string): JsonObject {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: {
      name: `${plural}.${group}`,
      // Groups under k8s.io are reserved (KEP-1111).
      annotations: { "api-approved.kubernetes.io": "unapproved, for the demo" },
    },
    spec: {
      group,
      scope: "Cluster",
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: "object",
              properties: {
                spec: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
              },
            },
          },
        },
      ],
    },
  };
}

const [CALICO_GROUP = "", CALICO_VERSION = ""] = CALICO.split("/");

/** What an API server's own controllers put there besides: who serves a group, and the range of Services. */
const FURNITURE: readonly JsonObject[] = [
  definition("apiregistration.k8s.io", "APIService", "apiservices"),
  definition("networking.k8s.io", "ServiceCIDR", "servicecidrs"),
  {
    apiVersion: "apiregistration.k8s.io/v1",
    kind: "APIService",
    metadata: { name: `${CALICO_VERSION}.${CALICO_GROUP}` },
    spec: {
      group: CALICO_GROUP,
      version: CALICO_VERSION,
      groupPriorityMinimum: 1000,
      versionPriority: 100,
    },
  },
  {
    apiVersion: "networking.k8s.io/v1",
    kind: "ServiceCIDR",
    metadata: { name: "kubernetes" },
    spec: { cidrs: ["10.96.0.0/12"] },
  },
];

/** Starts a simulated cluster in this process. */
export async function startEmbedded(name: string): Promise<DemoCluster> {
  const sim = await startSim({ name });
  try {
    for (const object of FURNITURE) sim.put(object);
  } catch (error) {
    await sim.stop();
    throw error;
  }
  return {
    url: new URL(sim.url),
    kubeconfig: sim.kubeconfig(),
    stop: async () => sim.stop(),
  };
}
