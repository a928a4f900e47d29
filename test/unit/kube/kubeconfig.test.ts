import { describe, expect, test } from "@jest/globals";
import { stringify } from "yaml";
import { parseKubeconfig, type ClusterConfig } from "../../../src/kube/kubeconfig.ts";

const PEM = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n";
const BASE64 = Buffer.from(PEM).toString("base64");

function config(cluster: object, user: object | undefined, more: object = {}): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "main",
    contexts: [
      { name: "main", context: { cluster: "c", ...(user === undefined ? {} : { user: "u" }) } },
    ],
    clusters: [{ name: "c", cluster: { server: "https://api.example:6443", ...cluster } }],
    users: user === undefined ? [] : [{ name: "u", user }],
    ...more,
  });
}

function parse(text: string, context?: string): ClusterConfig {
  return parseKubeconfig(text, "/etc/wayleave/kubeconfig", context);
}

function complaint(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    return error;
  }
}

test("certificates by content and by file, files relative to the kubeconfig", () => {
  const byContent = parse(
    config(
      { "certificate-authority-data": BASE64, "tls-server-name": "kube" },
      { "client-certificate-data": BASE64, "client-key-data": BASE64 },
    ),
  );
  expect(byContent).toMatchObject({
    ca: { content: PEM },
    clientCertificate: { content: PEM },
    clientKey: { content: PEM },
    tlsServerName: "kube",
    insecureSkipTlsVerify: false,
  });
  expect(byContent.server.href).toBe("https://api.example:6443/");
  const byFile = parse(
    config(
      { "certificate-authority": "ca.crt" },
      { "client-certificate": "tls/me.crt", "client-key": "/keys/me.key" },
    ),
  );
  expect(byFile).toMatchObject({
    ca: { file: "/etc/wayleave/ca.crt" },
    clientCertificate: { file: "/etc/wayleave/tls/me.crt" },
    clientKey: { file: "/keys/me.key" },
  });
});

test("tokenFile is read as client-go does, and goes before token", () => {
  expect(parse(config({}, { tokenFile: "token", token: "old" })).token).toEqual({
    file: "/etc/wayleave/token",
  });
  expect(parse(config({}, { token: "t" })).token).toEqual({ content: "t" });
});

test("impersonation with groups, uid and extra, and basic authentication", () => {
  const user = {
    username: "ann",
    password: "secret",
    as: "bob",
    "as-uid": "7",
    "as-groups": ["a", "b"],
    "as-user-extra": { "example.org/Scope": ["x"] },
  };
  const parsed = parse(config({}, user));
  expect(parsed.basic).toEqual({ username: "ann", password: "secret" });
  expect(parsed.headers).toEqual({
    "impersonate-user": "bob",
    "impersonate-uid": "7",
    "impersonate-group": ["a", "b"],
    "impersonate-extra-example.org%2FScope": ["x"],
  });
});

test("an exec plugin, with what it wants to know of the cluster", () => {
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: "./bin/login",
    args: ["--id", "7"],
    env: [{ name: "A", value: "b" }],
    installHint: "install login",
    provideClusterInfo: true,
  };
  const parsed = parse(config({ "certificate-authority-data": BASE64 }, { exec }));
  expect(parsed.exec).toEqual({
    apiVersion: "client.authentication.k8s.io/v1",
    command: "/etc/wayleave/bin/login",
    args: ["--id", "7"],
    env: { A: "b" },
    installHint: "install login",
    clusterInfo: expect.objectContaining({
      server: "https://api.example:6443",
      "certificate-authority-data": BASE64,
    }),
  });
  const plain = parse(config({}, { exec: { command: "login" } }));
  expect(plain.exec).toMatchObject({ command: "login", args: [], env: {}, clusterInfo: undefined });
});

test("a context can be chosen, may have no user, and others may be broken", () => {
  const text = config({}, undefined, {
    contexts: [
      { name: "main", context: { cluster: "nowhere" } },
      { name: "other", context: { cluster: "c" } },
      null,
    ],
    clusters: [{ name: "broken" }, { name: "c", cluster: { server: "http://127.0.0.1:8080" } }],
  });
  const parsed = parse(text, "other");
  expect(parsed.server.href).toBe("http://127.0.0.1:8080/");
  expect(parsed.token).toBeUndefined();
});

describe("what cannot be used names the file and the field", () => {
  test.each([
    ["nothing", "", "it is not a mapping"],
    ["text that is no YAML", "a: [", "kubeconfig"],
    ["no current context", stringify({ clusters: [] }), "it has no current-context"],
    ["an unknown context", config({}, {}, { "current-context": "x" }), 'contexts has no "x"'],
    ["an unknown cluster", config({}, {}, { clusters: [] }), 'clusters has no "c"'],
    ["an unknown user", config({}, {}, { users: [] }), 'users has no "u"'],
    ["a cluster without server", config({ server: undefined }, {}), "cluster.server is missing"],
    [
      "a server that is no URL",
      config({ server: "api.example" }, {}),
      'server "api.example" is not an http or https URL',
    ],
    [
      "another scheme",
      config({ server: "ftp://x" }, {}),
      'server "ftp://x" is not an http or https URL',
    ],
    [
      "a CA that is no PEM",
      config({ "certificate-authority-data": "eA==" }, {}),
      "certificate-authority-data is not base64 of PEM",
    ],
    ["a proxy", config({ "proxy-url": "http://proxy" }, {}), "proxy-url is not supported"],
    [
      "an old auth provider",
      config({}, { "auth-provider": { name: "gcp" } }),
      'auth-provider "gcp" is not supported',
    ],
    ["an exec without command", config({}, { exec: {} }), "exec.command is missing"],
    [
      "an exec that wants a terminal",
      config({}, { exec: { command: "x", interactiveMode: "Always" } }),
      "needs a terminal",
    ],
  ])("%s", (_name, text, words) => {
    const error = complaint(text);
    expect(error).toMatchObject({ name: "Fault", code: "credentials" });
    const { message } = error as Error;
    expect(message).toContain('read kubeconfig "/etc/wayleave/kubeconfig": ');
    expect(message).toContain(words);
  });
});
