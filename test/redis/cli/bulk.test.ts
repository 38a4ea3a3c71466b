import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runAsynq } from '../../../src/cli/asynq.ts';
import { Client } from '../../../src/tasks/client.ts';
import { Inspector } from '../../../src/tasks/inspector.ts';
import type { TaskOptions } from '../../../src/tasks/options.ts';
import { Task } from '../../../src/tasks/task.ts';
import { binPath } from '../../support/bin.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { testCluster, uniqueQueue } from '../../support/redis.ts';
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
    expect(terminal.written.err).toContain(`error: interrupted: the other ${pending} are as they were\n`);
  });
});

/** Runs the CLI on a terminal (of util-linux's script) and hits Ctrl-C when it has written `cue`. */
async function onTerminal(args: readonly string[], cue: string): Promise<{ code: number; text: string }> {
  const { addrs, password } = testCluster();
  const command = [process.execPath, binPath('asynq'), ...args].join(' ');
  const env = { ...process.env, CLUSTER: 'true', CLUSTER_ADDRS: addrs.join(','), PASSWORD: password };
  const child = spawn('script', ['-qefc', command, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exit = once(child, 'exit');
  let text = '';
  let isHit = false;
  for await (const part of child.stdout) {
    text += part;
    if (!isHit && text.includes(cue)) child.stdin.write('\u0003');
    isHit ||= text.includes(cue);
  }
  const [code] = await exit;
  return { code, text };
}

it('hears Ctrl-C on a real terminal', async () => {
  const queue = uniqueQueue('bulk');
  await fill(queue, 30_000);
  const { code, text } = await onTerminal(['task', 'deleteall', '-q', queue, '-s', 'pending'], '/30000');
  expect(code).toBe(130);
  const left = (await inspector.getQueueInfo(queue)).pending;
  expect(text).toContain(`${30_000 - left} tasks deleted`);
  expect(text).toContain(`error: interrupted: the other ${left} are as they were`);
  expect(text).toContain('deleting pending tasks [');
  await inspector.deleteQueue(queue, { force: true });
});
