/** States of the link to a cluster, in the order of their trouble. */
export const LINK_STATES = ["Connecting", "Synced", "Stale", "Expired", "Removed"] as const;

/**
 * `Connecting`: never seen whole, so nothing is known of what is absent there. `Synced`: seen whole, and lately proven alive.
 * `Stale`: the proof is too old; what is known is held. `Expired`: so old that it may be let go.
 * `Removed`: the cluster is not configured any more.
 */
export type LinkState = (typeof LINK_STATES)[number];

/** What is known of a link. */
export interface LinkProof {
  /** Whether the collection was ever seen whole. */
  readonly synced: boolean;
  /**
   * When the server last said something true: ms of the clock that also gives `now`. A monotonic one:
   * a step of the wall clock would expire every link at once.
   */
  readonly provenAt: number | undefined;
  /** Whether the cluster was taken out of the configuration. */
  readonly removed: boolean;
}

/** How long a proof of life is good. */
export interface LinkLimits {
  readonly staleAfterMs: number;
  /** Undefined: never. */
  readonly expireAfterMs: number | undefined;
}

/** A link at one time. */
export interface Link {
  readonly state: LinkState;
  /** Since the last proof of life; undefined before the first. Never negative. */
  readonly ageMs: number | undefined;
}

/** The link that `proof` describes at `now`. A limit is passed when the age is greater. A link without any proof never expires. */
export function linkAt(proof: LinkProof, limits: LinkLimits, now: number): Link {
  const { provenAt } = proof;
  const ageMs = provenAt === undefined ? undefined : Math.max(0, now - provenAt);
  return { state: stateAt(proof, limits, ageMs), ageMs };
}

function stateAt(proof: LinkProof, limits: LinkLimits, ageMs: number | undefined): LinkState {
  if (proof.removed) return "Removed";
  if (!proof.synced) return "Connecting";
  if (ageMs === undefined) return "Stale";
  if (limits.expireAfterMs !== undefined && ageMs > limits.expireAfterMs) return "Expired";
  return ageMs > limits.staleAfterMs ? "Stale" : "Synced";
}
