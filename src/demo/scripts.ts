/** Something that happens to the shop, or to the network. */
export type Action =
  /** `replicas` pods that share a set. */
  | {
      readonly kind: "deploy";
      readonly workload: string;
      readonly set: string;
      readonly replicas: number;
    }
  | { readonly kind: "scale"; readonly workload: string; readonly replicas: number }
  /** A new version, pod by pod. */
  | { readonly kind: "roll"; readonly workload: string }
  /** One pod of the workload becomes Failed. */
  | { readonly kind: "crash"; readonly workload: string }
  /** No new pod comes to the node, and those on it go. */
  | { readonly kind: "drain"; readonly node: string }
  | { readonly kind: "uncordon"; readonly node: string }
  /** A pod of no workload; with the address that `addressOf` has or had, where that is named. */
  | {
      readonly kind: "run";
      readonly pod: string;
      readonly set: string;
      readonly addressOf?: string;
    }
  /** The pod becomes Succeeded. It keeps its object and, in it, its address. */
  | { readonly kind: "finish"; readonly pod: string }
  | { readonly kind: "delete"; readonly pod: string }
  /** Somebody takes all addresses out of a set's object by hand. */
  | { readonly kind: "edit"; readonly set: string }
  /** The operator's connections to the remote API server are cut, and new ones refused. */
  | { readonly kind: "cut" }
  | { readonly kind: "heal" };

/** Something that must be true after a step's actions. */
export type Claim =
  /** The shop is as it was told to be, and the sets are what its pods say, within 10 s. */
  | { readonly kind: "follows" }
  /** The shop is as it was told to be, and for so long after it no set was written since the step began. */
  | { readonly kind: "holds"; readonly forMs: number }
  /** The operator logged this message since the step began. */
  | { readonly kind: "says"; readonly message: string }
  /** The address that `pod` has or had is, or is not, in the set. */
  | {
      readonly kind: "address";
      readonly pod: string;
      readonly set: string;
      readonly isMember: boolean;
    };

/** One step: told, done, checked. */
export interface Step {
  readonly title: string;
  readonly actions: readonly Action[];
  readonly claims: readonly Claim[];
}

/** Names of scripts. */
export type ScriptName = "two-clusters" | "rollout" | "partition" | "ip-reuse";

const follows: Claim = { kind: "follows" };

const opening: Step = {
  title: "the shop opens in the remote cluster: 2 client and 3 web pods",
  actions: [
    { kind: "deploy", workload: "client", set: "client", replicas: 2 },
    { kind: "deploy", workload: "web", set: "web", replicas: 3 },
  ],
  claims: [follows],
};

function roll(workload: string): Step {
  return {
    title: `${workload} rolls to a new version, pod by pod`,
    actions: [{ kind: "roll", workload }],
    claims: [follows],
  };
}

function scale(workload: string, replicas: number): Step {
  return {
    title: `${workload} is scaled to ${replicas}`,
    actions: [{ kind: "scale", workload, replicas }],
    claims: [follows],
  };
}

const cut: Step = {
  title: "the network to the remote API server is cut: its sets are held as they are",
  actions: [{ kind: "cut" }],
  claims: [
    { kind: "says", message: "remote cluster does not answer; its sets are held as they are" },
    { kind: "holds", forMs: 1500 },
  ],
};

function heal(title: string): Step {
  return { title, actions: [{ kind: "heal" }], claims: [follows] };
}

/** What each script does, in order. */
export const SCRIPTS: Readonly<Record<ScriptName, readonly Step[]>> = {
  "two-clusters": [
    opening,
    scale("client", 4),
    roll("web"),
    {
      title: "a client pod crashes, and another takes its place",
      actions: [{ kind: "crash", workload: "client" }],
      claims: [follows],
    },
    {
      title: "node-2 is drained: its pods move to node-1, with other addresses",
      actions: [{ kind: "drain", node: "node-2" }],
      claims: [follows],
    },
    {
      title: "somebody empties set aws-shop-web by hand: the operator puts it back",
      actions: [
        { kind: "uncordon", node: "node-2" },
        { kind: "edit", set: "aws-shop-web" },
      ],
      claims: [follows],
    },
    scale("client", 0),
    scale("client", 2),
  ],
  rollout: [opening, roll("web"), scale("web", 5), roll("web"), roll("client"), scale("web", 3)],
  partition: [
    opening,
    cut,
    {
      title: "meanwhile web rolls: nobody here can know, so nothing is taken away",
      actions: [{ kind: "roll", workload: "web" }],
      claims: [{ kind: "holds", forMs: 1500 }],
    },
    heal("the network heals: the sets catch up"),
    { ...cut, title: "it is cut again, within the minute" },
    {
      title: "meanwhile client goes away altogether",
      actions: [{ kind: "scale", workload: "client", replicas: 0 }],
      claims: [{ kind: "holds", forMs: 1500 }],
    },
    heal("it heals: what a complete list proves gone is taken away"),
    scale("client", 2),
  ],
  "ip-reuse": [
    opening,
    {
      title: "a report job starts in a set of its own",
      actions: [{ kind: "run", pod: "report", set: "batch" }],
      claims: [follows, { kind: "address", pod: "report", set: "aws-shop-batch", isMember: true }],
    },
    {
      title: "it completes: its object stays, its address leaves the set",
      actions: [{ kind: "finish", pod: "report" }],
      claims: [follows, { kind: "address", pod: "report", set: "aws-shop-batch", isMember: false }],
    },
    {
      title: "a new client pod is given that address: it joins client, and no other set",
      actions: [{ kind: "run", pod: "client-late", set: "client", addressOf: "report" }],
      claims: [
        follows,
        { kind: "address", pod: "client-late", set: "aws-shop-client", isMember: true },
        { kind: "address", pod: "report", set: "aws-shop-batch", isMember: false },
      ],
    },
    {
      title: "the completed pod is deleted at last: the address stays with its new owner",
      actions: [{ kind: "delete", pod: "report" }],
      claims: [
        { kind: "holds", forMs: 1000 },
        { kind: "address", pod: "client-late", set: "aws-shop-client", isMember: true },
      ],
    },
    {
      title: "the new owner is deleted: now the address belongs to nobody",
      actions: [{ kind: "delete", pod: "client-late" }],
      claims: [
        follows,
        { kind: "address", pod: "client-late", set: "aws-shop-client", isMember: false },
      ],
    },
  ],
};

/** Names of all scripts, the usual one first. */
export const SCRIPT_NAMES: readonly ScriptName[] = [
  "two-clusters",
  "rollout",
  "partition",
  "ip-reuse",
];
