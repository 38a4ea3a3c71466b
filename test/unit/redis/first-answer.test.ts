import { expect, test } from 'vitest';
import { firstAnswer } from '../../../src/redis/first-answer.ts';
import { FakeClock, settled } from '../../support/fake-clock.ts';

const PATIENCE = 300;

/** Candidates whose answers come when the test says so. */
function candidates(...names: string[]) {
  const clock = new FakeClock();
  const asked: string[] = [];
  const answers = new Map(names.map((name) => [name, Promise.withResolvers<string>()]));
  const ask = (name: string) => {
    asked.push(name);
    return answers.get(name)?.promise ?? Promise.reject(new Error(name));
  };
  const answer = firstAnswer(names, ask, { clock, patienceMs: PATIENCE });
  answer.catch(() => {});
  return { clock, asked, answers, answer };
}

test('who answers in time is the only one that is asked', async () => {
  const { clock, asked, answers, answer } = candidates('a', 'b');
  answers.get('a')?.resolve('from a');
  expect(await answer).toBe('from a');
  expect(asked).toEqual(['a']);
  expect(clock.sleepers).toBe(0);
});

test('the next is asked at once when one fails', async () => {
  const { asked, answers, answer } = candidates('a', 'b');
  answers.get('a')?.reject(new Error('a is down'));
  await settled();
  expect(asked).toEqual(['a', 'b']);
  answers.get('b')?.resolve('from b');
  expect(await answer).toBe('from b');
});

test('one that hangs is given a moment; its late answer still counts', async () => {
  const { clock, asked, answers, answer } = candidates('a', 'b', 'c');
  await clock.advance(PATIENCE - 1);
  expect(asked).toEqual(['a']);
  await clock.advance(1);
  expect(asked).toEqual(['a', 'b']);
  answers.get('a')?.resolve('from a, late');
  expect(await answer).toBe('from a, late');
  await clock.advance(10 * PATIENCE);
  expect(asked).toEqual(['a', 'b']);
});

test('all that failed are named, in their order', async () => {
  const { clock, answers, answer } = candidates('a', 'b');
  await clock.advance(PATIENCE);
  answers.get('b')?.reject(new Error('b is down'));
  answers.get('a')?.reject(new Error('a is down'));
  await expect(answer).rejects.toMatchObject({
    errors: [{ message: 'a is down' }, { message: 'b is down' }],
  });
});

test('nobody to ask is a failure too', async () => {
  await expect(candidates().answer).rejects.toBeInstanceOf(AggregateError);
});
