import type { Cluster } from "../api/cluster.ts";
import type { JsonObject } from "../json.ts";
import { ProtobufEncoder } from "../protobuf/encode.ts";
import { bytesOf, type WrittenForm, type WrittenStored } from "../store/written.ts";
import { drawPod, podLabels, type FleetPhase } from "./pod-form.ts";
import { Random } from "./random.ts";
import { Template } from "./template.ts";

const PODS_PER_APP = 10;
const APPS_PER_NAMESPACE = 100;
const PODS_PER_NODE = 100;
const TIERS = ["web", "api", "cache", "worker"];
const PODS = "/pods";

/** How many of 100 changes are of which kind. */
const REPLACE_SHARE = 30;

/** What all pods of a fleet share. */
interface Plan {
  /** By phase, then tier. */
  readonly templates: Readonly<Record<FleetPhase, readonly Template[]>>;
  readonly apps: readonly App[];
  readonly nodes: readonly string[];
  /** The first part of uids. */
  readonly uidHead: string;
}

/** What the pods of one app share. */
interface App {
  readonly name: string;
  readonly namespace: string;
  readonly hash: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A generated pod: a few numbers, written out when somebody asks. */
class FleetPod implements WrittenStored {
  readonly name: string;
  readonly revision: number;
  private readonly plan: Plan;
  private readonly app: number;
  /** Never used twice; name, uid and address follow from it. */
  private readonly serial: number;
  readonly phase: FleetPhase;

  constructor(plan: Plan, app: number, serial: number, phase: FleetPhase, revision: number) {
    this.plan = plan;
    this.app = app;
    this.serial = serial;
    this.phase = phase;
    this.revision = revision;
    const { name, hash } = plan.apps[app] as App;
    this.name = `${name}-${hash}-${serial.toString(36).padStart(6, "0")}`;
  }

  get namespace(): string {
    return this.shared.namespace;
  }

  get uid(): string {
    return this.plan.uidHead + this.serial.toString(16).padStart(12, "0");
  }

  get bytes(): number {
    return 200;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.shared.labels;
  }

  private get shared(): App {
    return this.plan.apps[this.app] as App;
  }

  json(): string {
    return bytesOf(this, "json").toString("latin1");
  }

  object(): JsonObject {
    return this.template().object(this.slots());
  }

  at(revision: number): FleetPod {
    return new FleetPod(this.plan, this.app, this.serial, this.phase, revision);
  }

  /** The same pod doing something else. */
  as(phase: FleetPhase, revision: number): FleetPod {
    return new FleetPod(this.plan, this.app, this.serial, phase, revision);
  }

  /** Another pod of the same app in its place. */
  successor(serial: number, revision: number): FleetPod {
    return new FleetPod(this.plan, this.app, serial, "ready", revision);
  }

  lengthAs(form: WrittenForm): number {
    return this.template().lengthAs(form, this.slots());
  }

  write(form: WrittenForm, target: Buffer, at: number): void {
    this.template().write(form, this.slots(), target, at);
  }

  private template(): Template {
    return this.plan.templates[this.phase][this.app % TIERS.length] as Template;
  }

  private slots(): string[] {
    const { name, namespace, hash } = this.shared;
    const { nodes } = this.plan;
    return [
      this.name,
      namespace,
      name,
      hash,
      this.uid,
      String(this.revision),
      nodes[Math.floor(this.serial / PODS_PER_NODE) % nodes.length] as string,
      ipOf(this.serial),
    ];
  }
}

/** Pods of a large cluster, generated from a seed, and changes of them. */
export class Fleet {
  private readonly cluster: Cluster;
  private readonly random: Random;
  private readonly pods: FleetPod[] = [];
  private nextSerial = 0;

  /** Puts `pods` pods, their namespaces and nodes into `cluster`. The same seed makes the same cluster. */
  constructor(cluster: Cluster, pods: number, seed: number) {
    this.cluster = cluster;
    this.random = new Random(seed);
    const plan = makePlan(cluster, pods, seed);
    for (const name of new Set(plan.apps.map((app) => app.namespace))) seedNamespace(cluster, name);
    for (const name of plan.nodes) seedNode(cluster, name);
    const collection = cluster.store.collection(PODS);
    for (let index = 0; index < pods; index++) {
      const app = Math.floor(index / PODS_PER_APP);
      const pod = new FleetPod(
        plan,
        app,
        this.nextSerial++,
        this.firstPhase(),
        cluster.store.advance(),
      );
      this.pods.push(pod);
      collection.load(pod);
    }
  }

  /** The number of pods. */
  get size(): number {
    return this.pods.length;
  }

  /** Makes one change: a pod becomes ready or not, ends, or is replaced (which is two changes). Gives how many. */
  change(): number {
    if (this.pods.length === 0) return 0;
    const at = this.random.below(this.pods.length);
    const pod = this.pods[at] as FleetPod;
    const { store } = this.cluster;
    const current = store.collection(PODS).get(pod.namespace, pod.name);
    // Somebody else changed or deleted this one: it is theirs now.
    if (current !== pod) {
      this.pods[at] = this.pods.at(-1) as FleetPod;
      this.pods.pop();
      return 0;
    }
    if (this.random.below(100) < REPLACE_SHARE) {
      store.remove(PODS, pod);
      const serial = this.nextSerial++;
      this.pods[at] = store.putStored(PODS, (revision) =>
        pod.successor(serial, revision),
      ) as FleetPod;
      return 2;
    }
    const phase = this.nextPhase(pod.phase);
    this.pods[at] = store.putStored(PODS, (revision) => pod.as(phase, revision)) as FleetPod;
    return 1;
  }

  /**
   * Makes `perSecond` changes a second, in steps of 20 ms, until the returned function is called.
   * What a slow machine did not manage is made up for, a second's worth at most.
   */
  churn(perSecond: number): () => void {
    const { clock } = this.cluster;
    let last = clock.monotonic();
    let owed = 0;
    let cancel: () => void;
    const step = (): void => {
      const now = clock.monotonic();
      owed = Math.min(perSecond, owed + ((now - last) * perSecond) / 1000);
      last = now;
      while (owed >= 1 && this.pods.length > 0) owed -= Math.max(1, this.change());
      cancel = clock.after(20, step);
    };
    cancel = clock.after(20, step);
    return () => cancel();
  }

  private firstPhase(): FleetPhase {
    const dice = this.random.below(100);
    return dice < 94 ? "ready" : dice < 97 ? "unready" : dice < 99 ? "pending" : "succeeded";
  }

  private nextPhase(phase: FleetPhase): FleetPhase {
    if (phase === "ready") return "unready";
    return "ready";
  }
}

function makePlan(cluster: Cluster, pods: number, seed: number): Plan {
  const encoder = new ProtobufEncoder(cluster.schema);
  const at = cluster.timestamp();
  const templates = (phase: FleetPhase): Template[] =>
    TIERS.map((tier) => new Template((slots) => drawPod(phase, tier, at, slots), "Pod", encoder));
  return {
    templates: {
      pending: templates("pending"),
      ready: templates("ready"),
      unready: templates("unready"),
      succeeded: templates("succeeded"),
    },
    apps: Array.from({ length: Math.ceil(pods / PODS_PER_APP) }, (_, index) => makeApp(index)),
    nodes: Array.from(
      { length: Math.min(10_000, Math.max(1, Math.ceil(pods / PODS_PER_NODE))) },
      (_, index) => `node-${pad(index, 4)}`,
    ),
    uidHead: `${pad(seed.toString(16), 8)}-f1ee-4000-a000-`,
  };
}

function makeApp(index: number): App {
  const tier = TIERS[index % TIERS.length] as string;
  const name = `${tier}-${pad(index, 5)}`;
  const hash = pad(Math.imul(index + 1, 2_654_435_761) >>> 0, 10);
  return {
    name,
    namespace: `shop-${pad(Math.floor(index / APPS_PER_NAMESPACE), 4)}`,
    hash,
    labels: podLabels(name, hash, tier),
  };
}

function seedNamespace(cluster: Cluster, name: string): void {
  cluster.seed("/namespaces", {
    metadata: { name, labels: { "kubernetes.io/metadata.name": name, fleet: "true" } },
    spec: { finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  });
}

function seedNode(cluster: Cluster, name: string): void {
  cluster.seed("/nodes", {
    metadata: { name, labels: { "kubernetes.io/hostname": name } },
    spec: {},
    status: {
      conditions: [{ type: "Ready", status: "True", reason: "KubeletReady", message: "" }],
      addresses: [{ type: "Hostname", address: name }],
    },
  });
}

function pad(value: number | string, width: number): string {
  return String(value).padStart(width, "0");
}

/** Addresses of 10.0.0.0/8; they come round after sixteen million pods. */
function ipOf(serial: number): string {
  const index = (serial % 16_000_000) + 256;
  return `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
}
