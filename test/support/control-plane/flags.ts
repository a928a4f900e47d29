import type { Files } from "./files.ts";

/** Flags of etcd: one member on loopback that need not survive a crash of the machine. */
export function etcdFlags(files: Files, clientUrl: string, peerUrl: string): string[] {
  return [
    "--name=etcd",
    `--data-dir=${files.etcdData}`,
    `--listen-client-urls=${clientUrl}`,
    `--advertise-client-urls=${clientUrl}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=etcd=${peerUrl}`,
    "--unsafe-no-fsync",
    "--log-level=error",
  ];
}

/** Flags of kube-apiserver. Without the ServiceAccount admission plugin a pod needs no account. */
export function apiserverFlags(files: Files, etcdUrl: string, port: number): string[] {
  return [
    `--etcd-servers=${etcdUrl}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${port}`,
    `--tls-cert-file=${files.serverCert}`,
    `--tls-private-key-file=${files.serverKey}`,
    `--client-ca-file=${files.caCert}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${files.serviceAccountPublicKey}`,
    `--service-account-signing-key-file=${files.serviceAccountKey}`,
    "--authorization-mode=RBAC",
    "--service-cluster-ip-range=10.0.0.0/24",
    "--disable-admission-plugins=ServiceAccount",
    "--allow-privileged=true",
  ];
}

/** Further flags of kube-apiserver for an audit log. */
export function auditFlags(files: Files): string[] {
  return [`--audit-log-path=${files.auditLog}`, `--audit-policy-file=${files.auditPolicy}`];
}
