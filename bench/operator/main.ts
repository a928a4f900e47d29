import { pause } from "../../test/support/eventually.ts";
import type { OperatorProcess } from "../../test/support/operator-process.ts";
import { createPods, deletePod, inParallel, setPodStatus } from "../../test/support/pods.ts";
import { quantile, round } from "./quantiles.ts";
import { FloorWriter, NAMESPACE, Rig, address, benchPod, usage } from "./rig.ts";

const PODS = 1_000;
const PER_SET = 10;
const IDLE_CHANGES = 300;
const MANY_SETS = 2_000;

/** One line of the result. */
interface Row {
  readonly what: string;
  readonly figure: string;
}

const rows: Row[] = [];

function report(what: string, figure: string): void {
  rows.push({ what, figure });
  process.stderr.write(`${what}: ${figure}\n`);
}

async function changeAddress(rig: Rig, pod: number, ip: string): Promise<number> {
  await setPodStatus(rig.remote, NAMESPACE, `pod-${pod}`, { ips: [ip] });
  return performance.now();
}

/** One change at a time: from the answer to the pod's status write until an independent watch sees the set. */
async function idleChanges(rig: Rig): Promise<void> {
  const latencies: number[] = [];
  const floor: number[] = [];
  const alone = await FloorWriter.on(rig);
  await alone.write(0);
  const before = rig.writes;
  for (let i = 0; i < IDLE_CHANGES; i++) {
    const pod = (i * 7) % PODS;
    const ip = address(100_000 + i);
    const seen = rig.until(() => rig.members(`s${Math.floor(pod / PER_SET)}`).includes(`${ip}/32`));
    const answered = await changeAddress(rig, pod, ip);
    latencies.push(Math.max(0, (await seen) - answered));
    await pause(60);
    floor.push(await alone.write(i + 1));
    await pause(20);
  }
  const writes = (rig.writes - before) / IDLE_CHANGES - 1;
  report(
    "the same PUT by itself, in turn with the next line",
    `p50 ${round(quantile(floor, 0.5))} ms, p99 ${round(quantile(floor, 0.99))} ms`,
  );
  report(
    "pod status written to set written, one change on an idle system",
    `p50 ${round(quantile(latencies, 0.5))} ms, p99 ${round(quantile(latencies, 0.99))} ms; ${writes} writes a change`,
  );
}

/** 50 changes in 50 sets, the pod writes back to back. */
async function backToBack(rig: Rig): Promise<void> {
  const changes = Array.from({ length: 50 }, (_, i) => ({
    pod: i * PER_SET,
    ip: address(200_000 + i),
  }));
  const begun = performance.now();
  const done = rig.until(() =>
    changes.every(({ pod, ip }) => rig.members(`s${pod / PER_SET}`).includes(`${ip}/32`)),
  );
  for (const { pod, ip } of changes) await changeAddress(rig, pod, ip);
  const podsDone = performance.now();
  const end = await done;
  report(
    "50 changes in 50 sets back to back",
    `${round((end - begun) / 50)} ms each, of which ${round((podsDone - begun) / 50)} ms are the pod writes; last set ${round(end - podsDone)} ms after the last pod`,
  );
}

/** A set from 1 to 50 members and back. */
async function growAndShrink(rig: Rig): Promise<void> {
  const pods = Array.from({ length: 50 }, (_, i) => benchPod(300_000 + i, "grow"));
  const one = rig.until(() => rig.members("grow").length === 1);
  await createPods(rig.remote, pods.slice(0, 1));
  await one;
  let before = rig.writes;
  let begun = performance.now();
  let seen = rig.until(() => rig.members("grow").length === 50);
  await createPods(rig.remote, pods.slice(1));
  let podsDone = performance.now();
  let end = await seen;
  report(
    "a set from 1 to 50 members",
    `${round((end - begun) / 1000, 2)} s with the pods' writes, ${round((end - podsDone) / 1000, 3)} s after the last of them, ${rig.writes - before} set writes`,
  );
  await pause(200);
  before = rig.writes;
  begun = performance.now();
  seen = rig.until(() => rig.members("grow").length === 1);
  await inParallel(pods.slice(1), async ({ name }) => deletePod(rig.remote, NAMESPACE, name));
  podsDone = performance.now();
  end = await seen;
  report(
    "a set from 50 members to 1",
    `${round((end - begun) / 1000, 2)} s with the pods' deletions, ${round((end - podsDone) / 1000, 3)} s after the last of them, ${rig.writes - before} set writes`,
  );
}

async function resources(operator: OperatorProcess, what: string): Promise<void> {
  const { peakMb, cpuSeconds } = await usage(operator.pid);
  report(`operator ${what}`, `peak ${peakMb} MB, ${round(cpuSeconds, 2)} s of CPU`);
}

const rig = await Rig.start();
try {
  await rig.pods(PODS, PER_SET);
  const begun = performance.now();
  const operator = await rig.operator();
  await rig.until(() => rig.count === PODS / PER_SET);
  report(
    `${PODS / PER_SET} sets from nothing, process start included`,
    `${round((performance.now() - begun) / 1000, 2)} s`,
  );
  await pause(1_000);
  await idleChanges(rig);
  await backToBack(rig);
  await growAndShrink(rig);
  await resources(operator, `after that, ${PODS} pods`);
  await operator.stop();

  await createPods(
    rig.remote,
    Array.from({ length: MANY_SETS }, (_, i) => benchPod(400_000 + i, `many${i}`)),
  );
  const from = rig.count;
  const again = performance.now();
  const second = await rig.operator();
  await rig.until(() => rig.count === from + MANY_SETS);
  report(
    `${MANY_SETS} sets from nothing, process start included`,
    `${round((performance.now() - again) / 1000, 2)} s`,
  );
  await resources(second, "after that");
  await second.stop();
  const writes = rig.writes;
  const third = await rig.operator();
  await pause(5_000);
  report("writes after a restart without change", String(rig.writes - writes));
  await third.stop();
} finally {
  await rig.stop();
}
process.stdout.write(
  `\n| what | figure |\n|---|---|\n${rows.map(({ what, figure }) => `| ${what} | ${figure} |`).join("\n")}\n`,
);
