import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Pki } from "./pki.ts";

/** Paths of the files of a control plane, all in its folder. */
export interface Files {
  readonly etcdData: string;
  readonly caCert: string;
  readonly serverCert: string;
  readonly serverKey: string;
  readonly serviceAccountKey: string;
  readonly serviceAccountPublicKey: string;
  readonly kubeconfig: string;
  readonly auditPolicy: string;
  readonly auditLog: string;
}

/** Where the files of a control plane in `folder` are. */
export function filesIn(folder: string): Files {
  return {
    etcdData: join(folder, "etcd"),
    caCert: join(folder, "ca.crt"),
    serverCert: join(folder, "server.crt"),
    serverKey: join(folder, "server.key"),
    serviceAccountKey: join(folder, "service-account.key"),
    serviceAccountPublicKey: join(folder, "service-account.pub"),
    kubeconfig: join(folder, "kubeconfig"),
    auditPolicy: join(folder, "audit-policy.yaml"),
    auditLog: join(folder, "audit.log"),
  };
}

/** Writes what etcd and kube-apiserver read, and the admin's kubeconfig; readable by the owner only. */
export async function writeFiles(files: Files, pki: Pki, name: string, url: string): Promise<void> {
  await mkdir(files.etcdData, { mode: 0o700 });
  const contents: [path: string, text: string][] = [
    [files.caCert, pki.caCert],
    [files.serverCert, pki.server.cert],
    [files.serverKey, pki.server.key],
    [files.serviceAccountKey, pki.serviceAccountKey],
    [files.serviceAccountPublicKey, pki.serviceAccountPublicKey],
    [files.kubeconfig, kubeconfigOf(pki, name, url)],
    [files.auditPolicy, auditPolicy()],
  ];
  await Promise.all(contents.map(([path, text]) => writeFile(path, text, { mode: 0o600 })));
}

/** Every request once, when it is answered, without bodies. */
function auditPolicy(): string {
  return stringify({
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    omitStages: ["RequestReceived"],
    rules: [{ level: "Metadata" }],
  });
}

function kubeconfigOf(pki: Pki, name: string, url: string): string {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const user = `${name}-admin`;
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    clusters: [
      { name, cluster: { server: url, "certificate-authority-data": base64(pki.caCert) } },
    ],
    users: [
      {
        name: user,
        user: {
          "client-certificate-data": base64(pki.admin.cert),
          "client-key-data": base64(pki.admin.key),
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user } }],
  });
}
