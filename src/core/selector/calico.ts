/** A condition on one label in a Calico selector. */
export interface CalicoTerm {
  readonly key: string;
  /** `==`, `!=`, `in`, `not in`, `contains`, `starts with`, `ends with`, `has`. */
  readonly operator: string;
  readonly values: readonly string[];
  /** Whether a `!` stands right before it. */
  readonly isNegated: boolean;
}

/** The conditions in a Calico selector, in order, or what is wrong with its text. */
export type CalicoSelector =
  | { readonly kind: "terms"; readonly terms: readonly CalicoTerm[]; readonly isGlobal: boolean }
  | { readonly kind: "invalid"; readonly problem: string };

type Token =
  | { readonly kind: "word"; readonly text: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "sign"; readonly text: string };

const TOKEN = /\s*(?:("[^"]*"|'[^']*')|([A-Za-z0-9_][A-Za-z0-9_./-]*)|(==|!=|&&|\|\||[!(){},]))/y;

function tokenize(text: string): Token[] | undefined {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  const end = text.trimEnd().length;
  while (TOKEN.lastIndex < end) {
    const found = TOKEN.exec(text);
    if (found === null) return undefined;
    const [, quoted, word, sign] = found;
    if (quoted !== undefined) tokens.push({ kind: "text", text: quoted.slice(1, -1) });
    else if (word !== undefined) tokens.push({ kind: "word", text: word });
    else tokens.push({ kind: "sign", text: sign ?? "" });
  }
  return tokens;
}

/** Recursive descent over `a || b`, `a && b`, `!a`, `(a)`, `all()`, `global()`, `has(k)` and comparisons. */
class Reader {
  readonly terms: CalicoTerm[] = [];
  isGlobal = false;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get isDone(): boolean {
    return this.#at === this.#tokens.length;
  }

  /** Reads operands joined by && and ||: precedence does not matter to who only wants the terms. */
  expression(): boolean {
    if (!this.#operand(false)) return false;
    while (this.#take("&&") || this.#take("||")) {
      if (!this.#operand(false)) return false;
    }
    return true;
  }

  #take(text: string, kind: Token["kind"] = "sign"): boolean {
    const token = this.#tokens[this.#at];
    if (token?.kind !== kind || token.text !== text) return false;
    this.#at++;
    return true;
  }

  #next(kind: Token["kind"]): string | undefined {
    const token = this.#tokens[this.#at];
    if (token?.kind !== kind) return undefined;
    this.#at++;
    return token.text;
  }

  #operand(isNegated: boolean): boolean {
    if (this.#take("!")) return this.#operand(!isNegated);
    if (this.#take("(")) return this.expression() && this.#take(")");
    const word = this.#next("word");
    if (word === undefined) return false;
    if (this.#take("(")) {
      if (word === "has") {
        const key = this.#next("word");
        if (key === undefined || !this.#take(")")) return false;
        this.terms.push({ key, operator: "has", values: [], isNegated });
        return true;
      }
      this.isGlobal ||= word === "global";
      return (word === "all" || word === "global") && this.#take(")");
    }
    return this.#comparison(word, isNegated);
  }

  #comparison(key: string, isNegated: boolean): boolean {
    const push = (operator: string, values: readonly string[] | undefined): boolean => {
      if (values === undefined) return false;
      this.terms.push({ key, operator, values, isNegated });
      return true;
    };
    const one = (): readonly string[] | undefined => {
      const value = this.#next("text");
      return value === undefined ? undefined : [value];
    };
    for (const sign of ["==", "!="]) if (this.#take(sign)) return push(sign, one());
    if (this.#take("contains", "word")) return push("contains", one());
    for (const side of ["starts", "ends"]) {
      if (this.#take(side, "word"))
        return this.#take("with", "word") && push(`${side} with`, one());
    }
    if (this.#take("in", "word")) return push("in", this.#set());
    return this.#take("not", "word") && this.#take("in", "word") && push("not in", this.#set());
  }

  #set(): readonly string[] | undefined {
    if (!this.#take("{")) return undefined;
    const values: string[] = [];
    while (!this.#take("}")) {
      const value = this.#next("text");
      if (value === undefined) return undefined;
      values.push(value);
      if (!this.#take(",") && this.#tokens[this.#at]?.text !== "}") return undefined;
    }
    return values;
  }
}

/** Reads a selector of a Calico policy rule. "" selects everything and has no terms. */
export function parseCalicoSelector(text: string): CalicoSelector {
  const tokens = tokenize(text);
  if (tokens === undefined)
    return { kind: "invalid", problem: "holds a character that has no meaning" };
  const reader = new Reader(tokens);
  if (tokens.length > 0 && (!reader.expression() || !reader.isDone)) {
    return { kind: "invalid", problem: "is not a Calico selector" };
  }
  return { kind: "terms", terms: reader.terms, isGlobal: reader.isGlobal };
}
