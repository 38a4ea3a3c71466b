import { describe, expect, it } from 'vitest';
import { runAsynq } from '../../../src/cli/asynq.ts';
import { Client } from '../../../src/tasks/client.ts';
import { Inspector } from '../../../src/tasks/inspector.ts';
import type { TaskOptions } from '../../../src/tasks/options.ts';
import { Task } from '../../../src/tasks/task.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { uniqueQueue } from '../../support/redis.ts';
import { testRouter } from '../../support/router.ts';
import { clusterTerminal, json, onCluster } from './run.ts';

const router = testRouter();
const client = new Client(router);
const inspector = new Inspector(router);

async function fill(queue: string, count: number, options: TaskOptions = {}): Promise<void> {
  const tasks = Array.from({ length: count }, () => new Task('x'));
  await client.enqueueMany(tasks, { queue, ...options });
}

/** Time flies: each look at the clock is a second later. */
class FastClock extends FakeClock {
  override monotonic(): number {
    this.block(1_000);
    return this.now();
  }
}

describe('asynq task archiveall, runall, deleteall', () => {
  it('moves all tasks of a state, each into the next', async () => {
    const queue = uniqueQueue('bulk');
    await fill(queue, 300, { processInSeconds: 3_600 });
    const all = ['-q', queue, '-s'];
    expect(await onCluster('task', 'archiveall', ...all, 'scheduled')).toEqual({
      code: 0,
      out: '300 tasks archived\n',
      err: '',
    });
    expect((await onCluster('task', 'runall', ...all, 'archived')).out).toBe('300 tasks are now pending\n');
    expect(await json('task', 'deleteall', ...all, 'pending')).toEqual({
      queue,
      state: 'pending',
      group: null,
      result: 'deleted',
      tasks: 300,
      isInterrupted: false,
    });
    expect(await inspector.getQueueInfo(queue)).toMatchObject({ size: 0 });
  });

  it('takes the tasks of one group', async () => {
    const queue = uniqueQueue('bulk');
    await fill(queue, 3, { group: 'a' });
    await fill(queue, 2, { group: 'b' });
    const group = ['-q', queue, '-s', 'aggregating', '-g'];
    expect((await onCluster('task', 'runall', ...group, 'a')).out).toBe('3 tasks are now pending\n');
    expect((await onCluster('task', 'archiveall', ...group, 'b')).out).toBe('2 tasks archived\n');
    expect((await onCluster('task', 'deleteall', ...group, 'b')).out).toBe('0 tasks deleted\n');
  });

  it('shows how far it is to people only', async () => {
    const queue = uniqueQueue('bulk');
    await fill(queue, 300);
    const terminal = clusterTerminal({ isErrTTY: true });
    const args = ['task', 'deleteall', '-q', queue, '-s', 'pending'];
    expect(await runAsynq(args, { terminal, clock: new FastClock() })).toBe(0);
    expect(terminal.written.out).toBe('300 tasks deleted\n');
    const drawn = terminal.written.err.replaceAll('\r\u001b[K', '<');
    expect(drawn).toMatch(/^(<deleting pending tasks \[=*>? *\] +\d+% +\d+\/300)+<$/);
    expect(terminal.written.err).toContain('100% 300/300');
  });

  it('ends between two batches at Ctrl-C, tells how far it came, and leaves the others as they were', async () => {
    const queue = uniqueQueue('bulk');
    await fill(queue, 1_000);
    const terminal = clusterTerminal({ isErrTTY: true });
    const impatient = {
      ...terminal,
      err: (text: string) => {
        terminal.err(text);
        terminal.interrupt();
      },
    };
    const args = ['task', 'archiveall', '-q', queue, '-s', 'pending'];
    expect(await runAsynq(args, { terminal: impatient, clock: new FastClock() })).toBe(130);
    const { archived, pending } = await inspector.getQueueInfo(queue);
    expect(archived).toBeGreaterThan(0);
    expect(pending).toBe(1_000 - archived);
    expect(pending).toBeGreaterThan(0);
    expect(terminal.written.out).toBe(`${archived} tasks archived\n`);
    expect(terminal.written.err).toContain(
      `error: interrupted: the other ${pending} of 1000 are as they were\n`,
    );
  });
});
