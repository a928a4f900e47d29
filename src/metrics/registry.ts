import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { MetricSpec } from "./table.ts";

/** Values of a metric's labels; every label of its spec must be given. */
export type LabelValues = Readonly<Record<string, string>>;

/** One metric: `add` for counters, `set` for gauges, `observe` for histograms; a call that its type does not know fails. */
export interface Metric {
  add(labels: LabelValues, by?: number): void;
  set(labels: LabelValues, value: number): void;
  observe(labels: LabelValues, value: number): void;
  /** Removes every series whose labels include `labels`. */
  forget(labels: LabelValues): Promise<void>;
}

function wrongType(spec: MetricSpec, call: string): () => never {
  return () => {
    throw new Error(`${call} on ${spec.name}, which is a ${spec.type}`);
  };
}

function matches(
  labels: LabelValues,
  series: Readonly<Record<string, string | number | undefined>>,
) {
  return Object.entries(labels).every(([name, value]) => series[name] === value);
}

async function forgetSeries(
  metric: Counter | Gauge | Histogram,
  spec: MetricSpec,
  labels: LabelValues,
): Promise<void> {
  const { values } = await metric.get();
  for (const { labels: series } of values) {
    if (!matches(labels, series)) continue;
    metric.remove(
      Object.fromEntries(spec.labels.map((name) => [name, String(series[name] ?? "")])),
    );
  }
}

function makeMetric(spec: MetricSpec, registry: Registry): Metric {
  const common = {
    name: spec.name,
    help: spec.help,
    labelNames: spec.labels,
    registers: [registry],
  };
  const add = wrongType(spec, "add");
  const set = wrongType(spec, "set");
  const observe = wrongType(spec, "observe");
  switch (spec.type) {
    case "counter": {
      const counter = new Counter(common);
      const forget = async (labels: LabelValues): Promise<void> =>
        forgetSeries(counter, spec, labels);
      return { add: (labels, by = 1) => counter.inc({ ...labels }, by), set, observe, forget };
    }
    case "gauge": {
      const gauge = new Gauge(common);
      const forget = async (labels: LabelValues): Promise<void> =>
        forgetSeries(gauge, spec, labels);
      return { add, set: (labels, value) => gauge.set({ ...labels }, value), observe, forget };
    }
    case "histogram": {
      const histogram = new Histogram({ ...common, buckets: [...(spec.buckets ?? [])] });
      const forget = async (labels: LabelValues): Promise<void> =>
        forgetSeries(histogram, spec, labels);
      return {
        add,
        set,
        observe: (labels, value) => histogram.observe({ ...labels }, value),
        forget,
      };
    }
    default:
      return spec.type satisfies never;
  }
}

/** The metrics of one process. */
export interface Metrics<T extends Readonly<Record<string, MetricSpec>>> {
  readonly metric: { readonly [K in keyof T]: Metric };
  /** The Prometheus text format, `process_*` and `nodejs_*` included. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** Makes the metrics of `table`, and calls `collect` before each reading so that gauges can be brought up to date. */
export function createMetrics<T extends Readonly<Record<string, MetricSpec>>>(
  table: T,
  collect: () => void,
): Metrics<T> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const metric = Object.fromEntries(
    Object.entries(table).map(([key, spec]) => [key, makeMetric(spec, registry)]),
  ) as { readonly [K in keyof T]: Metric };
  return {
    metric,
    contentType: registry.contentType,
    text: async () => {
      collect();
      return registry.metrics();
    },
  };
}
