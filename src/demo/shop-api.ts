import { faultCode } from "../core/model/fault.ts";
import type { ApiClient } from "../kube/api-client.ts";
import { CALICO_CRD, SETS_PATH } from "./calico-crd.ts";
import { OPT_IN, SET_NAME } from "./membership.ts";

/** The namespace of the shop. */
export const NAMESPACE = "shop";

/** A pod to be made. */
export interface NewPod {
  readonly name: string;
  readonly set: string;
  readonly node: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What is read of a pod to write its status. */
interface PodBody {
  readonly spec: {
    readonly containers: readonly { readonly name: string; readonly image: string }[];
  };
}

const MERGE = "application/merge-patch+json";

/** What the demo writes as the clusters' controllers, kubelets and people would. All calls reject with a Fault. */
export class ShopApi {
  readonly #remote: ApiClient;
  readonly #local: ApiClient;

  constructor(remote: ApiClient, local: ApiClient) {
    this.#remote = remote;
    this.#local = local;
  }

  /** Makes the namespace in the remote cluster and Calico's kind in the local one. */
  async prepare(): Promise<void> {
    await this.#remote.request({
      method: "POST",
      path: "/api/v1/namespaces",
      body: { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
    });
    await this.#local.request({
      method: "POST",
      path: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
      body: CALICO_CRD,
    });
  }

  async createPod({ name, set, node, labels }: NewPod): Promise<void> {
    await this.#remote.request({
      method: "POST",
      path: podsPath(NAMESPACE),
      body: {
        apiVersion: "v1",
        kind: "Pod",
        metadata: {
          name,
          labels: { ...labels, [OPT_IN]: "true" },
          annotations: { [SET_NAME]: set },
        },
        spec: { nodeName: node, containers: [{ name: "app", image: "shop.example/app" }] },
      },
    });
  }

  /** Says, as a kubelet does, that the pod runs and has this address. It is no error if the pod is gone. */
  async startPod(namespace: string, name: string, ip: string): Promise<void> {
    const path = `${podsPath(namespace)}/${name}`;
    const status = (pod: PodBody): object => ({
      phase: "Running",
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [{ type: "Ready", status: "True" }],
      containerStatuses: pod.spec.containers.map(({ name: container, image }) => ({
        name: container,
        image,
        imageID: "",
        ready: true,
        started: true,
        restartCount: 0,
        state: { running: {} },
      })),
    });
    await unlessGone(async () => {
      const { body } = await this.#remote.request({ method: "GET", path });
      await this.#patch(`${path}/status`, { status: status(body as PodBody) });
    });
  }

  /** Says, as a kubelet does, that the pod's containers have ended. It is no error if the pod is gone. */
  async endPod(namespace: string, name: string, phase: "Succeeded" | "Failed"): Promise<void> {
    const reason = phase === "Failed" ? "Error" : "Completed";
    await unlessGone(async () =>
      this.#patch(`${podsPath(namespace)}/${name}/status`, {
        status: {
          phase,
          reason,
          conditions: [{ type: "Ready", status: "False" }],
          containerStatuses: [],
        },
      }),
    );
  }

  /** Asks for a pod's deletion, as kubectl does: it ends some time later. It is no error if the pod is gone. */
  async deletePod(namespace: string, name: string): Promise<void> {
    await unlessGone(async () =>
      this.#remote.request({ method: "DELETE", path: `${podsPath(namespace)}/${name}` }),
    );
  }

  /** Ends a pod's deletion, as a kubelet does when its containers have stopped; only the pod with this UID. */
  async finishDeletion(namespace: string, name: string, uid: string): Promise<void> {
    await unlessGone(async () =>
      this.#remote.request({
        method: "DELETE",
        path: `${podsPath(namespace)}/${name}`,
        body: {
          apiVersion: "v1",
          kind: "DeleteOptions",
          gracePeriodSeconds: 0,
          preconditions: { uid },
        },
      }),
    );
  }

  /** Takes all addresses out of a set's object. */
  async emptySet(name: string): Promise<void> {
    await this.#local.request({
      method: "PATCH",
      path: `${SETS_PATH}/${name}`,
      contentType: MERGE,
      body: { spec: { nets: [] } },
    });
  }

  async #patch(path: string, body: object): Promise<void> {
    await this.#remote.request({ method: "PATCH", path, contentType: MERGE, body });
  }
}

function podsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/pods`;
}

async function unlessGone(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const code = faultCode(error);
    // A conflict is another pod of that name: the one meant is gone as well.
    if (code !== "not-found" && code !== "conflict") throw error;
  }
}
