import { Fault } from "../core/model/fault.ts";
import type { ActualSet, DesiredSet } from "../core/plan/plan-set.ts";
import { collectionPath, decodeSet, encodeSet, type CalicoGroup } from "./global-network-set.ts";

/** How requests reach the local API server; rejects with a Fault for every answer that is not 2xx. */
export interface Api {
  request(request: {
    readonly method: "GET" | "POST" | "PUT" | "DELETE";
    readonly path: string;
    readonly body?: unknown;
  }): Promise<{ readonly body: unknown }>;
}

/** Reads and writes GlobalNetworkSets of one API group. Every call is one request and rejects with a Fault. */
export class NetworkSetClient {
  readonly group: CalicoGroup;
  readonly #api: Api;

  constructor(api: Api, group: CalicoGroup) {
    this.#api = api;
    this.group = group;
  }

  /** The object called `name`; code `not-found` when there is none. */
  async get(name: string): Promise<ActualSet> {
    const { body } = await this.#api.request({ method: "GET", path: this.#path(name) });
    return decodeSet(body);
  }

  /** Makes the object; code `already-exists` when there is one of its name. */
  async create(set: DesiredSet): Promise<ActualSet> {
    const { body } = await this.#api.request({
      method: "POST",
      path: collectionPath(this.group),
      body: encodeSet(this.group, set),
    });
    return checkedAnswer(set, body);
  }

  /** Puts `set` in place of the object it was read from; code `conflict` when that changed since. */
  async replace(set: ActualSet): Promise<ActualSet> {
    const { body } = await this.#api.request({
      method: "PUT",
      path: this.#path(set.name),
      body: encodeSet(this.group, set),
    });
    return checkedAnswer(set, body);
  }

  /** Deletes that very object and no later one of its name; code `conflict` when it is another. */
  async delete(set: ActualSet): Promise<void> {
    await this.#api.request({
      method: "DELETE",
      path: this.#path(set.name),
      body: {
        apiVersion: "v1",
        kind: "DeleteOptions",
        preconditions: { uid: set.uid, resourceVersion: set.resourceVersion },
      },
    });
  }

  #path(name: string): string {
    return `${collectionPath(this.group)}/${encodeURIComponent(name)}`;
  }
}

/** Calico's aggregated server can answer success with an empty object after conflicts of its own (calico.md 1.7). */
function checkedAnswer(sent: Pick<DesiredSet, "name" | "nets">, body: unknown): ActualSet {
  const answer = decodeSet(body);
  const same =
    answer.nets.length === sent.nets.length &&
    sent.nets.every((net, index) => net === answer.nets[index]);
  if (!same) {
    throw new Fault(
      "conflict",
      `write GlobalNetworkSet ${JSON.stringify(sent.name)}: the server's answer does not hold what was sent`,
    );
  }
  return answer;
}
