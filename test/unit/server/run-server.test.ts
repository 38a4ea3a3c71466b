import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { runServer } from '../../../src/server/run-server.ts';
import { settled } from '../../support/fake-clock.ts';
import { HeldHandler, ServedQueue } from '../../support/served-queue.ts';

test('a server runs until it is told to end, and leaves the process as it was', async () => {
  await using served = new ServedQueue({ shutdownTimeout: 3_600_000 });
  const [id = ''] = await served.add({});
  const source = new EventEmitter();
  const ran = runServer(served.server, new HeldHandler(), source);
  await settled();
  expect(served.stateOf(id)).toBe('active');
  source.emit('SIGTSTP');
  await settled();
  expect(served.server.status).toBe('stopped');
  source.emit('SIGTERM');
  await served.clock.advance(60_000);
  expect(served.server.status).toBe('stopped');
  source.emit('SIGINT');
  await ran;
  expect(served.server.status).toBe('closed');
  expect(served.stateOf(id)).toBe('pending');
  expect(source.eventNames()).toEqual([]);
});

test('a server that cannot start leaves the process as it was', async () => {
  await using served = new ServedQueue();
  const source = new EventEmitter();
  await expect(runServer(served.server, {} as never, source)).rejects.toThrow('as handler, got object');
  expect(source.eventNames()).toEqual([]);
});
