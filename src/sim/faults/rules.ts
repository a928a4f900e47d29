/** What a request does, in the words of RBAC. */
export type Verb =
  | "get"
  | "list"
  | "watch"
  | "create"
  | "update"
  | "patch"
  | "delete"
  | "deletecollection"
  | "discover";

/** A request as rules see it. */
export interface FaultTarget {
  readonly verb: Verb;
  /** `pods`, or `globalnetworksets.projectcalico.org`; "" for what is no resource. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  /** Path and query. */
  readonly url: string;
  readonly user: string;
}

/** Which requests a rule is about: those that have everything that is stated. */
export interface FaultMatch {
  readonly verb?: Verb | readonly Verb[];
  readonly resource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  readonly user?: string;
  /** A pattern of path and query. */
  readonly url?: RegExp;
}

/** What happens to a request. Bytes are counted in the body of the response, as sent. */
export type FaultAction =
  /** Another answer than the true one. `reason` and `message` are Kubernetes' own for the code if not stated. */
  | {
      readonly kind: "status";
      readonly code: number;
      readonly reason?: string;
      readonly message?: string;
      readonly retryAfterSeconds?: number;
    }
  /** The connection breaks before any answer. */
  | { readonly kind: "drop" }
  /** The answer begins later. */
  | { readonly kind: "delay"; readonly ms: number }
  /** The answer ends at byte `at`: by a broken connection, or as if it were whole. */
  | { readonly kind: "truncate"; readonly at: number; readonly ending: "reset" | "clean" }
  /** Nothing is sent from byte `at` on; the connection stays open. */
  | { readonly kind: "stall"; readonly at: number }
  /** Only so many bytes are sent at a time. */
  | { readonly kind: "drip"; readonly bytes: number; readonly everyMs: number }
  /** A list has no items; with `times`, it is empty first and full then. */
  | { readonly kind: "empty-list" }
  /** Every item of a list, and every event of a watch, comes twice. */
  | { readonly kind: "duplicate" }
  /** Items of a list come backwards, events of a watch in swapped pairs. */
  | { readonly kind: "reorder" }
  /** 410: as the status of the answer, or as an ERROR event of a watch. */
  | { readonly kind: "expire"; readonly as: "status" | "event" };

/** A rule: which requests, what happens, how often. */
export interface FaultRule {
  readonly match: FaultMatch;
  readonly action: FaultAction;
  /** How many requests it meets before it is spent; for ever if not stated. */
  readonly times?: number;
  /** How many matching requests pass first. Default 0. */
  readonly after?: number;
}

/** A rule in force. */
export interface AddedFault {
  /** How many requests it has met. */
  readonly hits: number;
  remove(): void;
}

class Entry implements AddedFault {
  readonly rule: FaultRule;
  hits = 0;
  private passed = 0;
  private readonly onRemove: (entry: Entry) => void;

  constructor(rule: FaultRule, onRemove: (entry: Entry) => void) {
    this.rule = rule;
    this.onRemove = onRemove;
  }

  remove(): void {
    this.onRemove(this);
  }

  /** Whether the rule meets this request; counts it. */
  meets(target: FaultTarget): boolean {
    if (!matches(this.rule.match, target)) return false;
    if (this.hits >= (this.rule.times ?? Infinity)) return false;
    if (this.passed < (this.rule.after ?? 0)) {
      this.passed++;
      return false;
    }
    this.hits++;
    return true;
  }
}

/** The rules of one server. */
export class Faults {
  private entries: Entry[] = [];

  /** Puts a rule in force, after those already there. Throws RangeError for numbers that make no sense. */
  add(rule: FaultRule): AddedFault {
    check(rule);
    const entry = new Entry(rule, (gone) => {
      this.entries = this.entries.filter((item) => item !== gone);
    });
    this.entries.push(entry);
    return entry;
  }

  /** Removes every rule. */
  clear(): void {
    this.entries = [];
  }

  /** What happens to a request. Counts it. */
  actionsFor(target: FaultTarget): FaultAction[] {
    return this.entries.filter((entry) => entry.meets(target)).map((entry) => entry.rule.action);
  }
}

function matches(match: FaultMatch, target: FaultTarget): boolean {
  const { verb } = match;
  if (verb !== undefined && !(typeof verb === "string" ? [verb] : verb).includes(target.verb))
    return false;
  for (const key of ["resource", "namespace", "name", "subresource", "user"] as const)
    if (match[key] !== undefined && match[key] !== target[key]) return false;
  return match.url === undefined || match.url.test(target.url);
}

function check(rule: FaultRule): void {
  const numbers: Record<string, number | undefined> = { times: rule.times, after: rule.after };
  for (const [name, value] of Object.entries(rule.action))
    if (typeof value === "number") numbers[`action.${name}`] = value;
  for (const [name, value] of Object.entries(numbers))
    if (value !== undefined && !(Number.isInteger(value) && value >= 0))
      throw new RangeError(
        `add fault: ${name} is ${value}, and must be a whole number of 0 or more`,
      );
  if (rule.action.kind === "drip" && rule.action.bytes === 0)
    throw new RangeError("add fault: action.bytes is 0, and must be 1 or more");
  if (rule.action.kind === "status" && (rule.action.code < 400 || rule.action.code > 599))
    throw new RangeError(
      `add fault: action.code is ${rule.action.code}, and must be from 400 to 599`,
    );
}
