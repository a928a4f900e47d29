import type {
  DifferenceView,
  NetView,
  NetworkSetListView,
  NetworkSetView,
  OwnerView,
} from "../operator/api-objects.ts";
import type { TableStyle } from "./status-text.ts";
import { tableText } from "./table.ts";
import { lengthText, timeText } from "./times.ts";

/** Sets as a table, one a row. */
export function setsText(
  { items }: NetworkSetListView,
  now: string,
  { isWide, hasHead }: TableStyle,
): string {
  const head = ["NAME", "CLUSTER", "NAMESPACE", "SET", "MEMBERS", "STATE"];
  const wide = ["OBJECTS", "WRITTEN"];
  const rows = items.map((set) => [
    set.metadata.name,
    set.cluster,
    set.namespace,
    set.set,
    String(set.nets.length),
    set.state,
    ...(isWide ? [String(set.objects.length), timeText(set.writtenTime, now)] : []),
  ]);
  return tableText(hasHead ? [...head, ...(isWide ? wide : [])] : undefined, rows);
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function previousText({ previousOwners }: NetView, now: string, isWide: boolean): string {
  const shown = isWide ? previousOwners : previousOwners.slice(0, 1);
  const more = previousOwners.length - shown.length;
  const texts = shown.map(({ pod, until }) => `${pod} (until ${timeText(until, now)})`);
  return texts.length === 0 ? "-" : texts.join(", ") + (more === 0 ? "" : ` and ${more} more`);
}

const NOBODY: OwnerView = { pod: "-", uid: "", node: "-", phase: "-", since: null };

function netRows(net: NetView, now: string, isWide: boolean): readonly (readonly string[])[] {
  const owners = net.owners.length === 0 ? [NOBODY] : net.owners;
  return owners.map(({ pod, node, phase, since }) => [
    net.contested ? `${net.net} (contested)` : net.net,
    pod,
    node === "" ? "-" : node,
    phase,
    timeText(since, now),
    previousText(net, now, isWide),
  ]);
}

function differenceText(difference: DifferenceView): string {
  const { object, change, reason, missing, surplus } = difference;
  const mark = { create: "+", replace: "~", delete: "-", conflict: "!" }[change];
  return [
    `${mark} ${object}: ${reason}`,
    ...missing.map((net) => `    + ${net}`),
    ...surplus.map((net) => `    - ${net}`),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

/** One set with its members, as `kubectl describe` would. */
export function describeText(
  set: NetworkSetView,
  now: string,
  { isWide, hasHead }: TableStyle,
): string {
  const { metadata, cluster, namespace, state, writtenTime, objects, nets } = set;
  const written =
    writtenTime === null
      ? ""
      : ` (written ${lengthText(Math.max(0, Date.parse(now) - Date.parse(writtenTime)))} ago)`;
  const headline = `GlobalNetworkSet ${metadata.name}   set ${cluster}/${namespace}/${set.set}   ${counted(nets.length, "member")}   ${state}${written}\n`;
  const shards =
    objects.length > 1
      ? `in ${objects.map(({ name, members }) => `${name} (${members})`).join(", ")}\n`
      : "";
  const head = ["NET", "POD", "NODE", "PHASE", "SINCE", "PREVIOUS OWNER"];
  const rows = nets.flatMap((net) => netRows(net, now, isWide));
  return [
    headline,
    shards,
    nets.length === 0 ? "" : tableText(hasHead ? head : undefined, rows),
    ...set.differences.map(differenceText),
  ].join("");
}

/** What differs between sets as they should be and as they are; says so when nothing does. */
export function diffText({ items }: NetworkSetListView): string {
  const differing = items.filter(({ differences }) => differences.length > 0);
  const lines = differing.flatMap(({ differences }) => differences.map(differenceText));
  return `${lines.join("")}sets that differ: ${differing.length} of ${items.length}\n`;
}
