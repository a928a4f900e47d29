import type { LinkFacts } from "../runtime/reflector.ts";

/** States of the link to a remote cluster. */
export const LINK_STATES = ["Connecting", "Synced", "Stale"] as const;

/** `Connecting`: never seen whole. `Stale`: seen whole, but without proof of life for too long. */
export type LinkState = (typeof LINK_STATES)[number];

const STALE_AFTER_MS = 60_000;

/** The state of the link that `facts` describe at `now`, milliseconds since the epoch. */
export function linkState(facts: LinkFacts, now: number): LinkState {
  if (!facts.synced) return "Connecting";
  // A healthy watch may be silent for a minute: bookmarks come no more often.
  if (facts.isHealthy) return "Synced";
  return now - (facts.proofOfLifeAt ?? 0) > STALE_AFTER_MS ? "Stale" : "Synced";
}
