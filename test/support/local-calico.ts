import { setKey } from "../../src/core/membership/set-id.ts";
import type { CalicoGroupChoice } from "../../src/core/plan/calico-mode.ts";
import type { ActualSet } from "../../src/core/plan/plan-set.ts";
import { loadCluster, type ClusterSource } from "../../src/kube/access.ts";
import { ApiClient } from "../../src/kube/api-client.ts";
import { ActualSets } from "../../src/operator/actual-sets.ts";
import { LocalCalico, type LocalCalicoStatus } from "../../src/operator/local-cluster.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import type { LogFields } from "../../src/runtime/log.ts";
import { cluster } from "./pod-records.ts";

/** A LocalCalico at work, what it told, and a writer that obeys it. End it with `stop`. */
export class RunningCalico {
  readonly sets: ActualSets;
  readonly local: LocalCalico;
  readonly statuses: LocalCalicoStatus[] = [];
  readonly log: { readonly message: string; readonly fields: LogFields | undefined }[] = [];
  /** How many nets the sets of the store had together at each resync. */
  readonly resyncs: number[] = [];
  /** Names of the sets that changed other than by `write`, in order. */
  readonly changed: string[] = [];
  readonly #abort = new AbortController();
  readonly #ended: Promise<void>;

  private constructor(client: ApiClient, choice: CalicoGroupChoice, rediscoverMs: number) {
    const onChanged = ({ name }: ActualSet): void => void this.changed.push(name);
    this.sets = new ActualSets({ onChanged, onComplete: () => {} }, ({ owner }) => owner);
    const note = (message: string, fields?: LogFields): void =>
      void this.log.push({ message, fields });
    this.local = new LocalCalico({
      client,
      choice,
      store: this.sets,
      clock: systemClock,
      random: Math.random,
      log: { error: note, warn: note, info: note, debug: note },
      onResync: () => this.resyncs.push([...this.sets.all()].flatMap(({ nets }) => nets).length),
      onStatus: (status) => this.statuses.push(status),
      rediscoverMs,
    });
    this.#ended = this.local.run(this.#abort.signal);
  }

  static async start(
    source: ClusterSource,
    choice: CalicoGroupChoice = "auto",
    rediscoverMs = 30_000,
  ): Promise<RunningCalico> {
    const access = await loadCluster(source, systemClock);
    return new RunningCalico(new ApiClient(access, { clock: systemClock }), choice, rediscoverMs);
  }

  get status(): LocalCalicoStatus {
    return this.local.status;
  }

  /** Writes the set `name` where sets are kept now, unless they may not be written. */
  async write(name: string, ...nets: string[]): Promise<ActualSet | "not now"> {
    if (!this.status.mayWrite) return "not now";
    const known = this.sets.get(name);
    const owner = setKey({ cluster: cluster("aws"), namespace: "shop", name });
    const written =
      known === undefined
        ? await this.local.sets.create({ name, owner, shard: 1, labels: { name }, nets })
        : await this.local.sets.replace({ ...known, nets });
    this.sets.written(written);
    return written;
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#ended;
  }
}
