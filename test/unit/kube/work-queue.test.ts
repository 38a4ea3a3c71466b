import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Priority, WorkQueue } from '../../../src/kube/work-queue.ts';
import { FakeClock, settled } from '../../support/fake-clock.ts';

function queueOf(clock = new FakeClock()): { readonly queue: WorkQueue; readonly clock: FakeClock } {
  return { queue: new WorkQueue({ name: 'q', clock }), clock };
}

type Op =
  | { readonly op: 'add'; readonly key: string; readonly priority: Priority }
  | { readonly op: 'addAfter'; readonly key: string; readonly seconds: number }
  | { readonly op: 'get' }
  | { readonly op: 'done'; readonly nth: number }
  | { readonly op: 'advance'; readonly seconds: number };

const keys = fc.constantFrom('a', 'b', 'c', 'd');
const seconds = fc.integer({ min: 0, max: 5 });
const ops: fc.Arbitrary<Op[]> = fc.array(
  fc.oneof(
    fc.record({
      op: fc.constant('add' as const),
      key: keys,
      priority: fc.constantFrom('high' as const, 'normal' as const),
    }),
    fc.record({ op: fc.constant('addAfter' as const), key: keys, seconds }),
    fc.record({ op: fc.constant('get' as const) }),
    fc.record({ op: fc.constant('done' as const), nth: fc.nat(3) }),
    fc.record({ op: fc.constant('advance' as const), seconds }),
  ),
  { maxLength: 60 },
);

/** The queue as plainly as it can be said. */
class Model {
  now = 0;
  delayed: { key: string; dueAt: number }[] = [];
  ready: { key: string; priority: Priority }[] = [];
  processing: string[] = [];
  again: { key: string; priority: Priority }[] = [];
  highInARow = 0;

  add(key: string, priority: Priority): void {
    this.delayed = this.delayed.filter((it) => it.key !== key);
    const list = this.processing.includes(key) ? this.again : this.ready;
    const known = list.find((it) => it.key === key);
    if (known === undefined) list.push({ key, priority });
    else if (known.priority === 'normal' && priority === 'high') {
      // Behind the high ones that were there before.
      list.splice(list.indexOf(known), 1);
      list.push({ key, priority });
    }
  }

  addAfter(key: string, ms: number): void {
    if ([...this.ready, ...this.again].some((it) => it.key === key)) return;
    const known = this.delayed.find((it) => it.key === key);
    const dueAt = Math.min(known?.dueAt ?? Number.POSITIVE_INFINITY, this.now + ms);
    this.delayed = [...this.delayed.filter((it) => it !== known), { key, dueAt }];
  }

  get(): string | undefined {
    const high = this.ready.find((it) => it.priority === 'high');
    const normal = this.ready.find((it) => it.priority === 'normal');
    const next = this.highInARow >= 8 ? (normal ?? high) : (high ?? normal);
    if (next === undefined) return undefined;
    this.highInARow = next.priority === 'high' ? this.highInARow + 1 : 0;
    this.ready = this.ready.filter((it) => it !== next);
    this.processing.push(next.key);
    return next.key;
  }

  done(key: string): void {
    this.processing = this.processing.filter((it) => it !== key);
    const again = this.again.find((it) => it.key === key);
    this.again = this.again.filter((it) => it !== again);
    if (again !== undefined) this.ready.push(again);
  }

  advance(ms: number): void {
    this.now += ms;
    const due = this.delayed.filter((it) => it.dueAt <= this.now).toSorted((a, b) => a.dueAt - b.dueAt);
    for (const it of due) this.add(it.key, 'normal');
  }
}

/** Does it to both; gives what `get` gave and should have given. */
async function apply(
  op: Op,
  at: number,
  { queue, clock, model }: { readonly queue: WorkQueue; readonly clock: FakeClock; readonly model: Model },
): Promise<{ readonly got?: string | undefined; readonly expected?: string | undefined }> {
  switch (op.op) {
    case 'add':
      queue.add(op.key, op.priority);
      model.add(op.key, op.priority);
      return {};
    case 'addAfter': {
      // No two keys are due in the same millisecond.
      const ms = op.seconds * 1000 + at + 1;
      queue.addAfter(op.key, ms);
      model.addAfter(op.key, ms);
      return {};
    }
    case 'get': {
      const expected = model.get();
      return { expected, got: expected === undefined ? undefined : await queue.get() };
    }
    case 'done': {
      const key = model.processing[op.nth % Math.max(1, model.processing.length)];
      if (key === undefined) return {};
      queue.done(key);
      model.done(key);
      return {};
    }
    case 'advance':
      await clock.advance(op.seconds * 1000);
      model.advance(op.seconds * 1000);
      return {};
    default:
      return op satisfies never;
  }
}

test('behaves as its model: each key once, never twice at the same time, the earliest time wins', async () => {
  await fc.assert(
    fc.asyncProperty(ops, async (sequence) => {
      const { queue, clock } = queueOf();
      const model = new Model();
      for (const [at, op] of sequence.entries()) {
        const { got, expected } = await apply(op, at, { queue, clock, model });
        expect(got).toBe(expected);
        expect(queue.stats()).toMatchObject({
          ready: model.ready.length,
          delayed: model.delayed.length,
          processing: model.processing.length,
        });
      }
      queue.shutDown();
      await settled();
      expect(clock.sleepers).toBe(0);
    }),
    { numRuns: 200 },
  );
});

test('no key is lost: whatever was added last is handed out after it', async () => {
  const { queue } = queueOf();
  queue.add('a');
  expect(await queue.get()).toBe('a');
  queue.add('a');
  queue.add('a');
  expect(queue.stats()).toMatchObject({ ready: 0, processing: 1 });
  queue.done('a');
  expect(await queue.get()).toBe('a');
  queue.done('a');
  expect(queue.stats()).toMatchObject({ ready: 0, processing: 0 });
});

test('hands a key that comes to the worker that has waited longest', async () => {
  const { queue } = queueOf();
  const first = queue.get();
  const second = queue.get();
  queue.add('a');
  queue.add('b');
  expect(await Promise.all([first, second])).toEqual(['a', 'b']);
});

test('high before normal, yet a flood of high ones does not starve the normal', async () => {
  const { queue } = queueOf();
  queue.add('patient');
  for (let n = 0; n < 20; n++) queue.add(`urgent-${n}`, 'high');
  const order: (string | undefined)[] = [];
  for (let n = 0; n < 21; n++) order.push(await queue.get());
  expect(order.indexOf('patient')).toBe(8);
});

test('a key that fails again and again comes back later and later, up to a minute', async () => {
  const { queue, clock } = queueOf();
  const delays: number[] = [];
  for (let n = 0; n < 16; n++) {
    queue.addRateLimited('a');
    const begun = clock.monotonic();
    const next = queue.get();
    while (queue.stats().processing === 0) await clock.advance(5);
    await next;
    delays.push(clock.monotonic() - begun);
    queue.done('a');
  }
  expect(delays.slice(0, 5)).toEqual([5, 10, 20, 40, 80]);
  expect(delays.at(-1)).toBe(60_000);
  queue.forget('a');
  expect(queue.retries('a')).toBe(0);
});

test('many keys that fail at once come back at no more than ten a second after the first hundred', () => {
  const { queue } = queueOf();
  const delays: number[] = [];
  queue.addAfter = (_, delayMs) => void delays.push(delayMs);
  for (let n = 0; n < 150; n++) queue.addRateLimited(`k${n}`);
  expect(delays.slice(0, 100).every((it) => it === 5)).toBe(true);
  expect(delays[149]).toBeCloseTo(5_000);
});

test('after shutDown nothing is taken in or handed out, and what is processing is waited for', async () => {
  const { queue, clock } = queueOf();
  queue.add('a');
  expect(await queue.get()).toBe('a');
  const waiting = queue.get();
  queue.addAfter('later', 10);
  queue.shutDown();
  queue.shutDown();
  expect(await waiting).toBeUndefined();
  queue.add('b');
  queue.addAfter('c', 0);
  queue.addRateLimited('d');
  expect(await queue.get()).toBeUndefined();
  let drained = false;
  void queue.drained().then(() => (drained = true));
  await settled();
  expect(drained).toBe(false);
  queue.done('a');
  await settled();
  expect(drained).toBe(true);
  expect(clock.sleepers).toBe(0);
});

test('tells its observer what client-go counts', async () => {
  const clock = new FakeClock();
  const told: object[] = [];
  const tell = (event: object) => void told.push(event);
  const queue = new WorkQueue({
    name: 'q',
    clock,
    observer: { queueAdded: tell, queueTaken: tell, queueDone: tell, queueRetried: tell },
  });
  queue.add('a');
  await clock.advance(30);
  await queue.get();
  await clock.advance(70);
  expect(queue.stats().longestRunningMs).toBe(70);
  queue.done('a');
  expect(told).toEqual([
    { queue: 'q', depth: 1 },
    { queue: 'q', depth: 0, waitedMs: 30 },
    { queue: 'q', workedMs: 70 },
  ]);
});

test('ten thousand keys come out in the order in which they are due', async () => {
  const { queue, clock } = queueOf();
  const delays = Array.from({ length: 10_000 }, (_, n) => ((n * 7919) % 10_000) + 1);
  for (const delay of delays) queue.addAfter(`${delay}`, delay);
  const order: number[] = [];
  const worker = (async () => {
    for (let next = await queue.get(); next !== undefined; next = await queue.get()) {
      order.push(Number(next));
      queue.done(next);
    }
  })();
  // One wake-up for all that is due.
  clock.advance(0).catch(() => {});
  await clock.advance(20_000);
  queue.shutDown();
  await worker;
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(order.length).toBe(10_000);
});
