import { describe, expect, test } from 'vitest';
import { revokeTask, skipRetry } from '../../../src/server/outcome.ts';
import { settled } from '../../support/fake-clock.ts';
import { ServedQueue } from '../../support/served-queue.ts';

function failing(error: unknown): () => never {
  return () => {
    throw error;
  };
}

describe('a failed task', () => {
  test('is retried when its delay is over, and runs again', async () => {
    await using served = new ServedQueue({ retryDelay: () => 20_000 });
    const [id = ''] = await served.add({});
    const attempts: number[] = [];
    await served.start((_, { retried }) => {
      attempts.push(retried);
      if (retried === 0) throw new Error('the first time');
    });
    expect(served.stateOf(id)).toBe('retry');
    await served.clock.advance(19_000);
    expect(attempts).toEqual([0]);
    await served.clock.advance(1_500);
    expect(attempts).toEqual([0, 1]);
    expect(served.stateOf(id)).toBeUndefined();
  });

  test('is archived after its last retry', async () => {
    await using served = new ServedQueue({ retryDelay: () => 1_000 });
    const [id = ''] = await served.add({ retry: 2 });
    let attempts = 0;
    await served.start(() => {
      attempts++;
      throw new Error(`attempt ${attempts}`);
    });
    await served.clock.advance(60_000);
    expect(attempts).toBe(3);
    expect(served.stateOf(id)).toBe('archived');
    expect(served.messageOf(id)).toMatchObject({ retried: 2, errorMsg: 'attempt 3' });
  });

  test('is archived at once when it asks not to be retried, deleted when it is revoked', async () => {
    await using served = new ServedQueue();
    const [skip = '', revoke = ''] = await served.add({ type: 'skip' }, { type: 'revoke', retention: 60 });
    await served.start((task) => {
      throw task.type === 'skip' ? skipRetry('bad address') : revokeTask();
    });
    expect(served.stateOf(skip)).toBe('archived');
    expect(served.messageOf(skip)?.errorMsg).toBe('bad address');
    expect(served.stateOf(revoke)).toBeUndefined();
  });

  test('does not count when it is said to be no failure', async () => {
    await using served = new ServedQueue({ isFailure: () => false, retryDelay: () => 1_000 });
    const [id = ''] = await served.add({ retry: 1 });
    await served.start(failing(new Error('busy')));
    await served.clock.advance(30_000);
    expect(served.messageOf(id)).toMatchObject({ retried: 0, errorMsg: 'busy' });
    expect(served.stateOf(id)).toBe('retry');
  });

  test('is retried by the default delay when the one that is given makes no sense', async () => {
    const delays = [
      () => Number.NaN,
      () => Number.POSITIVE_INFINITY,
      () => {
        throw new Error('a bug');
      },
    ];
    for (const retryDelay of delays) {
      await using served = new ServedQueue({ retryDelay });
      await served.add({});
      await served.start(failing(new Error('no')));
      expect((await served.broker.forward('default')).nextDue).toBe(
        Math.floor((served.clock.now() + 30_000) / 1000),
      );
    }
  });

  test('counts as failed when the function that says so throws', async () => {
    await using served = new ServedQueue({
      isFailure: () => {
        throw new Error('a bug');
      },
    });
    const [id = ''] = await served.add({});
    await served.start(failing(new Error('no')));
    expect(served.messageOf(id)?.retried).toBe(1);
  });
});

describe('the error handler', () => {
  test('hears of every failed attempt, whatever becomes of it', async () => {
    const heard: unknown[] = [];
    await using served = new ServedQueue({
      errorHandler: (error, task, attempt) => heard.push([(error as Error).message, task.type, attempt]),
    });
    const errors: Record<string, unknown> = {
      a: new Error('no'),
      b: skipRetry(),
      c: revokeTask(),
      d: 'oops',
    };
    const ids = await served.add(...Object.keys(errors).map((type) => ({ type, retry: 7, retried: 1 })));
    await served.start((task) => failing(errors[task.type])());
    const attempts = ids.map((taskId) => ({ taskId, queue: 'default', retried: 1, maxRetry: 7 }));
    expect(heard).toEqual([
      ['no', 'a', attempts[0]],
      ['skip retry for the task', 'b', attempts[1]],
      ['revoke task', 'c', attempts[2]],
      ['panic: oops', 'd', attempts[3]],
    ]);
  });

  test.each([
    ['throws', failing(new Error('a bug'))],
    ['rejects', () => Promise.reject(new Error('a bug'))],
  ])('that %s hurts nobody', async (_, errorHandler) => {
    await using served = new ServedQueue({ errorHandler });
    const [id = ''] = await served.add({});
    await served.start(failing(new Error('no')));
    await settled();
    expect(served.stateOf(id)).toBe('retry');
  });

  test('hears of attempts whose worker died', async () => {
    const heard: unknown[] = [];
    await using served = new ServedQueue({ errorHandler: (error) => heard.push(error) });
    await served.add({});
    await served.broker.dequeue('default', 1);
    await served.start(() => {});
    await served.clock.advance(90_000);
    expect(heard).toMatchObject([{ code: 'ASYNQ_LEASE_EXPIRED', message: 'asynq: task lease expired' }]);
  });
});
