// Syncs client-node's informer on the pods of the server at argv[2], waits for argv[3] pods, and prints what it took.
import { CoreV1Api, KubeConfig, makeInformer } from "@kubernetes/client-node";
import { usageSince } from "./usage.mjs";

const [url = "", wanted = ""] = process.argv.slice(2);
/** How client-node names the page token, in requests and answers. */
const CONTINUE = "_continue";
// It refuses plain HTTP otherwise.
const skipTLSVerify = true;
const config = new KubeConfig();
config.loadFromClusterAndUser({ name: "bench", server: url, skipTLSVerify }, { name: "bench" });
const api = config.makeApiClient(CoreV1Api);
const since = usageSince();
const informer = makeInformer(config, "/api/v1/pods", async () => {
  // In pages, as one answer of 100,000 pods is longer than a string may be.
  const list = await api.listPodForAllNamespaces({ limit: 500 });
  for (let token = list.metadata?.[CONTINUE] ?? ""; token !== "";) {
    const page = await api.listPodForAllNamespaces({ limit: 500, [CONTINUE]: token });
    for (const item of page.items) list.items.push(item);
    token = page.metadata?.[CONTINUE] ?? "";
  }
  return list;
});
informer.on("error", (error) => {
  throw error;
});
await informer.start();
let count = 0;
for (const _ of informer.list()) count++;
if (count !== Number(wanted)) throw new Error(`${count} pods, wanted ${wanted}`);
process.stdout.write(`${JSON.stringify(since())}\n`);
process.exit();
