import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Controller, type Reconcile, TerminalError } from '../../../src/kube/controller.ts';
import { type KubeError, refusal } from '../../../src/kube/kube-error.ts';
import { type Logger, silentLogger } from '../../../src/runtime/logger.ts';
import { FakeClock, settled } from '../../support/fake-clock.ts';

let clock: FakeClock;
let runs: string[];
let results: string[];
let logged: ReturnType<typeof vi.fn<Logger['error']>>;
let controller: Controller | undefined;

beforeEach(() => {
  clock = new FakeClock();
  runs = [];
  results = [];
  logged = vi.fn<Logger['error']>();
});

afterEach(async () => {
  const stopped = controller?.stop(0);
  await clock.advance(10_000);
  await stopped;
});

/** A controller, started, whose reconcile is `reconcile`. */
function run(reconcile: Reconcile, workers = 1): Controller {
  const log: Logger = { ...silentLogger, error: logged, child: () => log };
  controller = new Controller({
    name: 'c',
    clock,
    workers,
    log,
    timeoutMs: 5_000,
    observer: { reconciled: ({ result }) => results.push(result) },
    reconcile: (key, signal) => {
      runs.push(key);
      return reconcile(key, signal);
    },
  });
  controller.start();
  return controller;
}

const done: Reconcile = () => Promise.resolve(undefined);
const conflict = (): KubeError => refusal('PATCH x', 409, { code: 409, reason: 'Conflict' });

test('any number of events while a run goes on make one more run', async () => {
  const gate = Promise.withResolvers<undefined>();
  const c = run(() => gate.promise);
  c.enqueue('a');
  await settled();
  for (let n = 0; n < 10; n++) c.enqueue('a');
  expect(runs).toEqual(['a']);
  gate.resolve(undefined);
  await settled();
  expect(runs).toEqual(['a', 'a']);
});

test('runs as many keys at the same time as it has workers, and no key twice', async () => {
  const gates = new Map<string, PromiseWithResolvers<undefined>>();
  const c = run((key) => {
    const gate = Promise.withResolvers<undefined>();
    gates.set(key, gate);
    return gate.promise;
  }, 2);
  for (const key of ['a', 'b', 'c']) c.enqueue(key);
  c.enqueue('a');
  await settled();
  expect(runs).toEqual(['a', 'b']);
  gates.get('b')?.resolve(undefined);
  await settled();
  expect(runs).toEqual(['a', 'b', 'c']);
  gates.get('a')?.resolve(undefined);
  await settled();
  expect(runs).toEqual(['a', 'b', 'c', 'a']);
});

test('looks again when the result says so', async () => {
  const c = run(() => Promise.resolve({ requeueAfterMs: 500 }));
  c.enqueue('a');
  await clock.advance(499);
  expect(runs.length).toBe(1);
  await clock.advance(1);
  expect(runs.length).toBe(2);
  expect(results).toEqual(['requeue_after', 'requeue_after']);
});

test.each([
  ['a rejection', () => Promise.reject(new Error('boom'))],
  [
    'a throw before the first await',
    () => {
      throw new Error('boom');
    },
  ],
  ['a throw of what is no Error', () => Promise.reject('boom')],
] satisfies [string, Reconcile][])(
  '%s is reported and tried again, later each time',
  async (_, reconcile) => {
    const c = run(reconcile);
    c.enqueue('a');
    await settled();
    expect(runs.length).toBe(1);
    for (const [index, delay] of [5, 10, 20, 40].entries()) {
      await clock.advance(delay - 1);
      expect(runs.length).toBe(index + 1);
      await clock.advance(1);
      expect(runs.length).toBe(index + 2);
    }
    expect(results).toEqual(Array<string>(5).fill('error'));
    expect(logged).toHaveBeenCalledTimes(5);
    expect(logged.mock.calls[0]?.[0]).toMatchObject({ key: 'a', retries: 1 });
  },
);

test('counts failures from the start after a success', async () => {
  const c = run(() => (runs.length === 4 ? Promise.resolve(undefined) : Promise.reject(new Error('boom'))));
  c.enqueue('a');
  await clock.advance(5 + 10 + 20);
  expect(results).toEqual(['error', 'error', 'error', 'success']);
  c.enqueue('a');
  await settled();
  await clock.advance(5);
  expect(runs.length).toBe(6);
});

test('forgives conflicts after a success', async () => {
  const c = run(() => (runs.length % 4 === 0 ? Promise.resolve(undefined) : Promise.reject(conflict())));
  for (let n = 1; n <= 3; n++) {
    c.enqueue('a');
    await settled();
    expect(runs.length).toBe(n * 4);
  }
});

test('one key that always fails does not hold up the others', async () => {
  const c = run((key) => (key === 'bad' ? Promise.reject(new Error('bad')) : done(key, AbortSignal.abort())));
  c.enqueue('bad');
  for (let n = 0; n < 5; n++) c.enqueue(`good-${n}`);
  await settled();
  expect(runs.filter((key) => key !== 'bad').length).toBe(5);
});

test('a terminal error is not tried again until the key is enqueued', async () => {
  const c = run(() => Promise.reject(new TerminalError('the spec is wrong')));
  c.enqueue('a');
  await clock.advance(600_000);
  expect(runs.length).toBe(1);
  c.enqueue('a');
  await settled();
  expect(runs.length).toBe(2);
  expect(results).toEqual(['terminal', 'terminal']);
});

test('a conflict is tried again at once and without a word, but not in a tight loop', async () => {
  const c = run(() => Promise.reject(conflict()));
  c.enqueue('a');
  await settled();
  expect(runs.length).toBe(4);
  await clock.advance(5);
  expect(runs.length).toBe(5);
  expect(new Set(results)).toEqual(new Set(['conflict']));
  expect(logged).not.toHaveBeenCalled();
});

test('an API server that says when to come back is not asked before', async () => {
  const busy = refusal('GET x', 429, { code: 429 }, '3');
  const c = run(() => Promise.reject(busy));
  c.enqueue('a');
  await clock.advance(2_999);
  expect(runs.length).toBe(1);
  await clock.advance(1);
  expect(runs.length).toBe(2);
});

test('a run that takes too long is aborted and counts as failed', async () => {
  const c = run(
    (_, signal) => new Promise((__, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  );
  c.enqueue('a');
  await clock.advance(5_000);
  expect(results).toEqual(['error']);
  expect(logged.mock.calls[0]?.[1]).toContain('the run of a took longer than 5000 ms');
});

test('collects keys before it is started, each once', async () => {
  controller = new Controller({
    name: 'c',
    clock,
    reconcile: (key) => (runs.push(key), Promise.resolve(undefined)),
  });
  controller.enqueue('a');
  controller.enqueue('a');
  controller.enqueue('b', 'high');
  await settled();
  expect(runs).toEqual([]);
  controller.start();
  controller.start();
  await settled();
  expect(runs).toEqual(['b', 'a']);
});

test('stop waits for what runs and begins nothing new', async () => {
  const gate = Promise.withResolvers<undefined>();
  const c = run(() => gate.promise);
  c.enqueue('a');
  c.enqueue('b');
  await settled();
  const stopped = c.stop();
  expect(c.stop()).toBe(stopped);
  await settled();
  expect(c.state).toBe('Stopping');
  gate.resolve(undefined);
  await stopped;
  expect(c.state).toBe('Stopped');
  c.enqueue('c');
  c.start();
  await clock.advance(60_000);
  expect(runs).toEqual(['a']);
  expect(clock.sleepers).toBe(0);
});

test('stop aborts what still runs when its time is over, and reports no error', async () => {
  const c = run(
    (_, signal) => new Promise((__, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  );
  c.enqueue('a');
  await settled();
  const stopped = c.stop(1_000);
  await clock.advance(1_000);
  await stopped;
  expect(results).toEqual(['aborted']);
  expect(logged).not.toHaveBeenCalled();
});

test('stop does not hang on a reconcile that ignores its signal', async () => {
  const c = run(() => new Promise(() => {}));
  c.enqueue('a');
  await settled();
  const stopped = c.stop(1_000);
  await clock.advance(6_000);
  await stopped;
  expect(logged).toHaveBeenCalledOnce();
});

test('an observer that throws hurts nobody', async () => {
  controller = new Controller({
    name: 'c',
    clock,
    observer: {
      queueTaken: () => {
        throw new Error('observer');
      },
      reconciled: () => {
        throw new Error('observer');
      },
    },
    reconcile: (key) => (runs.push(key), Promise.resolve(undefined)),
  });
  controller.start();
  controller.enqueue('a');
  await settled();
  controller.enqueue('b');
  await settled();
  expect(runs).toEqual(['a', 'b']);
});

test('workers must be a whole number of at least one', () => {
  expect(() => new Controller({ name: 'c', clock, reconcile: done, workers: 0 })).toThrow(
    'expected workers to be a whole number of at least 1, got 0',
  );
});
