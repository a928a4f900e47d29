/**
 * A process that campaigns for a Lease and, while it may, makes ConfigMaps labelled with its name, one after the other, that
 * say when it decided to (monotonic ns, the same for all processes of a machine):
 *
 *     node --import ./test/support/typescript.mjs lease-candidate.ts KUBECONFIG NAMESPACE LEASE NAME LIMITS
 *
 * LIMITS is JSON. Says on standard output, one word a line, when it is `elected` or has `lost`. SIGTERM ends it in order.
 */
import type { LeaseLimits } from "../../src/core/lease/state.ts";
import { faultCode } from "../../src/core/model/fault.ts";
import { loadCluster } from "../../src/kube/access.ts";
import { ApiClient } from "../../src/kube/api-client.ts";
import { LeaderElection, leaseIdentity } from "../../src/kube/leader.ts";
import { sleep, systemClock } from "../../src/runtime/clock.ts";

const [path = "", namespace = "", name = "", label = "", limits = "{}"] = process.argv.slice(2);
const clock = systemClock;
const say = (word: string): void => void process.stdout.write(`${word}\n`);

const access = await loadCluster({ kind: "kubeconfig", path }, clock);
const election = new LeaderElection({
  api: new ApiClient(access, { clock }),
  namespace,
  name,
  identity: leaseIdentity(),
  clock,
  limits: JSON.parse(limits) as Partial<LeaseLimits>,
  onElected: () => say("elected"),
  onLost: () => say("lost"),
});
const fenced = new ApiClient(access, { clock, mayWrite: () => election.mayWrite() });
const stopping = new AbortController();

async function writeOn(): Promise<void> {
  for (let count = 0; !stopping.signal.aborted; count++) {
    await sleep(clock, 5);
    if (!election.mayWrite()) continue;
    const decidedAt = String(process.hrtime.bigint());
    try {
      await fenced.request({
        method: "POST",
        path: `/api/v1/namespaces/${namespace}/configmaps`,
        body: {
          metadata: { name: `${name}-${label}-${count}`, labels: { lease: name, writer: label } },
          data: { decidedAt },
        },
        timeoutMs: election.writeGraceMs,
      });
    } catch (error) {
      if (faultCode(error) === undefined) throw error;
    }
  }
}

election.start();
const writing = writeOn();
process.once("SIGTERM", () => {
  stopping.abort();
  void (async () => {
    await writing;
    await election.stop();
    say((await election.release()) ? "released" : "held nothing");
    access.close();
  })();
});
