import { builtinKinds } from "./builtins.ts";
import { apiVersionOf, type Kind } from "./kind.ts";

/** One API group as discovery shows it. */
export interface Group {
  readonly name: string;
  /** Versions with their kinds, the preferred version first. */
  readonly versions: ReadonlyMap<string, readonly Kind[]>;
}

/** All kinds that a cluster serves now: the built-in ones, and those that CustomResourceDefinitions add. */
export class Registry {
  private readonly builtins: readonly Kind[] = builtinKinds();
  private readonly custom = new Map<string, readonly Kind[]>();

  /** The kind that serves `resource`, or undefined. */
  find(group: string, version: string, resource: string): Kind | undefined {
    const fits = (kind: Kind): boolean =>
      kind.resource === resource && kind.group === group && kind.version === version;
    const builtin = this.builtins.find(fits);
    if (builtin !== undefined) return builtin;
    return this.custom.get(`${resource}.${group}`)?.find(fits);
  }

  /** The kind called `name`, or undefined. */
  byKind(apiVersion: string, name: string): Kind | undefined {
    return this.kinds().find((kind) => kind.kind === name && apiVersionOf(kind) === apiVersion);
  }

  /** Serves the versions that the definition called `definition` (`plural.group`) lists. */
  define(definition: string, kinds: readonly Kind[]): void {
    this.custom.set(definition, kinds);
  }

  /** Stops serving what `definition` defined. */
  undefine(definition: string): void {
    this.custom.delete(definition);
  }

  /** Every served version of every kind. */
  kinds(): readonly Kind[] {
    return [...this.builtins, ...[...this.custom.values()].flat()];
  }

  /** Every group but core, in the order of discovery: the built-in ones, then others by name. */
  groups(): Group[] {
    const groups = new Map<string, Map<string, Kind[]>>();
    for (const kind of this.kinds()) {
      const versions = groups.get(kind.group) ?? new Map<string, Kind[]>();
      groups.set(kind.group, versions);
      const kinds = versions.get(kind.version);
      if (kinds === undefined) versions.set(kind.version, [kind]);
      else kinds.push(kind);
    }
    return [...groups]
      .filter(([name]) => name !== "")
      .map(([name, versions]) => ({
        name,
        versions: new Map([...versions].toSorted(([a], [b]) => byPriority(a, b))),
      }));
  }

  /** The kinds of core/v1. */
  core(): readonly Kind[] {
    return this.kinds().filter((kind) => kind.group === "");
  }
}

/** Orders versions by stability, then by number, newest first (apimachinery version.CompareKubeAwareVersionStrings). */
function byPriority(a: string, b: string): number {
  const rank = (text: string): number[] => {
    const parts = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(text);
    if (parts === null) return [0, 0, 0];
    const stage = parts[2] === undefined ? 3 : parts[2] === "beta" ? 2 : 1;
    return [stage, Number(parts[1]), Number(parts[3] ?? 0)];
  };
  const left = rank(a);
  const right = rank(b);
  for (let index = 0; index < 3; index++)
    if (left[index] !== right[index]) return (right[index] as number) - (left[index] as number);
  return a < b ? -1 : a > b ? 1 : 0;
}
