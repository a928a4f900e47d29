import { systemClock, sleep, type Clock } from "../runtime/clock.ts";
import type { StartCluster } from "./clusters.ts";
import { startEmbedded } from "./embedded.ts";
import type { OperatorOptions } from "./operator-child.ts";
import type { View } from "./picture.ts";
import { playScript } from "./play.ts";
import { openScene, type Scene } from "./scene.ts";
import { SCRIPTS, type ScriptName } from "./scripts.ts";
import { canShowPictures, pictureShow, plainShow, type Show } from "./show.ts";
import { setStage, type Stage } from "./stage.ts";

/** How a demo is to be played. */
export interface DemoOptions {
  readonly script: ScriptName;
  /** End after the script, and do not wait for anybody to read. */
  readonly once: boolean;
  /** The command line of `wayleave` itself. */
  readonly command: OperatorOptions["command"];
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Ends the demo. */
  readonly signal: AbortSignal;
  /** @default embedded ones */
  readonly startCluster?: StartCluster;
  /** What people are told that the clusters are. @default embedded clusters */
  readonly clusterKind?: string;
  /** The kubectl that people are told to use. @default "kubectl" */
  readonly kubectl?: string;
}

/** How long each step is left to be looked at. */
const PAUSE_MS = 2_500;
/** What the operator says when it is ready; the script begins then, or when this time is over: its claims will tell. */
const READY = ["remote cluster is followed", "local cluster serves GlobalNetworkSets"];
const READY_MS = 15_000;
/** The story tells of each write as it is seen. */
const NOT_TOLD: ReadonlySet<string> = new Set(["network set written"]);

/**
 * Plays a script on two clusters and shows it. Resolves with whether every claim was true; without `once` it goes on
 * until the signal or a key ends it. Rejects when the stage cannot be set, an action fails, or the operator ends.
 */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const stage = await setStage(options.startCluster ?? startEmbedded, systemClock);
  try {
    return await new Demo(options, stage, systemClock).run();
  } finally {
    await stage.close();
  }
}

class Demo {
  readonly #options: DemoOptions;
  readonly #stage: Stage;
  readonly #clock: Clock;
  readonly #ended = new AbortController();
  readonly #signal: AbortSignal;
  readonly #commands: readonly string[];
  /** Messages of the operator's log. */
  readonly #said: string[] = [];
  #scene: Scene | undefined;
  #failed = 0;
  #isOver = false;
  #onAgain: () => void = () => {};

  constructor(options: DemoOptions, stage: Stage, clock: Clock) {
    this.#options = options;
    this.#stage = stage;
    this.#clock = clock;
    this.#signal = AbortSignal.any([options.signal, this.#ended.signal]);
    const { kubectl = "kubectl" } = options;
    const { remote, local } = stage.kubeconfigs;
    this.#commands = [
      `${kubectl} --kubeconfig ${remote} -n shop delete pod -l app=web`,
      `${kubectl} --kubeconfig ${local} get globalnetworksets`,
    ];
  }

  async run(): Promise<boolean> {
    const { stdout, once } = this.#options;
    const show = this.#show();
    try {
      await this.#perform(show);
    } catch (error) {
      if (!this.#signal.aborted) throw error;
    } finally {
      this.#ended.abort();
      show.close();
    }
    stdout.write(`\n${this.#conclusion()}\n`);
    return this.#failed === 0 && (this.#isOver || !once);
  }

  #show(): Show {
    const { stdin, stdout, environment, once, script, clusterKind } = this.#options;
    const kind = clusterKind ?? "embedded clusters (simulated API servers)";
    if (!once && canShowPictures({ stdout, environment })) {
      return pictureShow({
        stdin,
        stdout,
        environment,
        view: () => this.#view(),
        onQuit: () => this.#ended.abort(),
        onAgain: () => this.#onAgain(),
      });
    }
    stdout.write(
      `wayleave demo, script ${script}: two ${kind} and the operator.\n` +
        `From another terminal:\n${this.#commands.map((line) => `  ${line}\n`).join("")}`,
    );
    return plainShow(stdout);
  }

  async #perform(show: Show): Promise<void> {
    const signal = this.#signal;
    const scene = await openScene({
      stage: this.#stage,
      clock: this.#clock,
      signal,
      onRow: show.row,
      onChange: show.change,
    });
    this.#scene = scene;
    const operator = this.#stage.startOperator(this.#options.command, ({ level, message }) => {
      this.#said.push(message);
      const isTrouble = level === "warn" || level === "error";
      if (!NOT_TOLD.has(message))
        scene.story.tell({ kind: "operator", atMs: scene.elapsedMs(), isTrouble, text: message });
    });
    const operatorEnded = operator.ended.then((how) => {
      throw new Error(`the operator ended: ${how}`);
    });
    await Promise.race([this.#play(scene, show), operatorEnded]);
  }

  async #play(scene: Scene, show: Show): Promise<void> {
    const { once, script } = this.#options;
    while (!this.#isReady() && scene.elapsedMs() < READY_MS)
      await sleep(this.#clock, 20, this.#signal);
    for (;;) {
      this.#isOver = false;
      this.#failed += await this.#playOnce(scene, script);
      this.#isOver = true;
      if (once) return;
      show.over();
      await this.#again();
    }
  }

  #isReady(): boolean {
    return READY.every((message) => this.#said.includes(message));
  }

  async #playOnce(scene: Scene, script: ScriptName): Promise<number> {
    const { story, elapsedMs } = scene;
    return playScript(SCRIPTS[script], {
      ...scene,
      relay: this.#stage.relay,
      clock: this.#clock,
      signal: this.#signal,
      said: () => this.#said,
      onStep: ({ title }, number, of) =>
        story.tell({ kind: "step", atMs: elapsedMs(), number, of, title }),
      onClaim: (ok, text) => {
        // Both clusters were just seen to agree, or not to: no cause is still under way.
        story.settle(Number.POSITIVE_INFINITY);
        story.tell({ kind: "claim", atMs: elapsedMs(), ok, text });
      },
      pauseMs: this.#options.once ? 0 : PAUSE_MS,
    });
  }

  /** Resolves when somebody wants the script again; rejects when the signal aborts. */
  async #again(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#onAgain = resolve;
      const end = (): void => reject(this.#signal.reason as Error);
      if (this.#signal.aborted) end();
      this.#signal.addEventListener("abort", end, { once: true });
    });
    this.#onAgain = () => {};
  }

  #view(): View {
    return {
      script: this.#options.script,
      elapsedMs: this.#scene?.elapsedMs() ?? 0,
      pods: this.#scene?.pods() ?? new Map(),
      sets: this.#scene?.sets() ?? new Map(),
      rows: this.#scene?.story.rows ?? [],
      isCut: this.#stage.relay.isCut,
      isOver: this.#isOver,
      commands: this.#commands,
      keys: `q ends${this.#isOver ? ", r plays the script again" : ""}`,
    };
  }

  #conclusion(): string {
    if (this.#failed > 0) return `${this.#failed} claims were not true.`;
    return this.#isOver ? "Every claim was true." : "Ended before the script was.";
  }
}
