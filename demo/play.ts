import { setTimeout as sleep } from 'node:timers/promises';
import { RedisQueueReader } from '../src/broker/redis-queue-reader.ts';
import { openRedis } from '../src/redis/open.ts';
import { systemClock } from '../src/runtime/clock.ts';
import { aborted, type StopSignals } from '../src/runtime/lifecycle.ts';
import { silentLogger } from '../src/runtime/logger.ts';
import { Client } from '../src/tasks/client.ts';
import { Figures } from './figures.ts';
import { runLoad } from './load.ts';
import { OperatorProcess } from './operator-process.ts';
import { QUEUES } from './scenario.ts';
import type { Stage } from './stage.ts';
import type { Story } from './story.ts';

/** An idle moment before the load, so that one sees three queues without workers. */
const PROLOGUE_MS = 1_500;

export type Ending = 'complete' | 'late' | 'interrupted';

export interface PlayParts {
  readonly addrs: readonly string[];
  readonly story: Story;
  readonly stage: Stage;
  readonly signals: StopSignals;
  /** Milliseconds that it may take. */
  readonly patience: number;
}

/**
 * Runs the operator, the load and the view until the story is complete, or something ends it before. What it started has
 * ended when this settles.
 *
 * @throws the operator or the load failed
 */
export async function play({ addrs, story, stage, signals, patience }: PlayParts): Promise<Ending> {
  const over = new AbortController();
  const redis = openRedis({ addrs }, { clock: systemClock, log: silentLogger });
  const figures = new Figures(
    new RedisQueueReader(redis),
    QUEUES.map(({ queue }) => queue),
  );
  const operator = new OperatorProcess(addrs[0] ?? '', (message) => story.hear(message, performance.now()));
  signals.forceful.addEventListener('abort', () => void operator.stop());

  const complete = Promise.withResolvers<Ending>();
  const view = figures.watch(() => {
    stage.show(story.picture(figures, performance.now()));
    if (story.isComplete) complete.resolve('complete');
  }, over.signal);
  const load = operator.ready.then(() =>
    loadAfterPrologue(new Client(redis, { log: silentLogger }), story, over.signal),
  );
  try {
    return await Promise.race([
      complete.promise,
      sleep(patience, 'late' as const, over),
      aborted(signals.graceful).then(() => 'interrupted' as const),
      operator.ended.then((how) => Promise.reject(new Error(how ?? 'asynq-operator dev ended too early'))),
      failureOf(load),
      failureOf(view),
    ]);
  } finally {
    await operator.stop();
    over.abort();
    await Promise.allSettled([load, view]);
    await redis.close();
    stage.close();
  }
}

async function loadAfterPrologue(client: Client, story: Story, signal: AbortSignal): Promise<void> {
  await sleep(PROLOGUE_MS, undefined, { signal });
  story.loadBegins(performance.now());
  await runLoad(client, QUEUES, (queue, id) => story.enqueued(queue, id), signal);
  story.loadIsOver();
}

/** Never resolves: rejects when the promise does. */
async function failureOf(promise: Promise<unknown>): Promise<never> {
  await promise;
  return new Promise<never>(() => {});
}
