import { parseCalicoSelector, type CalicoTerm } from "../../core/selector/calico.ts";
import { asObject, asText } from "../../kube/json.ts";
import type { Manifest } from "../manifest.ts";
import { finding, type Finding } from "./finding.ts";
import { MANAGERS, SET_LABELS, isSetKey, type LabelProfileName } from "./set-labels.ts";

/** Whether the object is a Calico policy, in either API group. */
export function isCalicoPolicy({ object }: Manifest): boolean {
  const group = asText(object["apiVersion"]).split("/")[0] ?? "";
  const isCalico = group === "projectcalico.org" || group === "crd.projectcalico.org";
  return isCalico && /^(Staged)?(Global)?NetworkPolicy$/.test(asText(object["kind"]));
}

function namesManagedSets(terms: readonly CalicoTerm[]): boolean {
  return terms.some(
    ({ key, values }) =>
      isSetKey(key) ||
      (/(^|\/)managed-by$/.test(key) && values.some((value) => MANAGERS.includes(value))),
  );
}

/** WL001: labels that no managed set carries under the profile. */
function checkLabels(
  manifest: Manifest,
  path: readonly (string | number)[],
  terms: readonly CalicoTerm[],
  profile: LabelProfileName,
): Finding[] {
  const { primary, compatible, managedBy } = SET_LABELS[profile];
  const found: Finding[] = [];
  for (const { key, values, isNegated, operator } of terms) {
    if (isNegated || operator === "!=" || operator === "not in") continue;
    const better = compatible[key];
    if (better !== undefined) {
      const message = `selector uses label '${key}', which sets carry only for older policies; the primary label is '${better}'`;
      found.push(finding("WL001", manifest, path, message, "info"));
    } else if (key === managedBy.key && values.length > 0 && !values.includes(managedBy.value)) {
      const message = `selector asks for ${key} '${values.join("', '")}'; managed sets carry '${managedBy.value}'`;
      found.push(finding("WL001", manifest, path, message));
    } else if (isSetKey(key) && !primary.includes(key)) {
      const message = `selector uses label '${key}'; managed sets carry ${primary.map((each) => `'${each}'`).join(", ")}`;
      found.push(finding("WL001", manifest, path, message));
    }
  }
  return found;
}

/** WL001 and WL003 for the rules of one Calico policy. */
export function lintCalicoPolicy(manifest: Manifest, profile: LabelProfileName): Finding[] {
  const spec = asObject(manifest.object["spec"]) ?? {};
  const isNamespaced = asText(manifest.object["kind"]).replace("Staged", "") === "NetworkPolicy";
  const found: Finding[] = [];
  for (const direction of ["ingress", "egress"]) {
    const rules = Array.isArray(spec[direction]) ? (spec[direction] as unknown[]) : [];
    for (const [index, rule] of rules.entries()) {
      for (const side of ["source", "destination"]) {
        const peer = asObject(asObject(rule)?.[side]);
        const text = peer?.["selector"];
        if (peer === undefined || typeof text !== "string") continue;
        const path = ["spec", direction, index, side, "selector"];
        const selector = parseCalicoSelector(text);
        if (selector.kind === "invalid") {
          const message = `selector ${JSON.stringify(text)} ${selector.problem}`;
          found.push(finding("WL018", manifest, path, message));
          continue;
        }
        if (!namesManagedSets(selector.terms)) continue;
        found.push(...checkLabels(manifest, path, selector.terms, profile));
        const space = asText(peer["namespaceSelector"]).replaceAll(/\s/g, "");
        if (isNamespaced && space !== "global()") {
          const message =
            "a rule of a namespaced policy finds global sets only with namespaceSelector: global()";
          found.push(finding("WL003", manifest, path, message));
        }
      }
    }
  }
  return found;
}
