import type { DirectionReport, EndReport, Explanation } from "./explain.ts";

function end({ pod, ip }: EndReport): string {
  if (pod === null) return ip ?? "unknown";
  return ip === null ? `${pod} (no address yet)` : `${pod} (${ip})`;
}

function port({ port: number, protocol, destination }: Explanation): string {
  if (number === null) return `${end(destination)} ${protocol}`;
  const target = end(destination);
  return destination.pod === null && destination.ip?.includes(":") === true
    ? `[${target}]:${number}/${protocol}`
    : `${target}:${number}/${protocol}`;
}

/** `cluster/namespace` of the pod that a direction is about. */
function place({ pod, ip }: EndReport): string {
  return pod === null ? (ip ?? "unknown") : pod.split("/").slice(0, 2).join("/");
}

function direction(
  name: string,
  where: string,
  report: DirectionReport,
  all: boolean,
  width: number,
): string[] {
  const shown = report.policies.filter(({ result }) => all || result !== "NotApplicable");
  const hidden = report.policies.length - shown.length;
  const lines = [
    `${name.padEnd(7)} ${where.padEnd(width)}  ${report.verdict.toLowerCase()}: ${report.reason}`,
  ];
  const names = shown.map(({ cluster, namespace, name: own }) =>
    `${cluster}/${namespace}` === where ? own : `${namespace}/${own}`,
  );
  const label = Math.max(0, ...names.map((policy) => policy.length));
  for (const [index, { result, reasons }] of shown.entries()) {
    const policy = names[index] ?? "";
    const last = index === shown.length - 1;
    const [first = "", ...rest] = reasons;
    lines.push(`  ${last ? "└─" : "├─"} ${policy.padEnd(label)}  ${result.padEnd(13)} ${first}`);
    const indent = `  ${last ? "  " : "│ "} ${"".padEnd(label)}  ${"".padEnd(13)} `;
    lines.push(...rest.map((reason) => `${indent}${reason}`));
  }
  if (hidden > 0) {
    const what = hidden === 1 ? "1 policy does" : `${hidden} policies do`;
    lines.push(`     ${what} not apply to the pod (-v shows ${hidden === 1 ? "it" : "them"})`);
  }
  return lines;
}

/** An explanation for people. `verbose` shows also the policies that do not apply. */
export function explainText(explanation: Explanation, verbose: boolean): string {
  const { source, destination, egress, ingress, pairs, clusters, notes } = explanation;
  const verdict = explanation.verdict.toUpperCase();
  const indent = "".padEnd(verdict.length + 2);
  const live = clusters.filter(({ asOf }) => asOf !== null);
  const width = Math.max(place(source).length, place(destination).length);
  const lines = [
    `${verdict}  new connections ${end(source)} -> ${port(explanation)}`,
    ...(live.length === 0
      ? []
      : [`${indent}${live.map(({ name, asOf }) => `${name} as of ${asOf ?? ""}`).join(", ")}`]),
    "",
    ...direction("egress", place(source), egress, verbose, width),
    ...direction("ingress", place(destination), ingress, verbose, width),
  ];
  if (pairs.length > 1) {
    lines.push("", `pairs (${pairs.length}):`);
    for (const pair of pairs.slice(0, verbose ? pairs.length : 20)) {
      lines.push(`  ${pair.verdict.padEnd(11)} ${pair.source} -> ${pair.destination}`);
    }
    if (!verbose && pairs.length > 20)
      lines.push(`  and ${pairs.length - 20} more (-v shows them)`);
  }
  if (notes.length > 0) lines.push("", ...notes.map((note) => `note: ${note}`));
  return `${lines.join("\n")}\n`;
}
