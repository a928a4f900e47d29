import type { Cidr } from "../address/cidr.ts";
import type { Protocol } from "../model/pod.ts";
import type { Selector } from "../selector/selector.ts";

/** The directions that a policy can isolate. */
export type Direction = "ingress" | "egress";

/** A range of addresses without some of its parts. `excepts` belong to this block only (semantics.md B11). */
export interface IpBlock {
  readonly cidr: Cidr;
  readonly excepts: readonly Cidr[];
}

/**
 * One entry of `from` or `to`. `invalid` is an entry that could not be read: it admits nobody (B24).
 * An absent selector is undefined; an empty one is present and selects everything.
 */
export type Peer =
  | { readonly kind: "block"; readonly block: IpBlock }
  | {
      readonly kind: "pods";
      readonly podSelector: Selector | undefined;
      readonly namespaceSelector: Selector | undefined;
    }
  | { readonly kind: "invalid" };

/** One entry of `ports`. `endPort` equals `port` for a single port; `any` is every port of the protocol. */
export type PolicyPort =
  | { readonly kind: "any"; readonly protocol: Protocol }
  | {
      readonly kind: "range";
      readonly protocol: Protocol;
      readonly port: number;
      readonly endPort: number;
    }
  | { readonly kind: "named"; readonly protocol: Protocol; readonly name: string }
  | { readonly kind: "invalid" };

/** One ingress or egress rule. Undefined `peers` or `ports` mean no restriction (B3); they are never empty. */
export interface Rule {
  readonly peers: readonly Peer[] | undefined;
  readonly ports: readonly PolicyPort[] | undefined;
}

/** A NetworkPolicy (networking.k8s.io/v1) with the API server's defaults filled in. */
export interface NetworkPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly podSelector: Selector;
  /** The directions in which the selected pods are isolated: `spec.policyTypes`. */
  readonly isolates: ReadonlySet<Direction>;
  readonly ingress: readonly Rule[];
  readonly egress: readonly Rule[];
}
