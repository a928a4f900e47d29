import { rmSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorText } from "../core/model/fault.ts";
import { loadCluster } from "../kube/access.ts";
import { ApiClient } from "../kube/api-client.ts";
import type { Clock } from "../runtime/clock.ts";
import type { StartCluster } from "./clusters.ts";
import { OperatorChild, type OperatorOptions } from "./operator-child.ts";
import { Relay } from "./relay.ts";

/** What a demo plays on. `close` ends all of it, whatever came up, and may be called again. */
export interface Stage {
  readonly remote: ApiClient;
  readonly local: ApiClient;
  /** Kubeconfig files for people. */
  readonly kubeconfigs: { readonly remote: string; readonly local: string };
  /** What stands between the operator, and nobody else, and the remote API server. */
  readonly relay: Relay;
  startOperator(
    command: OperatorOptions["command"],
    onLine: OperatorOptions["onLine"],
  ): OperatorChild;
  close(): Promise<void>;
}

/**
 * Starts two clusters and everything around them. The one owner of processes, sockets and files: they are gone
 * when `close` resolves; if this process ends without it, the operator and the files are still taken along.
 */
export async function setStage(startCluster: StartCluster, clock: Clock): Promise<Stage> {
  const closers: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (let last = closers.pop(); last !== undefined; last = closers.pop()) {
      try {
        await last();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new Error(`clean up: ${failures.map(errorText).join("; ")}`);
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), "wayleave-"));
    const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
    process.once("exit", removeFolder);
    closers.push(() => {
      removeFolder();
      process.off("exit", removeFolder);
    });

    const started = await Promise.allSettled(["aws", "local"].map(startCluster));
    for (const each of started) {
      if (each.status === "fulfilled") closers.push(async () => each.value.stop());
    }
    const [aws, home] = started.map((each) => {
      if (each.status === "rejected") throw each.reason;
      return each.value;
    });
    if (aws === undefined || home === undefined) throw new Error("two clusters were started");

    const relay = new Relay(aws.url);
    const port = await relay.listen();
    closers.push(async () => relay.close());

    const write = async (name: string, text: string): Promise<string> => {
      const file = join(folder, name);
      await writeFile(file, text, { mode: 0o600 });
      return file;
    };
    const throughRelay = aws.kubeconfig.replaceAll(aws.url.host, `127.0.0.1:${port}`);
    const kubeconfigs = {
      remote: await write("aws", aws.kubeconfig),
      local: await write("local", home.kubeconfig),
    };
    const operatorRemote = await write("aws-for-operator", throughRelay);

    const client = async (path: string): Promise<ApiClient> => {
      const access = await loadCluster({ kind: "kubeconfig", path }, clock);
      closers.push(() => access.close());
      return new ApiClient(access, { clock, userAgent: "wayleave-demo" });
    };
    return {
      remote: await client(kubeconfigs.remote),
      local: await client(kubeconfigs.local),
      kubeconfigs,
      relay,
      startOperator: (command, onLine) => {
        const child = new OperatorChild({
          command,
          remote: operatorRemote,
          local: kubeconfigs.local,
          onLine,
        });
        const kill = (): void => child.kill();
        process.once("exit", kill);
        closers.push(async () => {
          await child.stop();
          process.off("exit", kill);
        });
        return child;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
