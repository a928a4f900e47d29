import { readFileSync } from "node:fs";

/** Starts counting; the answer tells wall and CPU milliseconds since, and the peak of resident memory in MB. */
export function usageSince() {
  const cpu = process.cpuUsage();
  const begun = performance.now();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    const peakKb = /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    return {
      wallMs: performance.now() - begun,
      cpuMs: (user + system) / 1000,
      peakMb: Number(peakKb) / 1024,
    };
  };
}
