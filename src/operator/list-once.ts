import { Fault, faultCode } from "../core/model/fault.ts";
import type { Store } from "../core/reflector/store.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ListWatch } from "../runtime/list-watch.ts";

const PAGE = 500;
const DEADLINE_MS = 120_000;

/**
 * Takes one complete list of `source` into `store`, without a watch.
 * Rejects with a Fault, and then nothing may be concluded from what the store lacks.
 */
export async function listOnce<T>(
  source: ListWatch<T>,
  store: Store<T>,
  clock: Clock,
  deadlineMs: number = DEADLINE_MS,
): Promise<void> {
  const abort = new AbortController();
  const cancel = clock.after(deadlineMs, () => abort.abort());
  store.beginList();
  try {
    let continueToken = "";
    do {
      const page = await source.list({
        resourceVersion: "",
        continueToken,
        limit: PAGE,
        signal: abort.signal,
        onBytes: () => {},
        onItem: (item) => store.put(item),
      });
      ({ continueToken } = page);
    } while (continueToken !== "");
  } catch (error) {
    store.abandonList();
    if (!abort.signal.aborted || faultCode(error) !== "aborted") throw error;
    throw new Fault("timeout", `list: not complete within ${deadlineMs} ms`, { cause: error });
  } finally {
    cancel();
  }
  store.endList();
}
