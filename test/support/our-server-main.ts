import { setTimeout as delay } from 'node:timers/promises';
import type { RedisConnOpt } from '../../src/redis/options.ts';
import { AsynqError } from '../../src/runtime/errors.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { Server } from '../../src/server/server.ts';
import type { Task } from '../../src/tasks/task.ts';
import type { OurServerOptions } from './our-server.ts';

/*
 * A server of ours in a process of its own, that a test may kill. It does with tasks what the Go peer's does, and says so
 * to its parent, without whom it ends.
 */

const { redis, takes, retryDelay, ...config } = JSON.parse(process.argv[2] ?? '') as OurServerOptions & {
  redis: RedisConnOpt;
};
const say = (event: string, id = '') => process.connected && process.send?.({ event, id });

function behave({ type }: Task, retried: number): void {
  const [kind, times] = type.split(':');
  if (kind === 'fail') throw new Error(`${type} fails`);
  if (kind === 'flaky' && retried < Number(times)) throw new Error(`${type} fails`);
  if (kind === 'skip') throw new AsynqError('ASYNQ_SKIP_RETRY');
  if (kind === 'revoke') throw new AsynqError('ASYNQ_REVOKE_TASK');
}

const server = new Server(redis, { ...config, retryDelay: () => retryDelay, log: silentLogger });
server.start(async (task, { taskId, retried }) => {
  say('taken', taskId);
  await delay(takes);
  say('processed', taskId);
  behave(task, retried);
});
process.on('disconnect', () => void server.shutdown());
say('started');
