import { createSign } from "node:crypto";
import type { ControlPlane } from "./control-plane/control-plane.ts";

/** A rule of a ClusterRole (rbac.authorization.k8s.io/v1 PolicyRule). */
export interface RbacRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** Makes a ServiceAccount that may do what `rules` say in the whole cluster, and nothing else. */
export async function createServiceAccount(
  plane: ControlPlane,
  namespace: string,
  name: string,
  rules: readonly RbacRule[] = [],
): Promise<void> {
  await plane.request("POST", serviceAccountsPath(namespace), { metadata: { name } });
  if (rules.length > 0) await grant(plane, namespace, name, rules);
}

/** Gives a ServiceAccount a ClusterRole of its own with `rules`, through a ClusterRoleBinding. */
export async function grant(
  plane: ControlPlane,
  namespace: string,
  name: string,
  rules: readonly RbacRule[],
): Promise<void> {
  const role = roleName(namespace, name);
  await plane.request("POST", `${rbac}/clusterroles`, { metadata: { name: role }, rules });
  await plane.request("POST", `${rbac}/clusterrolebindings`, {
    metadata: { name: role },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
    subjects: [{ kind: "ServiceAccount", namespace, name }],
  });
}

/** Takes back what `grant` gave. */
export async function revoke(plane: ControlPlane, namespace: string, name: string): Promise<void> {
  const role = roleName(namespace, name);
  await plane.request("DELETE", `${rbac}/clusterrolebindings/${role}`);
  await plane.request("DELETE", `${rbac}/clusterroles/${role}`);
}

/** A token that lasts `seconds` (at least 600), through TokenRequest. */
export async function requestToken(
  plane: ControlPlane,
  namespace: string,
  name: string,
  seconds = 3600,
): Promise<string> {
  const { status } = await plane.request<{ status: { token: string } }>(
    "POST",
    `${serviceAccountsPath(namespace)}/${name}/token`,
    { spec: { expirationSeconds: seconds } },
  );
  return status.token;
}

/**
 * A token that does not expire, of a Secret of type kubernetes.io/service-account-token. It is signed
 * here, as no controller manager runs to do it. Deleting the Secret `NAME-token` revokes it.
 */
export async function createSecretToken(
  plane: ControlPlane,
  namespace: string,
  name: string,
): Promise<string> {
  const { metadata } = await plane.request<{ metadata: { uid: string } }>(
    "GET",
    `${serviceAccountsPath(namespace)}/${name}`,
  );
  const secret = `${name}-token`;
  const token = signJwt(plane.serviceAccountKey, {
    iss: "kubernetes/serviceaccount",
    sub: `system:serviceaccount:${namespace}:${name}`,
    "kubernetes.io/serviceaccount/namespace": namespace,
    "kubernetes.io/serviceaccount/secret.name": secret,
    "kubernetes.io/serviceaccount/service-account.name": name,
    "kubernetes.io/serviceaccount/service-account.uid": metadata.uid,
  });
  await plane.request("POST", `/api/v1/namespaces/${namespace}/secrets`, {
    metadata: { name: secret, annotations: { "kubernetes.io/service-account.name": name } },
    type: "kubernetes.io/service-account-token",
    stringData: { token, "ca.crt": plane.caCert, namespace },
  });
  return token;
}

const rbac = "/apis/rbac.authorization.k8s.io/v1";

function serviceAccountsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/serviceaccounts`;
}

function roleName(namespace: string, name: string): string {
  return `${namespace}-${name}`;
}

function signJwt(key: string, claims: object): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");
  const signed = `${encode({ alg: "RS256", typ: "JWT" })}.${encode(claims)}`;
  return `${signed}.${createSign("RSA-SHA256").update(signed).sign(key, "base64url")}`;
}
