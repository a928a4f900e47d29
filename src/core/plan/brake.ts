/** When a removal is so large that one list is not believed. */
export interface BrakeLimits {
  /** A removal of more than this share of a cluster's entries is held, 0 to 100. */
  readonly maxRemovalPercent: number;
  /** The second list must be at least this much later, in milliseconds. */
  readonly holdMs: number;
}

/** Smaller removals are never held: a handful of pods is no mass. */
const AT_LEAST = 10;

/** Whether a list that would remove `removed` of `total` entries must be confirmed by a second one. */
export function isMassRemoval(removed: number, total: number, limits: BrakeLimits): boolean {
  return removed >= AT_LEAST && removed * 100 > total * limits.maxRemovalPercent;
}
