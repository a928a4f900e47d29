/** Transport protocols that a container port and a policy can name. */
export type Protocol = "TCP" | "UDP" | "SCTP";

/** A port that a container declares. `name` is "" when it has none. */
export interface ContainerPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: Protocol;
}

/** Pod phases (core/v1 PodStatus). A server that sends none means Pending. */
export type PodPhase = "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";

/**
 * What policy can see of a Pod, and nothing else.
 * `ips` is `status.podIPs` (else `status.podIP`) as the server wrote it, not yet checked.
 * `annotations` holds only the keys that the reader was told to keep.
 * `ports` are those of containers and of restartable init containers (semantics.md R10).
 */
export interface PodRecord {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ips: readonly string[];
  readonly phase: PodPhase;
  readonly hostNetwork: boolean;
  readonly nodeName: string;
  /** Whether `metadata.deletionTimestamp` is set. */
  readonly terminating: boolean;
  readonly ports: readonly ContainerPort[];
}

/** The key of a namespaced object within its cluster: `namespace/name`. */
export type ObjectKey = string & { readonly brand: "ObjectKey" };

/** The key of the object called `name` in `namespace`. */
export function objectKey(namespace: string, name: string): ObjectKey {
  return `${namespace}/${name}` as ObjectKey;
}
