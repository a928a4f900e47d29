import { encode } from "../../test/support/kube-protobuf.ts";

/** Pods of one deployment. */
const PER_DEPLOYMENT = 10;
const IMAGE = "registry.example.org/team/service:v1.2.3-20260101";

/**
 * The n-th pod, about as large as a pod of a real cluster: nine labels, equal within a deployment, two addresses, two
 * containers, conditions, statuses, managed fields; one of four has a network-status annotation.
 */
function pod(n: number): Record<string, unknown> {
  const app = `service-${Math.floor(n / PER_DEPLOYMENT)}`;
  const high = Math.floor(n / 65_536);
  const middle = Math.floor(n / 256) % 256;
  const container = (name: string): object => ({
    name,
    image: IMAGE,
    args: ["--listen=:8080", "--log-format=json", `--service=${app}`],
    ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
    env: Array.from({ length: 8 }, (_, i) => ({
      name: `SETTING_${i}`,
      value: `https://${app}-${i}.internal.example.org:8443/v1`,
    })),
    volumeMounts: [{ name: "token", readOnly: true, mountPath: "/var/run/secrets" }],
    imagePullPolicy: "IfNotPresent",
  });
  return {
    metadata: {
      name: `${app}-7d4b9c6f5-${n.toString(36).padStart(5, "0")}`,
      generateName: `${app}-7d4b9c6f5-`,
      namespace: `team-${Math.floor(n / 500)}`,
      uid: `6f1c2a9e-3b7d-4c55-9e21-${n.toString(16).padStart(12, "0")}`,
      resourceVersion: String(1_000_000 + n),
      labels: Object.fromEntries(
        [
          "app",
          "app.kubernetes.io/component",
          "app.kubernetes.io/instance",
          "app.kubernetes.io/managed-by",
          "app.kubernetes.io/name",
          "app.kubernetes.io/part-of",
          "env",
          "pod-template-hash",
          "team",
        ].map((key) => [key, app]),
      ),
      annotations:
        n % 4 === 0
          ? { "k8s.v1.cni.cncf.io/network-status": '[{"name":"net","ips":["10.0.0.1"]}]' }
          : {},
      ownerReferences: [
        { kind: "ReplicaSet", name: `${app}-7d4b9c6f5`, uid: "x", controller: true },
      ],
    },
    spec: {
      volumes: [{ name: "token" }],
      containers: [container("main"), container("proxy")],
      restartPolicy: "Always",
      dnsPolicy: "ClusterFirst",
      serviceAccountName: app,
      nodeName: `node-${n % 1_000}.example.org`,
      hostNetwork: n % 100 === 0,
      tolerations: [
        { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute" },
      ],
    },
    status: {
      phase: "Running",
      conditions: ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({
        type,
        status: "True",
      })),
      hostIP: "192.0.2.1",
      podIP: `10.${high}.${middle}.${n % 256}`,
      podIPs: [{ ip: `10.${high}.${middle}.${n % 256}` }, { ip: `fd00::${n.toString(16)}` }],
      containerStatuses: ["main", "proxy"].map((name) => ({
        name,
        ready: true,
        restartCount: 0,
        image: IMAGE,
      })),
      qosClass: "Burstable",
    },
  };
}

const MANAGED = JSON.stringify(
  Object.fromEntries(
    Array.from({ length: 24 }, (_, i) => [`f:field-${i}`, { "f:name": {}, "f:value": {} }]),
  ),
);

/** The n-th pod in protobuf. */
export function podInProtobuf(n: number): Buffer {
  const fields = pod(n);
  const raw = Buffer.from(MANAGED);
  const managedFields = ["controller", "kubelet"].map((manager) => ({
    manager,
    operation: "Update",
    apiVersion: "v1",
    fieldsType: "FieldsV1",
    fieldsV1: { Raw: raw },
  }));
  return encode("Pod", {
    ...fields,
    metadata: { ...(fields["metadata"] as object), managedFields },
  });
}

/** The n-th pod in JSON. */
export function podInJson(n: number): Buffer {
  const fields = pod(n);
  const managedFields = ["controller", "kubelet"].map((manager) => ({
    manager,
    operation: "Update",
    apiVersion: "v1",
    fieldsType: "FieldsV1",
    fieldsV1: JSON.parse(MANAGED) as object,
  }));
  const metadata = { ...(fields["metadata"] as object), managedFields };
  return Buffer.from(JSON.stringify({ ...fields, metadata }));
}
