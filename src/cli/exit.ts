/** Exit codes of every command (the same as kubectl's diff where the two meet). */
export const EXIT: {
  readonly ok: 0;
  readonly negative: 1;
  readonly usage: 2;
  readonly undecidable: 3;
  readonly timeout: 124;
} = {
  /** Done; allowed; no findings; no difference. */
  ok: 0,
  /** Denied; findings; differences; failed. */
  negative: 1,
  /** Wrong usage, or a cluster that cannot be reached. */
  usage: 2,
  /** Undecidable, or stale, under --strict. */
  undecidable: 3,
  /** What was waited for did not come in time. */
  timeout: 124,
};
