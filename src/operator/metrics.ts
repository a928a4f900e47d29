import type { Metrics } from "../metrics/registry.ts";
import type { MetricSpec, OperatorMetric } from "../metrics/table.ts";

/** The operator's metrics. */
export type OperatorMetrics = Metrics<Readonly<Record<OperatorMetric, MetricSpec>>>;
