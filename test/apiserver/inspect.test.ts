import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { stringify } from "yaml";
import { startControlPlane, type ControlPlane } from "../support/control-plane/control-plane.ts";
import { describeOnApiServers } from "../support/control-plane/tier.ts";
import { createNamespace, createPod } from "../support/pods.ts";
import { schemaErrors, wayleave, type Ran } from "../support/policy/cli.ts";
import { createServiceAccount, requestToken } from "../support/service-accounts.ts";

const policy = {
  metadata: { name: "web", namespace: "shop" },
  spec: {
    podSelector: { matchLabels: { app: "web" } },
    policyTypes: ["Ingress"],
    ingress: [
      {
        from: [
          {
            namespaceSelector: { matchLabels: { "networking.k8s.io/multicluster-name": "far" } },
            podSelector: { matchLabels: { app: "client" } },
          },
        ],
      },
    ],
  },
};

interface ExplanationJson {
  readonly verdict: string;
  readonly ingress: { readonly verdict: string; readonly reason: string };
  readonly clusters: readonly { readonly asOf: string }[];
}

describeOnApiServers("live clusters", () => {
  let near: ControlPlane;
  let far: ControlPlane;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "wayleave-inspect-"));
    [near, far] = await Promise.all([
      startControlPlane({ name: "near" }),
      startControlPlane({ name: "far" }),
    ]);
    await Promise.all([near, far].map(async (each) => createNamespace(each, "shop")));
    const client = { namespace: "shop", name: "client", labels: { app: "client" } };
    await createPod(near, {
      namespace: "shop",
      name: "web",
      labels: { app: "web" },
      ips: ["10.1.0.1"],
    });
    await createPod(near, { ...client, ips: ["10.1.0.2"] });
    await createPod(far, { ...client, ips: ["10.2.0.2"] });
    await near.request(
      "POST",
      "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies",
      policy,
    );
  });

  afterAll(async () => {
    await Promise.all([near?.stop(), far?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  async function live(args: readonly string[], stdin = ""): Promise<Ran> {
    const KUBECONFIG = [near.kubeconfig, far.kubeconfig].join(delimiter);
    return wayleave([...args, "--remote", "far"], stdin, { KUBECONFIG });
  }

  test("explain reads two contexts, of two files", async () => {
    const admitted = await live(["explain", "far/shop/client", "shop/web:80", "-o", "json"]);
    expect(schemaErrors("explanation", admitted.stdout)).toEqual([]);
    const explanation = JSON.parse(admitted.stdout) as ExplanationJson;
    expect([explanation.verdict, admitted.code, admitted.stderr]).toEqual(["Allowed", 0, ""]);
    expect(explanation.clusters.map(({ asOf }) => Number.isNaN(Date.parse(asOf)))).toEqual([
      false,
      false,
    ]);
    const denied = await live(["explain", "shop/client", "shop/web:80"]);
    expect([denied.code, denied.stdout.slice(0, 6)]).toEqual([1, "DENIED"]);
  });

  test("matrix and lint read them too", async () => {
    const { stdout } = await live(["matrix", "--port", "80", "-o", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      order: ["local/shop/client", "local/shop/web", "far/shop/client"],
      probes: { "TCP/80": ["+-+", "+++", "+++"] },
    });
    const report = await live(["lint"]);
    expect(report.stdout).toContain("cluster local  info    WL021  NetworkPolicy shop/web: ");
  });

  test("diff compares files with what is there, and names change in --local-name", async () => {
    const open = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      ...policy,
      spec: { ...policy.spec, ingress: [{}] },
    };
    const { stdout, code } = await live(
      ["diff", "-f", "-", "--port", "80", "--local-name", "near"],
      stringify(open),
    );
    expect(stdout).toBe(
      "+ allowed  near/shop/client -> near/shop/web:80/TCP   (was denied)\n1 of 6 pairs changes.\n",
    );
    expect(code).toBe(1);
  });

  test("policies that may not be read leave the verdict open; pods that may not be read end it", async () => {
    const kubeconfig = async (name: string, resources: readonly string[]): Promise<string> => {
      await createServiceAccount(near, "shop", name, [
        { apiGroups: [""], resources, verbs: ["list"] },
      ]);
      const path = join(folder, name);
      const cluster = {
        server: near.url,
        "certificate-authority-data": Buffer.from(near.caCert).toString("base64"),
      };
      writeFileSync(
        path,
        stringify({
          clusters: [{ name, cluster }],
          users: [{ name, user: { token: await requestToken(near, "shop", name) } }],
          contexts: [{ name, context: { cluster: name, user: name } }],
          "current-context": name,
        }),
      );
      return path;
    };
    const question = ["explain", "shop/client", "shop/web:80", "-o", "json", "--kubeconfig"];
    const blind = await wayleave([...question, await kubeconfig("blind", ["pods", "namespaces"])]);
    const { verdict, ingress } = JSON.parse(blind.stdout) as ExplanationJson;
    expect([verdict, ingress.reason, blind.code]).toEqual([
      "Undecidable",
      "the policies of cluster local could not be read",
      1,
    ]);
    expect(blind.stderr).toContain("networkpolicies");
    const nothing = await wayleave([...question, await kubeconfig("nothing", ["secrets"])]);
    expect([nothing.code, nothing.stdout]).toEqual([2, ""]);
    expect(nothing.stderr).toContain("GET /api/v1/pods");
  });

  test.each([
    [["--context", "nowhere"], 'no kubeconfig context "nowhere"; there are near, far'],
    [["--remote", "moon"], 'no kubeconfig context "moon"; there are near, far'],
  ])("%j is refused by name", async (args, message) => {
    const { code, stderr } = await live(["matrix", ...args]);
    expect([code, stderr]).toEqual([2, `error: ${message}\n`]);
  });
});
