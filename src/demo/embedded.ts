import { startSim } from "../sim/sim.ts";
import type { DemoCluster } from "./clusters.ts";

/** Starts a simulated cluster in this process. */
export async function startEmbedded(name: string): Promise<DemoCluster> {
  const sim = await startSim({ name });
  return {
    url: new URL(sim.url),
    kubeconfig: sim.kubeconfig(),
    stop: async () => sim.stop(),
  };
}
