import { CRD_RULES } from "./definitions.ts";
import { NAMESPACE_RULES, NODE_RULES, SECRET_RULES, CONFIG_MAP_RULES } from "./core.ts";
import { ENDPOINT_SLICE_RULES, LEASE_RULES, NETWORK_POLICY_RULES } from "./networking.ts";
import { POD_RULES } from "./pods.ts";
import type { Rules } from "./rule.ts";
import { SERVICE_RULES } from "./services.ts";

const PLAIN: Rules = { nameRule: "subdomain", unconditionalUpdate: true };
const CUSTOM: Rules = { nameRule: "subdomain", unconditionalUpdate: false };

const RULES: Readonly<Record<string, Rules>> = {
  "/pods": POD_RULES,
  "/namespaces": NAMESPACE_RULES,
  "/nodes": NODE_RULES,
  "/services": SERVICE_RULES,
  "/secrets": SECRET_RULES,
  "/configmaps": CONFIG_MAP_RULES,
  "discovery.k8s.io/endpointslices": ENDPOINT_SLICE_RULES,
  "networking.k8s.io/networkpolicies": NETWORK_POLICY_RULES,
  "coordination.k8s.io/leases": LEASE_RULES,
  "apiextensions.k8s.io/customresourcedefinitions": CRD_RULES,
};

/** The rules of the kind kept in the collection `storage`. */
export function rulesOf(storage: string, custom: boolean): Rules {
  return RULES[storage] ?? (custom ? CUSTOM : PLAIN);
}
