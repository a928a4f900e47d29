import { decodeSet } from "../calico/global-network-set.ts";
import { objectKey, type PodRecord } from "../core/model/pod.ts";
import { errorText } from "../core/model/fault.ts";
import type { ActualSet } from "../core/plan/plan-set.ts";
import { jsonListWatch } from "../kube/json-list-watch.ts";
import { podFromJson } from "../kube/pod.ts";
import { sleep, type Clock } from "../runtime/clock.ts";
import { Reflector } from "../runtime/reflector.ts";
import { repeat } from "../runtime/repeat.ts";
import { CALICO, SETS_PATH } from "./calico-crd.ts";
import { Kubelet } from "./kubelet.ts";
import { SET_NAME, wantedSets } from "./membership.ts";
import { Mirror } from "./mirror.ts";
import { Shop } from "./shop.ts";
import { ShopApi } from "./shop-api.ts";
import type { Stage } from "./stage.ts";
import { Story, type Row } from "./story.ts";

const SETTLE_EVERY_MS = 100;

/** The shop alive, and both clusters as the demo itself sees them. */
export interface Scene {
  readonly api: ShopApi;
  readonly shop: Shop;
  readonly kubelet: Kubelet;
  readonly story: Story;
  readonly pods: () => ReadonlyMap<string, PodRecord>;
  readonly sets: () => ReadonlyMap<string, ActualSet>;
  /** Milliseconds since the demo began. */
  readonly elapsedMs: () => number;
}

/** What a scene is made of. */
export interface SceneParts {
  readonly stage: Stage;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told each row of the story once. */
  readonly onRow: (row: Row) => void;
  /** Something to be seen changed. */
  readonly onChange: () => void;
}

/** Watches both clusters and brings the shop to life; it ends with the signal. Resolves when both were seen whole. */
export async function openScene(parts: SceneParts): Promise<Scene> {
  const { stage, clock, signal, onRow, onChange } = parts;
  const api = new ShopApi(stage.remote, stage.local);
  await api.prepare();

  const begun = clock.monotonic();
  const elapsedMs = (): number => clock.monotonic() - begun;
  const story = new Story(
    (row) => {
      onRow(row);
      onChange();
    },
    ({ set, net }) => wantedSets(pods.items.values()).get(set)?.has(net) === true,
  );
  const onError = (error: unknown): void =>
    story.tell({ kind: "trouble", atMs: elapsedMs(), text: errorText(error) });
  const life = { api, clock, signal, pods: () => pods.items.values(), onError };
  const kubelet = new Kubelet(life);
  const shop = new Shop(life);
  const pods = new Mirror<PodRecord>(
    (pod) => objectKey(pod.namespace, pod.name),
    (before, after) => {
      story.podChanged(elapsedMs(), before, after);
      if (after !== undefined) kubelet.see(after);
      shop.reconcile();
      onChange();
    },
  );
  const sets = new Mirror<ActualSet>(
    (set) => set.name,
    (before, after) => {
      story.setChanged(elapsedMs(), before, after);
      onChange();
    },
  );
  const annotations = new Set([SET_NAME]);
  const podWatch = new Reflector({
    source: jsonListWatch(stage.remote, {
      path: "/api/v1/pods",
      decode: (pod) => podFromJson(pod, annotations),
    }),
    store: pods,
    clock,
  });
  const setWatch = new Reflector({
    source: jsonListWatch(stage.local, {
      path: SETS_PATH,
      decode: (set) => decodeSet(CALICO, set),
    }),
    store: sets,
    clock,
  });
  for (const watch of [podWatch, setWatch]) watch.run(signal).catch(onError);
  repeat(clock, SETTLE_EVERY_MS, signal, () => story.settle(elapsedMs()));
  while (!pods.isComplete || !sets.isComplete) await sleep(clock, 10, signal);
  return {
    api,
    shop,
    kubelet,
    story,
    pods: () => pods.items,
    sets: () => sets.items,
    elapsedMs,
  };
}
