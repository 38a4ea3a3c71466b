import { expect, it } from 'vitest';
import { identityOf } from '../../../src/tasks/periodic-task.ts';
import { Task } from '../../../src/tasks/task.ts';

const one = () => ({
  spec: '@daily',
  task: new Task('t', { a: 1 }, { headers: { b: '2', a: '1' }, maxRetry: 3 }),
  options: { queue: 'q', timeoutSeconds: 5 },
});
const identity = identityOf(one(), 'UTC');

it('is the same for the same task, however its options are spread', () => {
  expect(identity).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
  const other = new Task('t', Buffer.from('{"a":1}'), { timeoutSeconds: 5, headers: { a: '1', b: '2' } });
  expect(identityOf({ spec: '@daily', task: other, options: { maxRetry: 3, queue: 'q' } }, 'UTC')).toBe(
    identity,
  );
});

it.each([
  ['spec', { ...one(), spec: '@hourly' }],
  ['type', { ...one(), task: new Task('u', { a: 1 }, one().task.options) }],
  ['payload', { ...one(), task: new Task('t', { a: 2 }, one().task.options) }],
  ['headers', { ...one(), task: new Task('t', { a: 1 }, { maxRetry: 3 }) }],
  ['options', { ...one(), options: { queue: 'q', timeoutSeconds: 6 } }],
])('is another for another %s', (_, periodic) => {
  expect(identityOf(periodic, 'UTC')).not.toBe(identity);
});

it('is another in another zone, and for no payload and an empty one', () => {
  expect(identityOf(one(), 'Europe/Berlin')).not.toBe(identity);
  const ofPayload = (payload: Uint8Array | null) =>
    identityOf({ spec: '@daily', task: new Task('t', payload) }, 'UTC');
  expect(ofPayload(null)).not.toBe(ofPayload(new Uint8Array()));
});
