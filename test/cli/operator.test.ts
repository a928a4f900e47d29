import { describe, expect, test } from "@jest/globals";
import type { Option } from "../../src/core/options/table.ts";
import { OPERATOR_OPTIONS } from "../../src/operator/options.ts";
import { runWayleave } from "../support/operator-process.ts";

describe("wayleave", () => {
  test("prints the version of package.json", async () => {
    const { code, stdout } = await runWayleave(["--version"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+/);
  });

  test.each([[["nonsense"]], [["operator", "--nonsense"]], [["operator", "surplus"]]])(
    "%j is wrong usage, exit code 2",
    async (args) => {
      const { code, stderr } = await runWayleave(args);
      expect(code).toBe(2);
      expect(stderr).toMatch(/^error: /);
    },
  );
});

describe("wayleave operator", () => {
  test("reports all configuration errors together, naming flag and value, with exit code 2", async () => {
    const { code, stdout, stderr } = await runWayleave([
      "operator",
      "-log-level=loud",
      "--pod-resync-period",
      "5",
    ]);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr.split("\n")).toEqual([
      'error: --pod-resync-period: expected a duration like 90s or 1h0m0s, got "5"',
      'error: --log-level: expected one of error, warn, info, debug, got "loud"',
      "error: --target-cluster-name: required",
      "error: --target-kube-config: required, or else --remote-api-url with --remote-sa-token-path",
      "see wayleave operator --help",
      "",
    ]);
  });

  test("names both clusters' flags when neither description can be used", async () => {
    const { code, stderr } = await runWayleave([
      "operator",
      "-target-cluster-name=aws",
      "-target-kube-config=/nonexistent/aws",
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: --target-kube-config: .*"\/nonexistent\/aws"/m);
    expect(stderr).toMatch(/^error: --local-kube-config: .*KUBERNETES_SERVICE_HOST/m);
  });

  test("help names every flag with its environment and default", async () => {
    const { code, stdout } = await runWayleave(["operator", "--help"]);
    expect(code).toBe(0);
    for (const option of Object.values(OPERATOR_OPTIONS) as Option<unknown>[]) {
      if (option.flag !== undefined) expect(stdout).toContain(`--${option.flag} `);
    }
    expect(stdout).toContain("KPS_NETSET_NAME_ANNOTATION");
  });
});
