import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keySlot } from '../../../src/redis/slots.ts';
import { checkQueueName, QueueKeys, serverKey, workersKey } from '../../../src/wire/keys.ts';

const thrownBy = (name: string) => {
  try {
    checkQueueName(name);
    return undefined;
  } catch (error) {
    return error;
  }
};

describe('keys of a queue', () => {
  it('are spelled as asynq spells them', () => {
    const keys = new QueueKeys('imágenes');
    expect([
      keys.pending,
      keys.active,
      keys.lease,
      keys.inState('scheduled'),
      keys.retry,
      keys.archived,
      keys.completed,
      keys.paused,
      keys.groups,
      keys.aggregationSets,
      keys.processed,
      keys.failed,
      keys.task('a:b'),
      keys.group('g 1'),
    ]).toEqual([
      'asynq:{imágenes}:pending',
      'asynq:{imágenes}:active',
      'asynq:{imágenes}:lease',
      'asynq:{imágenes}:scheduled',
      'asynq:{imágenes}:retry',
      'asynq:{imágenes}:archived',
      'asynq:{imágenes}:completed',
      'asynq:{imágenes}:paused',
      'asynq:{imágenes}:groups',
      'asynq:{imágenes}:aggregation_sets',
      'asynq:{imágenes}:processed',
      'asynq:{imágenes}:failed',
      'asynq:{imágenes}:t:a:b',
      'asynq:{imágenes}:g:g 1',
    ]);
  });

  it('count days in UTC', () => {
    const keys = new QueueKeys('q');
    expect(keys.processedOn(Date.UTC(2026, 1, 3, 23, 59, 59, 999))).toBe('asynq:{q}:processed:2026-02-03');
    expect(keys.failedOn(Date.UTC(2026, 1, 4))).toBe('asynq:{q}:failed:2026-02-04');
  });

  it('tell a task without payload from one with an empty payload when it is to be unique', () => {
    const keys = new QueueKeys('q');
    expect(keys.unique('h', null)).toBe('asynq:{q}:unique:h:');
    expect(keys.unique('h', new Uint8Array())).toBe('asynq:{q}:unique:h:d41d8cd98f00b204e9800998ecf8427e');
    expect(keys.unique('u', Buffer.from('x'))).toBe('asynq:{q}:unique:u:9dd4e461268c8034f5c8564e155c67a6');
  });

  it('lie in one slot, whatever the accepted name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string(), (queue, id) => {
        fc.pre(thrownBy(queue) === undefined);
        const keys = new QueueKeys(queue);
        const all = [keys.pending, keys.task(id), keys.group(id), keys.unique(id, null), keys.processedOn(0)];
        expect(new Set(all.map(keySlot)).size).toBe(1);
      }),
    );
  });

  it.each([
    ['images', 9450],
    ['webhooks', 4418],
    ['notifications', 16340],
    ['notificaciones', 9816],
    ['imágenes', 2788],
    ['ima\u0301genes', 5700],
    ['default', 5718],
    ['critical', 8090],
    ['low', 15214],
  ])('of %s are in slot %i', (queue, slot) => {
    expect(keySlot(new QueueKeys(queue).pending)).toBe(slot);
  });
});

describe('queue names', () => {
  it.each(['', ' ', '\t\n', '\u00a0'])('that are blank are refused in the words of Go: %j', (name) => {
    expect(thrownBy(name)).toMatchObject({
      code: 'ASYNQ_QUEUE_NAME_INVALID',
      message: 'queue name must contain one or more characters',
    });
  });

  it.each(['}', '}a', '}{x}'])('whose hash tag is empty are refused: %j', (name) => {
    expect(thrownBy(name)).toMatchObject({
      code: 'ASYNQ_QUEUE_NAME_INVALID',
      message: expect.stringContaining('must not start with "}"'),
    });
  });

  it('that are not Unicode are refused', () => {
    expect(thrownBy('a\ud800')).toMatchObject({ code: 'ASYNQ_QUEUE_NAME_INVALID' });
  });

  it.each(['a}b', '{x}', '{}', 'a b,c:d', '📷', ' padded ', 'MiXed'])(
    'that only look odd are taken: %j',
    (name) => {
      expect(thrownBy(name)).toBeUndefined();
    },
  );
});

it('puts a server and its workers into one slot', () => {
  expect(serverKey('h', 1, 'id')).toBe('asynq:servers:{h:1:id}');
  expect(workersKey('h', 1, 'id')).toBe('asynq:workers:{h:1:id}');
  expect(keySlot(serverKey('h', 1, 'id'))).toBe(keySlot(workersKey('h', 1, 'id')));
});
