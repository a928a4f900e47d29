/** The name of a cluster: a DNS-1123 label, so that it is a valid label value too (semantics.md R15). */
export type ClusterName = string & { readonly brand: "ClusterName" };

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Whether `text` is a DNS-1123 label: lower case letters, digits and `-`, at most 63 characters. */
export function isDnsLabel(text: string): boolean {
  return DNS_LABEL.test(text);
}

/** Whether `text` is a DNS-1123 subdomain of at most `maxLength` characters (Kubernetes allows object names 253). */
export function isDnsSubdomain(text: string, maxLength = 253): boolean {
  return text.length <= maxLength && DNS_SUBDOMAIN.test(text);
}

/** The cluster name in `text`, or undefined when it is not a DNS-1123 label. */
export function parseClusterName(text: string): ClusterName | undefined {
  return isDnsLabel(text) ? (text as ClusterName) : undefined;
}
