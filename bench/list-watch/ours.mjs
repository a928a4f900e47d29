// Syncs a Reflector on the pods of the server at argv[2], waits for argv[3] pods, and prints what it took.
import { loadCluster } from "../../dist/kube/access.js";
import { ApiClient } from "../../dist/kube/api-client.js";
import { podListWatch } from "../../dist/kube/pod-list-watch.js";
import { systemClock } from "../../dist/runtime/clock.js";
import { Reflector } from "../../dist/runtime/reflector.js";
import { usageSince } from "./usage.mjs";

const [url = "", wanted = ""] = process.argv.slice(2);
const access = await loadCluster({ kind: "explicit", url }, systemClock);
const since = usageSince();
const pods = new Map();
const abort = new AbortController();
const store = {
  beginList() {},
  endList() {
    if (pods.size !== Number(wanted)) throw new Error(`${pods.size} pods, wanted ${wanted}`);
    process.stdout.write(`${JSON.stringify(since())}\n`);
    process.exit();
  },
  abandonList() {},
  /** @param {import("../../src/core/model/pod.ts").PodRecord} pod */
  put: (pod) => void pods.set(`${pod.namespace}/${pod.name}`, pod),
  remove() {},
};
const source = podListWatch(new ApiClient(access, { clock: systemClock }), {
  keepAnnotations: new Set(["k8s.v1.cni.cncf.io/network-status"]),
});
await new Reflector({ source, store, clock: systemClock }).run(abort.signal);
