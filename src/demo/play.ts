import type { ActualSet } from "../core/plan/plan-set.ts";
import { objectKey, type PodRecord } from "../core/model/pod.ts";
import { sleep, type Clock } from "../runtime/clock.ts";
import type { Kubelet } from "./kubelet.ts";
import { firstDifference } from "./membership.ts";
import { durationTitle } from "./names.ts";
import type { Relay } from "./relay.ts";
import type { Action, Claim, Step } from "./scripts.ts";
import type { Shop } from "./shop.ts";
import { NAMESPACE, type ShopApi } from "./shop-api.ts";

/** What a script is played with. */
export interface Cast {
  readonly api: ShopApi;
  readonly shop: Shop;
  readonly kubelet: Kubelet;
  readonly relay: Relay;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The clusters as they are known now. */
  readonly pods: () => ReadonlyMap<string, PodRecord>;
  readonly sets: () => ReadonlyMap<string, ActualSet>;
  /** Messages of the operator's log so far. */
  readonly said: () => readonly string[];
  readonly onStep: (step: Step, number: number, of: number) => void;
  readonly onClaim: (ok: boolean, text: string) => void;
  /** How long each step is left to be looked at, in milliseconds. */
  readonly pauseMs: number;
}

/** What must come true has this long (README: a server that was away is followed again within 10 s). */
const FOLLOW_MS = 10_000;
/** How long the shop itself may take to be as it was told. */
const SHOP_MS = 30_000;
const POLL_MS = 20;

/** Plays the steps in order; resolves with how many claims failed. Rejects when an action fails or the signal aborts. */
export async function playScript(steps: readonly Step[], cast: Cast): Promise<number> {
  return new Player(cast).play(steps);
}

class Player {
  readonly #cast: Cast;
  /** The last address of each pod that the script named. */
  readonly #addresses = new Map<string, string>();

  constructor(cast: Cast) {
    this.#cast = cast;
  }

  async play(steps: readonly Step[]): Promise<number> {
    const { clock, signal, onStep, onClaim, pauseMs } = this.#cast;
    let failed = 0;
    for (const [index, step] of steps.entries()) {
      onStep(step, index + 1, steps.length);
      const before = { versions: this.#versions(), lines: this.#cast.said().length };
      for (const action of step.actions) await this.#act(action);
      for (const claim of step.claims) {
        const begun = clock.monotonic();
        const doubt = await this.#check(claim, before);
        const took = durationTitle(clock.monotonic() - begun);
        const text = describeClaim(claim);
        onClaim(
          doubt === undefined,
          doubt === undefined ? `${text} (${took})` : `${text}: ${doubt}`,
        );
        if (doubt !== undefined) failed++;
      }
      await sleep(clock, pauseMs, signal);
    }
    return failed;
  }

  async #act(action: Action): Promise<void> {
    const { api, shop, kubelet, relay } = this.#cast;
    switch (action.kind) {
      case "deploy":
        shop.deploy(action.workload, action.set, action.replicas);
        return;
      case "scale":
        shop.scale(action.workload, action.replicas);
        return;
      case "roll":
        shop.roll(action.workload);
        return;
      case "crash": {
        const { name } = shop.onePodOf(action.workload);
        await api.endPod(NAMESPACE, name, "Failed");
        await this.#done(action, () => this.#pod(name)?.phase === "Failed");
        return;
      }
      case "drain":
        shop.drain(action.node);
        return;
      case "uncordon":
        shop.uncordon(action.node);
        return;
      case "run": {
        const { pod: name, set, addressOf } = action;
        const ip = addressOf === undefined ? undefined : this.#addressOf(addressOf);
        if (ip !== undefined) kubelet.reserve(objectKey(NAMESPACE, name), ip);
        await api.createPod({ name, set, node: shop.freeNode(), labels: {} });
        await this.#done(action, () => this.#pod(name)?.phase === "Running");
        this.#addressOf(name);
        return;
      }
      case "finish":
        this.#addressOf(action.pod);
        await api.endPod(NAMESPACE, action.pod, "Succeeded");
        await this.#done(action, () => this.#pod(action.pod)?.phase === "Succeeded");
        return;
      case "delete":
        this.#addressOf(action.pod);
        await api.deletePod(NAMESPACE, action.pod);
        await this.#done(action, () => this.#pod(action.pod) === undefined);
        return;
      case "edit": {
        const before = this.#cast.sets().get(action.set)?.resourceVersion;
        await api.emptySet(action.set);
        await this.#done(
          action,
          () => this.#cast.sets().get(action.set)?.resourceVersion !== before,
        );
        return;
      }
      case "cut":
        relay.cut();
        return;
      case "heal":
        relay.heal();
        return;
    }
  }

  /** What speaks against the claim; undefined when it is true. */
  async #check(
    claim: Claim,
    before: { readonly versions: string; readonly lines: number },
  ): Promise<string | undefined> {
    const { clock, signal, shop, pods, sets, said } = this.#cast;
    switch (claim.kind) {
      case "follows":
        return (
          (await this.#until(SHOP_MS, () => shop.unsettled())) ??
          (await this.#until(FOLLOW_MS, () => firstDifference(pods().values(), sets())))
        );
      case "holds": {
        const doubt = await this.#until(SHOP_MS, () => shop.unsettled());
        if (doubt !== undefined) return doubt;
        await sleep(clock, claim.forMs, signal);
        return this.#versions() === before.versions ? undefined : "sets were written";
      }
      case "says":
        return this.#until(FOLLOW_MS, () =>
          said().slice(before.lines).includes(claim.message) ? undefined : "it does not say so",
        );
      case "address": {
        const address = this.#addressOf(claim.pod);
        const isMember = sets().get(claim.set)?.nets.includes(`${address}/32`) === true;
        return isMember === claim.isMember
          ? undefined
          : `${address} ${isMember ? "is" : "is not"} in ${claim.set}`;
      }
    }
  }

  async #done(action: Action, isDone: () => boolean): Promise<void> {
    const doubt = await this.#until(SHOP_MS, () => (isDone() ? undefined : "no effect seen"));
    if (doubt !== undefined) throw new Error(`${JSON.stringify(action)}: ${doubt}`);
  }

  /** Waits until there is no doubt; answers the last doubt when there still is one after `withinMs`. */
  async #until(withinMs: number, doubt: () => string | undefined): Promise<string | undefined> {
    const { clock, signal } = this.#cast;
    const deadline = clock.monotonic() + withinMs;
    for (;;) {
      const left = doubt();
      if (left === undefined || clock.monotonic() > deadline) return left;
      await sleep(clock, POLL_MS, signal);
    }
  }

  #pod(name: string): PodRecord | undefined {
    return this.#cast.pods().get(objectKey(NAMESPACE, name));
  }

  /** The address that a pod has, or had when it was last asked for. */
  #addressOf(name: string): string {
    const address = this.#pod(name)?.ips[0] ?? this.#addresses.get(name);
    if (address === undefined) throw new Error(`find the address of pod ${name}: it has none`);
    this.#addresses.set(name, address);
    return address;
  }

  #versions(): string {
    return [...this.#cast.sets().values()]
      .map(({ name, uid, resourceVersion }) => `${name} ${uid} ${resourceVersion}`)
      .toSorted()
      .join("\n");
  }
}

function describeClaim(claim: Claim): string {
  switch (claim.kind) {
    case "follows":
      return "the sets are what the pods say";
    case "holds":
      return "no set was written";
    case "says":
      return `the operator says "${claim.message}"`;
    case "address":
      return `the address of ${claim.pod} is ${claim.isMember ? "" : "not "}in ${claim.set}`;
  }
}
