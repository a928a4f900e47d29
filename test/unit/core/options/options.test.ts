import { describe, expect, test } from "@jest/globals";
import { formatDuration, parseDuration } from "../../../../src/core/options/duration.ts";
import { bindAddress } from "../../../../src/core/options/parsers.ts";
import { readOperatorConfig } from "../../../../src/operator/options.ts";

describe("durations", () => {
  test.each([
    ["1h0m0s", 3_600_000],
    ["90s", 90_000],
    ["1.5h", 5_400_000],
    ["250ms", 250],
    ["0", 0],
    ["0s", 0],
    ["1h30m", 5_400_000],
  ])("%s is %d ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(["", "90", "1x", "-1s", "1h ", "s", "1h-1m"])("%j is refused", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test.each([
    [0, "0s"],
    [250, "250ms"],
    [90_000, "1m30s"],
    [3_600_000, "1h"],
  ])("%d ms is printed %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

test.each([
  [":8080", { host: "", port: 8080 }],
  ["127.0.0.1:0", { host: "127.0.0.1", port: 0 }],
  ["[::1]:8080", { host: "::1", port: 8080 }],
  ["0", undefined],
])("bind address %s", (text, value) => {
  expect(bindAddress(text)).toEqual({ value });
});

test.each(["8080", ":70000", "::1:8080", "host"])("bind address %j is refused", (text) => {
  expect(bindAddress(text)).toHaveProperty("expected");
});

describe("the operator's configuration", () => {
  const minimal = { "target-cluster-name": ["aws"], "target-kube-config": ["/etc/aws"] };

  test("has the predecessor's defaults", () => {
    expect(readOperatorConfig(minimal, {})).toMatchObject({
      config: {
        targetClusterName: "aws",
        labelProfile: "legacy-2021",
        labelSelector: undefined,
        maxNetsPerSet: 1000,
        maxRemovalPercent: 50,
        removalHold: 30_000,
        remotePodCidr: [],
        networksetNameAnnotation: "uw.systems/networkset-name",
        fullStoreResyncPeriod: 3_600_000,
        podResyncPeriod: 3_600_000,
        emptySetGrace: 600_000,
        metricsBindAddress: { host: "", port: 8080 },
        logLevel: "info",
      },
    });
  });

  test("takes the predecessor's environment, and a flag wins over it", () => {
    const env = {
      KPS_TARGET_CLUSTER_NAME: "gke",
      KPS_TARGET_KUBE_CONFIG: "/etc/gke",
      KPS_NETSET_NAME_ANNOTATION: "x/y",
      KPS_LOG_LEVEL: "",
    };
    expect(readOperatorConfig({ "target-cluster-name": ["aws"] }, env)).toMatchObject({
      config: {
        targetClusterName: "aws",
        targetKubeConfig: "/etc/gke",
        networksetNameAnnotation: "x/y",
        logLevel: "info",
      },
    });
  });

  test("reports all errors together, naming option and value", () => {
    const flags = { "log-level": ["loud"], "pod-resync-period": ["5"] };
    expect(readOperatorConfig(flags, { KPS_REMOTE_API_URL: "http://api" })).toEqual({
      errors: [
        'KPS_REMOTE_API_URL: expected a URL that begins with https://, got "http://api"',
        '--pod-resync-period: expected a duration like 90s or 1h0m0s, got "5"',
        '--log-level: expected one of error, warn, info, debug, got "loud"',
        "--target-cluster-name: required",
        "--remote-sa-token-path: required with --remote-api-url",
      ],
    });
  });

  test("refuses a name that could not be a label", () => {
    const flags = { ...minimal, "target-cluster-name": ["My_Cluster"] };
    expect(readOperatorConfig(flags, {})).toEqual({
      errors: [
        expect.stringMatching(/^--target-cluster-name: expected a DNS-1123 label .*"My_Cluster"$/),
      ],
    });
  });

  test("refuses two ways of naming the remote", () => {
    const flags = { ...minimal, "remote-api-url": ["https://api"] };
    expect(readOperatorConfig(flags, {})).toEqual({
      errors: ["--target-kube-config: cannot be combined with --remote-api-url"],
    });
  });

  test("takes ranges for all remotes and for one, from repeated flags or one variable", () => {
    const flags = { ...minimal, "remote-pod-cidr": ["10.0.0.0/8", "aws=fd00::/48"] };
    expect(
      readOperatorConfig(flags, { WAYLEAVE_LOCAL_CIDR: "10.1.0.0/16, 10.2.0.0/16" }),
    ).toMatchObject({
      config: {
        remotePodCidr: [
          { cluster: undefined, cidr: { family: 4, prefix: 8 } },
          { cluster: "aws", cidr: { family: 6, prefix: 48 } },
        ],
        localCidr: [{ prefix: 16 }, { prefix: 16 }],
      },
    });
    const bad = { ...minimal, "remote-pod-cidr": ["aws=10.0.0.1"] };
    expect(readOperatorConfig(bad, {})).toEqual({
      errors: [
        '--remote-pod-cidr: expected a range like 10.0.0.0/8, or one cluster\'s like aws=10.0.0.0/8, got "aws=10.0.0.1"',
      ],
    });
  });

  test("a folder of clusters takes the place of a single one", () => {
    expect(readOperatorConfig({ "clusters-dir": ["/etc/clusters"] }, {})).toHaveProperty("config");
    expect(readOperatorConfig({ ...minimal, "clusters-dir": ["/etc/clusters"] }, {})).toEqual({
      errors: [
        "--clusters-dir: cannot be combined with --target-cluster-name, --target-kube-config",
      ],
    });
  });
});
