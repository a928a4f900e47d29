import type { PodRecord } from "../core/model/pod.ts";
import { NAMESPACE } from "./shop-api.ts";

/** A pod's name, with its namespace where that is not the shop's. */
export function podTitle({ namespace, name }: Pick<PodRecord, "namespace" | "name">): string {
  return namespace === NAMESPACE ? name : `${namespace}/${name}`;
}

/** A net as people say it: host CIDRs without their prefix length. */
export function netTitle(net: string): string {
  return net.replace(/\/(32|128)$/, "");
}

/** `1:02.3` for 62.3 s. */
export function timeTitle(ms: number): string {
  const tenths = Math.floor(ms / 100);
  const seconds = Math.floor(tenths / 10);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}.${tenths % 10}`;
}

/** `4 ms`, or `1.2 s`. */
export function durationTitle(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
