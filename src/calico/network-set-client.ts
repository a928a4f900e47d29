import { errorText, Fault } from "../core/model/fault.ts";
import type { CalicoGroup } from "../core/plan/calico-mode.ts";
import type { ActualSet, DesiredSet } from "../core/plan/plan-set.ts";
import { collectionPath, decodeSet, encodeSet } from "./global-network-set.ts";

/** One request to the local API server. */
export interface SetRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
}

/** How requests reach the local API server; rejects with a Fault for every answer that is not 2xx. */
export interface Api {
  request(request: SetRequest): Promise<{ readonly body: unknown }>;
}

/** Reads and writes GlobalNetworkSets of one API group. Every call is one request and rejects with a Fault. */
export class NetworkSetClient {
  readonly group: CalicoGroup;
  readonly #api: Api;
  #isRetired = false;

  constructor(api: Api, group: CalicoGroup) {
    this.#api = api;
    this.group = group;
  }

  /** The object called `name`; code `not-found` when there is none. */
  async get(name: string): Promise<ActualSet> {
    return decodeSet(this.group, await this.#send({ method: "GET", path: this.#path(name) }));
  }

  /** Makes the object; code `already-exists` when there is one of its name. */
  async create(set: DesiredSet): Promise<ActualSet> {
    const body = encodeSet(this.group, set);
    const path = collectionPath(this.group);
    return checkedAnswer(this.group, set, await this.#send({ method: "POST", path, body }));
  }

  /** Puts `set` in place of the object it was read from; code `conflict` when that changed since. */
  async replace(set: ActualSet): Promise<ActualSet> {
    const body = encodeSet(this.group, set);
    const path = this.#path(set.name);
    return checkedAnswer(this.group, set, await this.#send({ method: "PUT", path, body }));
  }

  /** Deletes that very object and no later one of its name; code `conflict` when it is another. */
  async delete(set: ActualSet): Promise<void> {
    await this.#send({
      method: "DELETE",
      path: this.#path(set.name),
      body: {
        apiVersion: "v1",
        kind: "DeleteOptions",
        preconditions: { uid: set.uid, resourceVersion: set.resourceVersion },
      },
    });
  }

  /**
   * The sets are elsewhere from now on: nothing more is sent, and answers to what was sent are no news of them.
   * Every call, those under way included, rejects with code `conflict`, so that the caller looks again.
   */
  retire(): void {
    this.#isRetired = true;
  }

  async #send(request: SetRequest): Promise<unknown> {
    this.#refuseRetired(request);
    try {
      return (await this.#api.request(request)).body;
    } finally {
      this.#refuseRetired(request);
    }
  }

  #refuseRetired({ method, path }: SetRequest): void {
    if (!this.#isRetired) return;
    throw new Fault("conflict", `${method} ${path}: Calico's sets are not kept there any more`);
  }

  #path(name: string): string {
    return `${collectionPath(this.group)}/${encodeURIComponent(name)}`;
  }
}

/** Calico's aggregated server can answer success with an empty object after conflicts of its own (calico.md 1.7). */
function checkedAnswer(
  group: CalicoGroup,
  sent: Pick<DesiredSet, "name" | "nets">,
  body: unknown,
): ActualSet {
  const what = `write GlobalNetworkSet ${JSON.stringify(sent.name)}: the server's answer`;
  let answer: ActualSet;
  try {
    answer = decodeSet(group, body);
  } catch (error) {
    throw new Fault("conflict", `${what} is no such object: ${errorText(error)}`, { cause: error });
  }
  const same =
    answer.name === sent.name &&
    answer.nets.length === sent.nets.length &&
    sent.nets.every((net, index) => net === answer.nets[index]);
  if (!same) throw new Fault("conflict", `${what} does not hold what was sent`);
  return answer;
}
