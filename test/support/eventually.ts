/** Calls `probe` until it neither throws nor rejects; then answers what it gave. Fails with its last error after `timeoutMs`. */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  { timeoutMs = 15_000, everyMs = 20 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await pause(everyMs);
  }
}

/** Resolves after `ms`. For what must be seen *not* to happen; for what must happen there is `eventually`. */
export async function pause(ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    setTimeout(resolve, ms);
  });
}
