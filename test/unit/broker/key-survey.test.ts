import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { queueKeyReader } from '../../../src/broker/key-survey.ts';
import { QueueKeys } from '../../../src/wire/keys.ts';

describe('queueKeyReader', () => {
  it('reads the name of a listed queue back, whatever it holds', () => {
    const name = fc
      .array(fc.constantFrom('a', '}', '{', ':', 't:', '}:', 'é'), { minLength: 1, maxLength: 8 })
      .map((parts) => parts.join(''))
      .filter((text) => !text.startsWith('}'));
    fc.assert(
      fc.property(name, fc.string(), (queue, id) => {
        fc.pre(!id.includes('}:'));
        const { task } = { task: new QueueKeys(queue).task(id) };
        expect(queueKeyReader([queue])(task)).toEqual({ queue, rest: `t:${id}` });
      }),
    );
  });

  it('takes the longest of the listed names that fit', () => {
    const read = queueKeyReader(['a', 'a}:t:x']);
    expect(read('asynq:{a}:t:x}:t:1')).toEqual({ queue: 'a}:t:x', rest: 't:1' });
    expect(read('asynq:{a}:t:y}:t:1')).toEqual({ queue: 'a', rest: 't:y}:t:1' });
  });

  it('reads no other keys', () => {
    const read = queueKeyReader([]);
    for (const key of [
      'asynq:queues',
      'asynq:servers:{h:1:x}',
      'asynq:{}:t:1',
      'asynq:{}x}:paused',
      'asynq:{a',
      'other:{a}:t:1',
    ]) {
      expect(read(key)).toBeUndefined();
    }
    expect(queueKeyReader(['}x'])('asynq:{}x}:paused')).toBeUndefined();
    expect(read('asynq:{a b}:pending')).toEqual({ queue: 'a b', rest: 'pending' });
  });
});
