import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { KubeError, refusal } from '../../../src/kube/kube-error.ts';
import { nextAttempt, TimeTravelError } from '../../../src/kube/reflector-policy.ts';

const errors = fc.oneof(
  fc.constant(undefined),
  fc.constant(new TimeTravelError('old')),
  fc.constant(new KubeError('ASYNQ_KUBE_UNREACHABLE', 'reset')),
  fc.constant(new KubeError('ASYNQ_KUBE_TIMEOUT', 'silent')),
  fc.constant(new Error('bug')),
  fc
    .tuple(fc.constantFrom(401, 403, 404, 410, 429, 500, 503), fc.option(fc.integer({ min: 1, max: 30 })))
    .map(([code, after]) => refusal('x', code, { code }, after === null ? undefined : String(after))),
);
const ended = fc.record({
  phase: fc.constantFrom('list' as const, 'watch' as const),
  livedMs: fc.constantFrom(0, 999, 1_000, 300_000),
  error: errors,
});
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('waits for at most half a minute beyond a Retry-After, and only after a failure', () => {
  fc.assert(
    fc.property(ended, fc.nat(100), chance, (how, failures, luck) => {
      const next = nextAttempt(how, failures, luck);
      const retryAfter = how.error instanceof KubeError ? (how.error.retryAfterMs ?? 0) : 0;
      expect(next.delayMs).toBeGreaterThanOrEqual(retryAfter);
      expect(next.delayMs).toBeLessThanOrEqual(retryAfter + 30_000);
      const failed = how.error !== undefined || how.livedMs < 1_000;
      expect(next.failures > 0).toBe(failed);
      expect(failed || next.delayMs === 0).toBe(true);
    }),
  );
});

test('the delay grows with each failure in a row, and a watch that lived starts anew', () => {
  const reset = new KubeError('ASYNQ_KUBE_UNREACHABLE', 'reset');
  const delays = [0, 1, 2, 3, 4, 5, 6, 7].map(
    (failures) => nextAttempt({ phase: 'watch', livedMs: 0, error: reset }, failures, 1).delayMs,
  );
  expect(delays).toEqual([800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
  expect(nextAttempt({ phase: 'watch', livedMs: 1_000, error: reset }, 7, 1)).toMatchObject({
    delayMs: 800,
    failures: 1,
  });
});

test.each([
  ['list', refusal('x', 500, { code: 500 }), true, 'refused'],
  ['watch', refusal('x', 410, { code: 410 }), true, 'gone'],
  ['watch', new TimeTravelError('old'), true, 'time-travel'],
  ['watch', refusal('x', 500, { code: 500 }), false, 'refused'],
  ['watch', new KubeError('ASYNQ_KUBE_UNREACHABLE', 'reset'), false, 'unreachable'],
  ['watch', new KubeError('ASYNQ_KUBE_TIMEOUT', 'silent'), false, 'silent'],
  ['watch', new Error('bug'), false, 'error'],
  ['watch', undefined, false, 'closed'],
] as const)('after a %s that ended with %s: relist %s (%s)', (phase, error, relist, reason) => {
  expect(nextAttempt({ phase, livedMs: 0, error }, 0, 0.5)).toMatchObject({ relist, reason });
});
