import PQueue from "p-queue";
import { ApiError, type Method } from "./control-plane/api-client.ts";

/** What the helpers here need of a control plane or a client. */
export interface Requester {
  request<T = unknown>(
    method: Method,
    path: string,
    body?: unknown,
    contentType?: string,
  ): Promise<T>;
}

/** A pod as tests state it. */
export interface PodSpec {
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Default `node-1`. No Node object is needed. */
  readonly nodeName?: string;
  readonly hostNetwork?: boolean;
  /** Addresses, the first being `podIP`. Default none: a pod that was just scheduled. */
  readonly ips?: readonly string[];
  /** Default `Running` if it has addresses, else the server's `Pending`. */
  readonly phase?: Phase;
}

/** `status.phase` of a pod. */
export type Phase = "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";

/** What a server answers for a pod, as far as tests look at it. */
export interface Pod {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly status: {
    readonly phase?: Phase;
    readonly podIP?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
  };
}

const inFlight = 32;

/** Makes a namespace. It is no error if it is there. */
export async function createNamespace(
  plane: Requester,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<void> {
  try {
    await plane.request("POST", "/api/v1/namespaces", { metadata: { name, labels } });
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== "AlreadyExists") throw error;
  }
}

/** Makes a pod and, if it is to have addresses or a phase, writes its status. Answers the last write. */
export async function createPod(plane: Requester, pod: PodSpec): Promise<Pod> {
  const created = await plane.request<Pod>("POST", podsPath(pod.namespace), {
    metadata: { name: pod.name, labels: pod.labels ?? {}, annotations: pod.annotations ?? {} },
    spec: {
      nodeName: pod.nodeName ?? "node-1",
      hostNetwork: pod.hostNetwork ?? false,
      containers: [{ name: "app", image: "app" }],
    },
  });
  if (pod.ips === undefined && pod.phase === undefined) return created;
  return setPodStatus(plane, pod.namespace, pod.name, {
    ips: pod.ips ?? [],
    phase: pod.phase ?? "Running",
  });
}

/** Makes many pods, up to 32 at a time. */
export async function createPods(plane: Requester, pods: Iterable<PodSpec>): Promise<Pod[]> {
  return inParallel(pods, (pod) => createPod(plane, pod));
}

/** Writes phase and addresses as a kubelet would; what is not named stays, `ips: []` takes them away. */
export async function setPodStatus(
  plane: Requester,
  namespace: string,
  name: string,
  status: { readonly ips?: readonly string[]; readonly phase?: Phase },
): Promise<Pod> {
  const { ips, phase } = status;
  return plane.request<Pod>("PATCH", `${podsPath(namespace)}/${name}/status`, {
    status: {
      ...(phase === undefined ? {} : { phase }),
      ...(ips === undefined
        ? {}
        : {
            podIP: ips[0] ?? null,
            podIPs: ips.length === 0 ? null : ips.map((ip) => ({ ip })),
          }),
    },
  });
}

/** Sets labels and annotations; a null takes one away. */
export async function patchPodMetadata(
  plane: Requester,
  namespace: string,
  name: string,
  metadata: {
    readonly labels?: Readonly<Record<string, string | null>>;
    readonly annotations?: Readonly<Record<string, string | null>>;
  },
): Promise<Pod> {
  return plane.request<Pod>("PATCH", `${podsPath(namespace)}/${name}`, { metadata });
}

/** Deletes a pod at once, without a grace period. */
export async function deletePod(plane: Requester, namespace: string, name: string): Promise<void> {
  await plane.request("DELETE", `${podsPath(namespace)}/${name}`, {
    kind: "DeleteOptions",
    apiVersion: "v1",
    gracePeriodSeconds: 0,
  });
}

/** A pod that opted into `set` in the predecessor's way: label and annotation. */
export function member(
  namespace: string,
  name: string,
  set: string,
  ip: string,
  over: Partial<PodSpec> = {},
): PodSpec {
  return {
    namespace,
    name,
    labels: { "uw.systems/networksets": "true" },
    annotations: { "uw.systems/networkset-name": set },
    ips: [ip],
    ...over,
  };
}

/** Deletes every pod of the cluster, finalizers notwithstanding. */
export async function deleteAllPods(plane: Requester): Promise<void> {
  const { items } = await plane.request<{
    items: { metadata: { name: string; namespace: string; finalizers?: string[] } }[];
  }>("GET", "/api/v1/pods");
  await inParallel(items, async ({ metadata: { namespace, name, finalizers } }) => {
    if (finalizers !== undefined) {
      await plane.request("PATCH", `${podsPath(namespace)}/${name}`, {
        metadata: { finalizers: null },
      });
    }
    await deletePod(plane, namespace, name).catch((error: unknown) => {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    });
  });
}

/** Does `work` for every item, up to 32 at a time; answers in the order of the items. */
export async function inParallel<T, R>(
  items: Iterable<T>,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const queue = new PQueue({ concurrency: inFlight });
  return queue.addAll([...items].map((item) => () => work(item)));
}

function podsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/pods`;
}
