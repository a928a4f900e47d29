import type { JsonObject } from "../json.ts";

/** What a generated pod is doing. */
export type FleetPhase = "pending" | "ready" | "unready" | "succeeded";

/**
 * A pod of a web shop, of about the size of a real one. `at` is its creation time; `slots` are its name,
 * namespace, app, hash, uid, resourceVersion, node and address.
 */
export function drawPod(
  phase: FleetPhase,
  tier: string,
  at: string,
  slots: readonly string[],
): JsonObject {
  const [name, namespace, app, hash, uid, version, node, ip] = slots as string[] as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  return {
    metadata: {
      name,
      generateName: `${app}-${hash}-`,
      namespace,
      uid,
      resourceVersion: version,
      generation: 1,
      creationTimestamp: at,
      labels: podLabels(app, hash, tier),
      annotations: { "prometheus.io/scrape": "true", "prometheus.io/port": "9090" },
      ownerReferences: [
        {
          apiVersion: "apps/v1",
          kind: "ReplicaSet",
          name: `${app}-${hash}`,
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      managedFields: managedFields(at),
    },
    spec: podSpec(app, node, phase),
    status: podStatus(phase, at, ip),
  };
}

/** The labels of a generated pod. */
export function podLabels(app: string, hash: string, tier: string): Record<string, string> {
  return {
    app,
    "app.kubernetes.io/instance": app,
    "app.kubernetes.io/managed-by": "fleet",
    "app.kubernetes.io/part-of": "shop",
    "pod-template-hash": hash,
    tier,
  };
}

function managedFields(at: string): JsonObject[] {
  const fields: JsonObject = {
    "f:metadata": {
      "f:annotations": { ".": {}, "f:prometheus.io/port": {}, "f:prometheus.io/scrape": {} },
      "f:generateName": {},
      "f:labels": { ".": {}, "f:app": {}, "f:pod-template-hash": {}, "f:tier": {} },
      "f:ownerReferences": { ".": {} },
    },
    "f:spec": {
      "f:containers": {
        'k:{"name":"main"}': {
          ".": {},
          "f:env": { ".": {} },
          "f:image": {},
          "f:name": {},
          "f:ports": { ".": {} },
          "f:readinessProbe": { ".": {}, "f:httpGet": { ".": {}, "f:path": {}, "f:port": {} } },
          "f:resources": {},
        },
      },
      "f:dnsPolicy": {},
      "f:restartPolicy": {},
    },
  };
  const status: JsonObject = {
    "f:status": {
      "f:conditions": { ".": {} },
      "f:phase": {},
      "f:podIP": {},
      "f:podIPs": { ".": {} },
    },
  };
  const entry = (manager: string, fieldsV1: JsonObject, subresource: string): JsonObject => ({
    manager,
    operation: "Update",
    apiVersion: "v1",
    time: at,
    fieldsType: "FieldsV1",
    fieldsV1,
    ...(subresource === "" ? {} : { subresource }),
  });
  return [entry("kube-controller-manager", fields, ""), entry("kubelet", status, "status")];
}

function podSpec(app: string, node: string, phase: FleetPhase): JsonObject {
  const probe = (path: string): JsonObject => ({
    httpGet: { path, port: "http", scheme: "HTTP" },
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  });
  return {
    volumes: [
      { name: "tmp", emptyDir: {} },
      { name: "config", configMap: { name: app, defaultMode: 420 } },
    ],
    containers: [
      {
        name: "main",
        image: "registry.example/shop/service:1.4.2",
        ports: [
          { name: "http", containerPort: 8080, protocol: "TCP" },
          { name: "metrics", containerPort: 9090, protocol: "TCP" },
        ],
        env: [
          {
            name: "POD_IP",
            valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "status.podIP" } },
          },
          { name: "LOG_LEVEL", value: "info" },
          { name: "DATABASE_URL", value: "postgres://database.shop.svc.cluster.local:5432/shop" },
        ],
        resources: {
          limits: { cpu: "1", memory: "512Mi" },
          requests: { cpu: "100m", memory: "128Mi" },
        },
        volumeMounts: [
          { name: "tmp", mountPath: "/tmp" },
          { name: "config", readOnly: true, mountPath: "/etc/service" },
        ],
        livenessProbe: probe("/healthz"),
        readinessProbe: probe("/readyz"),
        terminationMessagePath: "/dev/termination-log",
        terminationMessagePolicy: "File",
        imagePullPolicy: "IfNotPresent",
        securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false },
      },
    ],
    restartPolicy: phase === "succeeded" ? "Never" : "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    serviceAccountName: app,
    serviceAccount: app,
    nodeName: node,
    securityContext: {},
    schedulerName: "default-scheduler",
    tolerations: ["not-ready", "unreachable"].map((state) => ({
      key: `node.kubernetes.io/${state}`,
      operator: "Exists",
      effect: "NoExecute",
      tolerationSeconds: 300,
    })),
    priority: 0,
    enableServiceLinks: true,
    preemptionPolicy: "PreemptLowerPriority",
  };
}

const PHASES = {
  pending: "Pending",
  ready: "Running",
  unready: "Running",
  succeeded: "Succeeded",
} as const;

function podStatus(phase: FleetPhase, at: string, ip: string): JsonObject {
  if (phase === "pending") return { phase: "Pending", qosClass: "Burstable" };
  const ready = phase === "ready";
  const condition = (type: string, isTrue: boolean): JsonObject => ({
    type,
    status: isTrue ? "True" : "False",
    lastProbeTime: null,
    lastTransitionTime: at,
  });
  return {
    phase: PHASES[phase],
    conditions: [
      condition("PodReadyToStartContainers", true),
      condition("Initialized", true),
      condition("Ready", ready),
      condition("ContainersReady", ready),
      condition("PodScheduled", true),
    ],
    hostIP: "192.0.2.10",
    hostIPs: [{ ip: "192.0.2.10" }],
    podIP: ip,
    podIPs: [{ ip }],
    startTime: at,
    containerStatuses: [
      {
        name: "main",
        state:
          phase === "succeeded"
            ? { terminated: { exitCode: 0, reason: "Completed", startedAt: at, finishedAt: at } }
            : { running: { startedAt: at } },
        lastState: {},
        ready,
        restartCount: 0,
        image: "registry.example/shop/service:1.4.2",
        imageID: "registry.example/shop/service@sha256:0123456789abcdef",
        started: phase !== "succeeded",
      },
    ],
    qosClass: "Burstable",
  };
}
