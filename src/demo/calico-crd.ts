/** The group and version that the demo's local cluster serves GlobalNetworkSets in. */
export const CALICO = "projectcalico.org/v3";

/** The path of GlobalNetworkSets in the local cluster. */
export const SETS_PATH: string = `/apis/${CALICO}/globalnetworksets`;

/** A CustomResourceDefinition of GlobalNetworkSet, in place of an installation of Calico. */
export const CALICO_CRD: Readonly<Record<string, unknown>> = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "globalnetworksets.projectcalico.org" },
  spec: {
    group: "projectcalico.org",
    scope: "Cluster",
    names: {
      kind: "GlobalNetworkSet",
      listKind: "GlobalNetworkSetList",
      plural: "globalnetworksets",
      singular: "globalnetworkset",
      shortNames: ["gns"],
    },
    versions: [
      {
        name: "v3",
        served: true,
        storage: true,
        additionalPrinterColumns: [{ name: "Nets", type: "string", jsonPath: ".spec.nets" }],
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: {
                type: "object",
                properties: {
                  nets: {
                    type: "array",
                    items: { type: "string" },
                    "x-kubernetes-list-type": "set",
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
};
