import { describe, expect, test } from "@jest/globals";
import { podFromJson } from "../../../src/kube/pod.ts";

const KEEP = new Set(["set"]);

function pod(parts: { metadata?: object; spec?: object; status?: object } = {}): object {
  return {
    kind: "Pod",
    metadata: { namespace: "shop", name: "web", uid: "u-1", ...parts.metadata },
    spec: parts.spec ?? {},
    status: parts.status ?? {},
  };
}

test("a pod keeps what policy can see, and nothing else", () => {
  const record = podFromJson(
    pod({
      metadata: {
        labels: { app: "web" },
        annotations: { set: "a", "kubectl.kubernetes.io/last-applied-configuration": "{}" },
        managedFields: [{}],
      },
      spec: {
        nodeName: "n1",
        containers: [
          {
            name: "c",
            env: [{ name: "SECRET", value: "x" }],
            ports: [
              { name: "http", containerPort: 80, protocol: "TCP" },
              { containerPort: 53, protocol: "UDP" },
            ],
          },
        ],
      },
      status: {
        phase: "Running",
        podIP: "10.1.0.1",
        podIPs: [{ ip: "10.1.0.1" }, { ip: "fd00::1" }],
      },
    }),
    KEEP,
  );
  expect(record).toEqual({
    namespace: "shop",
    name: "web",
    uid: "u-1",
    labels: { app: "web" },
    annotations: { set: "a" },
    ips: ["10.1.0.1", "fd00::1"],
    phase: "Running",
    hostNetwork: false,
    nodeName: "n1",
    terminating: false,
    ports: [
      { name: "http", port: 80, protocol: "TCP" },
      { name: "", port: 53, protocol: "UDP" },
    ],
  });
});

test("what a server leaves out has Kubernetes' defaults", () => {
  expect(podFromJson({ metadata: { namespace: "shop", name: "web" } }, KEEP)).toEqual({
    namespace: "shop",
    name: "web",
    uid: "",
    labels: {},
    annotations: {},
    ips: [],
    phase: "Pending",
    hostNetwork: false,
    nodeName: "",
    terminating: false,
    ports: [],
  });
});

describe("fields", () => {
  test.each([
    [{ podIPs: [{ ip: "10.0.0.1" }], podIP: "10.0.0.9" }, ["10.0.0.1"]],
    [{ podIP: "10.0.0.9" }, ["10.0.0.9"]],
    [{ podIPs: [], podIP: "10.0.0.9" }, ["10.0.0.9"]],
    [{ podIPs: [{}], podIP: "" }, []],
    [{ podIPs: null }, []],
  ])("addresses of %j are %j", (status, ips) => {
    expect(podFromJson(pod({ status }), KEEP).ips).toEqual(ips);
  });

  test.each([
    ["Pending", "Pending"],
    ["Succeeded", "Succeeded"],
    ["Failed", "Failed"],
    ["Unknown", "Unknown"],
    ["Sleeping", "Unknown"],
    ["", "Pending"],
  ])("phase %j is %s", (phase, expected) => {
    expect(podFromJson(pod({ status: { phase } }), KEEP).phase).toBe(expected);
  });

  test("a deletion time makes it terminating, and host network is told", () => {
    const metadata = { deletionTimestamp: "2026-01-01T00:00:00Z" };
    const record = podFromJson(pod({ metadata, spec: { hostNetwork: true } }), KEEP);
    expect(record).toMatchObject({ terminating: true, hostNetwork: true });
  });

  test("ports of init containers count only when they restart", () => {
    const spec = {
      initContainers: [
        { name: "once", ports: [{ containerPort: 1 }] },
        { name: "sidecar", restartPolicy: "Always", ports: [{ name: "m", containerPort: 2 }] },
      ],
      containers: [{ name: "c", ports: [{ containerPort: 3, protocol: "SCTP" }] }],
    };
    expect(podFromJson(pod({ spec }), KEEP).ports).toEqual([
      { name: "", port: 3, protocol: "SCTP" },
      { name: "m", port: 2, protocol: "TCP" },
    ]);
  });

  test.each([
    ["nothing", undefined, "pod is not an object"],
    ["a list", [], "pod is not an object: []"],
    ["no name", { metadata: { namespace: "shop" } }, "pod.metadata.name is not a name"],
    ["no namespace", { metadata: { name: "web" } }, "pod.metadata.namespace is not a name"],
    [
      "labels that are a list",
      pod({ metadata: { labels: ["a"] } }),
      'metadata.labels is not an object: ["a"]',
    ],
    [
      "a label that is a number",
      pod({ metadata: { labels: { a: 1 } } }),
      'metadata.labels["a"] is not a string: 1',
    ],
    [
      "a label that is null",
      pod({ metadata: { labels: { a: null } } }),
      'metadata.labels["a"] is not a string: null',
    ],
    [
      "an address that is a number",
      pod({ status: { podIPs: [{ ip: 7 }] } }),
      "status.podIPs.ip is not a string: 7",
    ],
    [
      "host network as text",
      pod({ spec: { hostNetwork: "true" } }),
      "spec.hostNetwork is not true or false",
    ],
    [
      "containers that are a map",
      pod({ spec: { containers: {} } }),
      "spec.containers is not a list",
    ],
  ])("%s is refused with the field and its value", (_name, object, words) => {
    let thrown: unknown;
    try {
      podFromJson(object, KEEP);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ name: "Fault", code: "malformed" });
    expect((thrown as Error).message).toContain(words);
  });
});
