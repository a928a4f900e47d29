import type { RemoteStatus, Status } from "../operator/api-objects.ts";
import { tableText } from "./table.ts";
import { lagText, lengthText } from "./times.ts";

/** How tables are printed. */
export interface TableStyle {
  /** Every column. */
  readonly isWide: boolean;
  readonly hasHead: boolean;
}

function credentialText(end: string | null, now: string): string {
  if (end === null) return "-";
  const leftMs = Date.parse(end) - Date.parse(now);
  return leftMs > 0 ? `expires in ${lengthText(leftMs)}` : `expired ${lengthText(-leftMs)} ago`;
}

function row(remote: RemoteStatus, now: string, isWide: boolean): readonly string[] {
  const { lastEventAgeSeconds: age } = remote;
  return [
    remote.name,
    remote.link,
    age === null ? "-" : lengthText(age * 1000),
    lagText(remote.lagP99Seconds),
    String(remote.pods),
    String(remote.sets),
    ...(isWide ? [String(remote.members), String(remote.held)] : []),
    credentialText(remote.credentialExpirationTime, now),
    remote.message,
  ];
}

function headline({ operator, version, local, time }: Status): string {
  const age =
    operator === null ? "" : lengthText(Date.parse(time) - Date.parse(operator.startTime));
  const who =
    operator === null
      ? `computed by ${version}, no operator asked`
      : `operator ${version} (${operator.role}, ${age})`;
  const where = local.apiGroup ?? "not known";
  return `${who}   sets in ${where}${local.ok ? "" : `: ${local.message}`}\n`;
}

/** A status as a table, a remote cluster a row. */
export function statusText(status: Status, { isWide, hasHead }: TableStyle): string {
  const head = [
    "REMOTE",
    "LINK",
    "LAST EVENT",
    "LAG P99",
    "PODS",
    "SETS",
    ...(isWide ? ["MEMBERS", "HELD"] : []),
    "CREDENTIAL",
    "MESSAGE",
  ];
  const rows = status.remotes.map((remote) => row(remote, status.time, isWide));
  return (hasHead ? headline(status) : "") + tableText(hasHead ? head : undefined, rows);
}

/** What a person should know besides the table, a line each. */
export function statusWarnings({ remotes, orphans }: Status): readonly string[] {
  return [
    ...remotes
      .filter(({ link }) => link !== "Synced")
      .map(({ name, link }) => `${name}: link is ${link}; its sets are held as they are`),
    ...orphans.map(
      ({ cluster, sets }) =>
        `${cluster}: not configured, and has ${sets} sets; wayleave cleanup --target-cluster-name ${cluster} removes them`,
    ),
  ];
}

/** Whether all is well: the local cluster answers and each remote is seen whole and lately. */
export function isWell({ local, remotes }: Status): boolean {
  return local.ok && remotes.every(({ link }) => link === "Synced");
}
