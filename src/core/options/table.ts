/** Turns the text of an option into its value, or says what it expected (`a duration like 90s or 1h0m0s`). */
export type Parse<V> = (text: string) => { readonly value: V } | { readonly expected: string };

/** One option, from which flag, environment, help and documentation follow. */
export interface Option<V> {
  /** The flag without dashes, e.g. `target-cluster-name`; undefined for one that only the environment can set. */
  readonly flag?: string;
  /** Environment variables that set it, the first that is set and not empty wins. */
  readonly env: readonly string[];
  /** The default as text, as a person would write it; undefined when there is none. */
  readonly default?: string;
  /** What stands for the value in help, e.g. `DURATION`. */
  readonly placeholder: string;
  /** One sentence for help and documentation, lower case, without a full stop. */
  readonly help: string;
  /** A flag that may be given several times; in the environment its values are separated by commas. */
  readonly repeatable?: boolean;
  /** A flag that may stand without a value, which then is `true`. */
  readonly isSwitch?: boolean;
  readonly parse: Parse<V>;
}

/** An option that always has a value. */
export interface DefaultedOption<V> extends Option<V> {
  readonly default: string;
}

/** An option that has any number of values. */
export interface RepeatableOption<V> extends Option<V> {
  readonly repeatable: true;
}

/** Options by the name under which the program knows them. */
export type OptionTable<T> = { readonly [K in keyof T]: Option<unknown> };

type Value<O> =
  O extends RepeatableOption<infer V>
    ? readonly V[]
    : O extends DefaultedOption<infer V>
      ? V
      : O extends Option<infer V>
        ? V | undefined
        : never;

/** The values that a table gives: undefined only where an option has no default, a list where it may be repeated. */
export type Options<T> = { readonly [K in keyof T]: Value<T[K]> };

/** Where a bad value came from and what is wrong with it, e.g. `--log-level: expected one of …, got "loud"`. */
export type OptionErrors = readonly string[];

interface Given {
  readonly texts: readonly string[];
  readonly source: string;
}

function given(
  option: Option<unknown>,
  flags: Readonly<Record<string, readonly string[]>>,
  env: Readonly<Record<string, string | undefined>>,
): Given | undefined {
  const fromFlag = option.flag === undefined ? undefined : flags[option.flag];
  if (fromFlag !== undefined && fromFlag.length > 0) {
    const texts = option.repeatable === true ? fromFlag : fromFlag.slice(-1);
    return { texts, source: `--${option.flag}` };
  }
  for (const name of option.env) {
    const text = env[name];
    if (text !== undefined && text !== "") {
      const texts =
        option.repeatable === true ? text.split(",").map((part) => part.trim()) : [text];
      return { texts, source: name };
    }
  }
  return undefined;
}

/** What reading a table came to. `options` may be used only when `errors` is empty. */
export interface ReadOptions<T> {
  readonly options: Options<T>;
  readonly errors: OptionErrors;
  /** The names of the options that a flag or the environment set, well or badly. */
  readonly given: ReadonlySet<keyof T>;
}

/** Reads every option from the flags given, else the environment, else its default; reports every bad value. */
export function readOptions<T extends OptionTable<T>>(
  table: T,
  flags: Readonly<Record<string, readonly string[]>>,
  env: Readonly<Record<string, string | undefined>>,
): ReadOptions<T> {
  const errors: string[] = [];
  const values: Record<string, unknown> = {};
  const names = new Set<keyof T>();
  for (const [name, option] of Object.entries<Option<unknown>>(table)) {
    const found = given(option, flags, env);
    if (found !== undefined) names.add(name as keyof T);
    const texts = found?.texts ?? (option.default === undefined ? [] : [option.default]);
    const parsed: unknown[] = [];
    for (const text of texts) {
      const result = option.parse(text);
      if ("value" in result) parsed.push(result.value);
      else
        errors.push(`${found?.source}: expected ${result.expected}, got ${JSON.stringify(text)}`);
    }
    values[name] = option.repeatable === true ? parsed : parsed[0];
  }
  return { options: values as Options<T>, errors, given: names };
}
