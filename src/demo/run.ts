import { errorText } from "../core/model/fault.ts";
import { sleep, systemClock, type Clock } from "../runtime/clock.ts";
import type { StartCluster } from "./clusters.ts";
import { startEmbedded } from "./embedded.ts";
import type { OperatorOptions } from "./operator-child.ts";
import { plainLine } from "./plain.ts";
import { playScript } from "./play.ts";
import { openScene } from "./scene.ts";
import { SCRIPTS, type ScriptName } from "./scripts.ts";
import { setStage, type Stage } from "./stage.ts";

/** How a demo is to be played. */
export interface DemoOptions {
  readonly script: ScriptName;
  /** End after the script, and do not wait for anybody to read. */
  readonly once: boolean;
  /** The command line of `wayleave` itself. */
  readonly command: OperatorOptions["command"];
  readonly stdout: NodeJS.WriteStream;
  /** Ends the demo. */
  readonly signal: AbortSignal;
  /** @default embedded ones */
  readonly startCluster?: StartCluster;
  /** What people are told that the clusters are. */
  readonly clusterKind?: string;
  /** The kubectl that people are told to use. @default "kubectl" */
  readonly kubectl?: string;
}

const PAUSE_MS = 2_500;

/**
 * Plays a script on two clusters and shows it. Resolves with whether every claim was true; without `once` it goes on
 * until the signal, and then that is no failure. Rejects when the stage cannot be set or an action fails.
 */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const clock = systemClock;
  const stage = await setStage(options.startCluster ?? startEmbedded, clock);
  try {
    return await onStage(options, stage, clock);
  } catch (error) {
    if (options.signal.aborted) return !options.once;
    throw error;
  } finally {
    await stage.close();
  }
}

async function onStage(options: DemoOptions, stage: Stage, clock: Clock): Promise<boolean> {
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  const say = (text: string): void => void options.stdout.write(`${text}\n`);
  say(introduction(options, stage));
  try {
    const scene = await openScene({
      stage,
      clock,
      signal,
      onRow: (row) => say(plainLine(row)),
      onChange: () => {},
    });
    const said: string[] = [];
    const operator = stage.startOperator(options.command, ({ level, message }) => {
      said.push(message);
      // The story tells of each write as it is seen.
      if (message === "network set written") return;
      scene.story.tell({
        kind: "operator",
        atMs: scene.elapsedMs(),
        isTrouble: level === "warn" || level === "error",
        text: message,
      });
    });
    const { story, elapsedMs } = scene;
    const operatorEnded = failing(operator.ended);
    await Promise.race([following(said, clock, signal), operatorEnded]);
    const playing = playScript(SCRIPTS[options.script], {
      ...scene,
      relay: stage.relay,
      clock,
      signal,
      said: () => said,
      onStep: ({ title }, number, of) =>
        story.tell({ kind: "step", atMs: elapsedMs(), number, of, title }),
      onClaim: (ok, text) => {
        // Both clusters were just seen to agree, or not to: no cause is still under way.
        story.settle(Number.POSITIVE_INFINITY);
        story.tell({ kind: "claim", atMs: elapsedMs(), ok, text });
      },
      pauseMs: options.once ? 0 : PAUSE_MS,
    });
    const failed = await Promise.race([playing, operatorEnded]);
    say(`\n${conclusion(failed)}`);
    if (options.once) return failed === 0;
    say("The clusters stay, for you to change things. Ctrl-C ends them.");
    await Promise.race([aborted(signal), operatorEnded]);
    return true;
  } finally {
    ended.abort();
  }
}

function introduction(
  { script, clusterKind, kubectl = "kubectl" }: DemoOptions,
  stage: Stage,
): string {
  const { remote, local } = stage.kubeconfigs;
  return `wayleave demo, script ${script}: two ${clusterKind ?? "embedded clusters (simulated API servers)"} and the operator.
Look, and change things, from another terminal:
  ${kubectl} --kubeconfig ${remote} -n shop get pods -o wide
  ${kubectl} --kubeconfig ${local} get globalnetworksets -o yaml`;
}

function conclusion(failed: number): string {
  return failed === 0 ? "Every claim was true." : `${failed} claims were not true.`;
}

/** Resolves when the operator has said that it follows the remote cluster. */
async function following(
  said: readonly string[],
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!said.includes("remote cluster is followed")) await sleep(clock, 20, signal);
}

/** Rejects when the operator ends. */
async function failing(operatorEnded: Promise<string>): Promise<never> {
  throw new Error(`the operator ended: ${errorText(await operatorEnded)}`);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
