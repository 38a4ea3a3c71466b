import { expect, test } from 'vitest';
import { BlockingLine } from '../../../src/redis/blocking-line.ts';
import type { Connection } from '../../../src/redis/connection.ts';
import { AsynqError } from '../../../src/runtime/errors.ts';

test('keeps no connection that was made in the moment in which it was closed', async () => {
  let isOpen = true;
  let requests = 0;
  const connection = {
    addr: 'a',
    get isOpen() {
      return isOpen;
    },
    ended: Promise.resolve(new AsynqError('ASYNQ_CLOSED')),
    request: async () => {
      requests++;
      return null;
    },
    close: () => {
      isOpen = false;
    },
  } as unknown as Connection;
  const dialled = Promise.withResolvers<Connection>();
  const begun = Promise.withResolvers<void>();
  const line = new BlockingLine({
    owner: async () => 'a',
    dial: () => {
      begun.resolve();
      return dialled.promise;
    },
    onTrouble: () => {},
  });
  const call = line.call('BLPOP', ['k', 0], 1_000, new AbortController().signal);
  await begun.promise;
  dialled.resolve(connection);
  await Promise.all([line.close(), expect(call).rejects.toMatchObject({ code: 'ASYNQ_CLOSED' })]);
  expect({ isOpen, requests }).toEqual({ isOpen: false, requests: 0 });
});

test('gives up dialling when the call is given up', async () => {
  const stop = new AbortController();
  const line = new BlockingLine({
    owner: async () => 'a',
    dial: (_addr, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('no server')));
        stop.abort();
      }),
    onTrouble: () => {},
  });
  await expect(line.call('BLPOP', ['k', 0], 1_000, stop.signal)).rejects.toMatchObject({
    code: 'ASYNQ_CLOSED',
  });
});
