/**
 * What one change costs in the selection index at 100,000 pods and 2,000 selections with cluster terms.
 *
 *     node --expose-gc --import ./test/support/typescript.mjs bench/grouping/relabel.ts
 *
 * Reference, 2 vCPU, Node 20.20: see docs/benchmarks.md.
 */
import { SelectionIndex } from "../../src/core/grouping/selection-index.ts";
import type { PodKey, SelectionKey } from "../../src/core/grouping/selection.ts";
import type { ClusterName } from "../../src/core/model/names.ts";
import { EVERYTHING, selectorOf, type Selector } from "../../src/core/selector/selector.ts";

const PODS = 100_000;
const SELECTIONS = 2_000;
const SPACES = 500;
const CLUSTERS = ["a", "b", "c", "d"] as ClusterName[];

/** A small generator (xorshift32), so that every run sees the same world. */
let state = 0x2545f491;
function random(below: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
}

function podOf(index: number, version: number) {
  const cluster = CLUSTERS[index % CLUSTERS.length] ?? ("a" as ClusterName);
  const app = `app-${index % 1000}`;
  return {
    cluster,
    namespace: `ns-${index % SPACES}`,
    labels: {
      app,
      tier: `tier-${index % 5}`,
      "pod-template-hash": `${app}-${version}`,
      "app.kubernetes.io/instance": `instance-${index % 300}`,
      team: `team-${index % 40}`,
    },
  };
}

function podSelector(index: number): Selector {
  const app = selectorOf({ app: `app-${index % 1000}` });
  switch (index % 5) {
    case 0:
      return EVERYTHING;
    case 1:
      return { requirements: [{ key: "tier", operator: "NotIn", values: [`tier-${index % 5}`] }] };
    case 2:
      return selectorOf({ team: `team-${index % 40}`, tier: `tier-${index % 5}` });
    default:
      return app;
  }
}

let told = 0;
const index = new SelectionIndex(() => {
  told++;
});
const beforeBytes = process.memoryUsage().heapUsed;
let start = performance.now();
for (const cluster of CLUSTERS) {
  for (let n = 0; n < SPACES; n++) {
    index.setNamespace(cluster, `ns-${n}`, {
      "kubernetes.io/metadata.name": `ns-${n}`,
      team: `team-${n % 40}`,
    });
  }
}
for (let s = 0; s < SELECTIONS; s++) {
  const clusters = new Set(CLUSTERS.filter((_, c) => s % 7 === 0 || c === s % CLUSTERS.length));
  const selected = { kind: "selected", selector: selectorOf({ team: `team-${s % 40}` }) } as const;
  const named = { kind: "named", name: `ns-${s % SPACES}` } as const;
  index.setSelection(`s-${s}` as SelectionKey, {
    scope: { clusters, namespaces: s % 3 === 0 ? selected : named },
    pods: podSelector(s),
  });
}
for (let p = 0; p < PODS; p++) index.setPod(`p-${p}` as PodKey, podOf(p, 0));
const loadMs = performance.now() - start;
globalThis.gc?.();
const heapMb = (process.memoryUsage().heapUsed - beforeBytes) / 2 ** 20;

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
}

function report(what: string, costsUs: number[]): void {
  costsUs.sort((a, b) => a - b);
  const mean = costsUs.reduce((sum, cost) => sum + cost, 0) / costsUs.length;
  const [p50, p99] = [quantile(costsUs, 0.5), quantile(costsUs, 0.99)];
  print(`${what}: mean ${mean.toFixed(1)} us, p50 ${p50.toFixed(1)} us, p99 ${p99.toFixed(1)} us`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

print(
  `load: ${PODS} pods, ${SELECTIONS} selections, ${told} memberships in ${loadMs.toFixed(0)} ms, ${heapMb.toFixed(0)} MiB`,
);

for (const [what, version] of [
  ["relabel one pod to a label set never seen", 1],
  ["relabel one pod to a label set that others have", 1],
] as const) {
  const costs: number[] = [];
  for (let n = 0; n < 20_000; n++) {
    const p = random(PODS);
    const key = `p-${p}` as PodKey;
    const isNew = what.endsWith("seen");
    const pod = isNew ? podOf(p, version + n + 1) : podOf((p + 4 * SPACES) % PODS, 0);
    start = performance.now();
    index.setPod(key, pod);
    costs.push((performance.now() - start) * 1000);
  }
  report(what, costs);
}

for (const share of [1, 4, 16]) {
  // One namespace with `share` times the usual number of pods.
  const cluster = CLUSTERS[0] ?? ("a" as ClusterName);
  const name = `ns-extra-${share}`;
  const count = (PODS / SPACES / CLUSTERS.length) * share;
  for (let n = 0; n < count; n++) {
    index.setPod(`extra-${share}-${n}` as PodKey, { ...podOf(n, 0), cluster, namespace: name });
  }
  const costs: number[] = [];
  for (let n = 0; n < 500; n++) {
    start = performance.now();
    index.setNamespace(cluster, name, { team: `team-${n % 40}` });
    costs.push((performance.now() - start) * 1000);
  }
  report(`relabel one namespace of ${count} pods`, costs);
}
