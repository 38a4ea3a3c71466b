import { expect, test } from 'vitest';
import { Call } from '../../../src/redis/call.ts';
import { OpenCalls } from '../../../src/redis/open-calls.ts';
import { FakeClock, settled } from '../../support/fake-clock.ts';

function openCalls() {
  const clock = new FakeClock();
  const expired: string[] = [];
  const open = new OpenCalls(clock, (call) => expired.push(call.name));
  const add = (name: string, timeout: number) => {
    const deadline = clock.monotonic() + timeout;
    const call = new Call({
      slot: 0,
      name,
      args: [],
      timeout,
      deadline,
      resolve: () => {},
      reject: () => {},
    });
    open.add(call);
    return call;
  };
  return { clock, open, expired, add };
}

test('a call expires at its deadline, also when a later one was added first', async () => {
  const { clock, expired, add } = openCalls();
  add('late', 1_000);
  add('early', 200);
  await clock.advance(199);
  expect(expired).toEqual([]);
  await clock.advance(1);
  await settled();
  expect(expired).toEqual(['early']);
  await clock.advance(800);
  await settled();
  expect(expired).toEqual(['early', 'late']);
});

test('a call that was answered does not expire', async () => {
  const { clock, open, expired, add } = openCalls();
  open.delete(add('answered', 100));
  add('open', 300);
  await clock.advance(1_000);
  await settled();
  expect(expired).toEqual(['open']);
});

test('one timer serves them all, and none is left when nothing is open', async () => {
  const { clock, open, add } = openCalls();
  const calls = Array.from({ length: 100 }, (_, n) => add(`call ${n}`, 1_000 + n));
  expect(clock.sleepers).toBe(1);
  for (const call of calls) open.delete(call);
  await clock.advance(1_000);
  await settled();
  expect(clock.sleepers).toBe(0);
});

test('draining gives back what is open and stops the timer', async () => {
  const { clock, open, expired, add } = openCalls();
  const calls = [add('a', 100), add('b', 200)];
  expect(open.drain()).toEqual(calls);
  expect(open.drain()).toEqual([]);
  await clock.advance(1_000);
  await settled();
  expect(expired).toEqual([]);
  expect(clock.sleepers).toBe(0);
});
