import type { Clock } from '../runtime/clock.ts';

/**
 * Asks the candidates in turn, the next one as soon as one fails or leaves us waiting for `patienceMs`, and takes the
 * first answer, whoever gives it: one that hangs costs a moment, not its time-out.
 * @throws {AggregateError} all failed; the errors in the order of the candidates
 */
export async function firstAnswer<C, T>(
  candidates: readonly C[],
  ask: (candidate: C) => Promise<T>,
  parts: { clock: Clock; patienceMs: number },
): Promise<T> {
  const answered = new AbortController();
  const asked: Promise<T>[] = [];
  try {
    for (const candidate of candidates) {
      const latest = ask(candidate);
      asked.push(latest);
      const isDone = await Promise.race([
        succeeds(Promise.any(asked)),
        succeeds(latest),
        parts.clock.sleep(parts.patienceMs, answered.signal).then(() => false),
      ]);
      if (isDone) break;
    }
    return await Promise.any(asked);
  } finally {
    answered.abort();
  }
}

function succeeds(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => true,
    () => false,
  );
}
