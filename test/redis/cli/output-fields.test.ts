import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { SchedulerEntries } from '../../../src/broker/scheduler-entries.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { testCluster, uniqueQueue } from '../../support/redis.ts';
import { brokerOn } from '../../support/redis-broker.ts';
import { testRouter } from '../../support/router.ts';
import { onCluster } from './run.ts';

/** Command -> its fields, as docs/cli.md has them. */
const documented = new Map(
  [
    ...readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8').matchAll(
      /^\| (`[a-z ]+`(?:, `[a-z ]+`)*) \| (.*) \|$/gm,
    ),
  ].flatMap(([, commands = '', fields = '']) =>
    [...commands.matchAll(/`([^`]+)`/g)].map(([, command = '']) => [command, fields] as const),
  ),
);

/** The names that a cell lists, not those in parentheses or behind a colon. */
function topFields(command: string): string[] {
  const cell = (documented.get(command) ?? '').replace('one object: ', '');
  const same = /^those of `([^`]+)`$/.exec(cell)?.[1];
  if (same !== undefined) return topFields(same);
  const plain = cell.replaceAll(/\([^)]*\)/g, '').replace(/: `[^:]*$/, '');
  return [...plain.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}

/** The names in the parentheses behind `field`. */
function innerFields(command: string, field: string): string[] {
  const [, inner = ''] = new RegExp(`\`${field}\` \\(([^)]*)\\)`).exec(documented.get(command) ?? '') ?? [];
  return [...inner.replaceAll(/: .*/g, '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}

const queue = uniqueQueue('fields');
const entry = uniqueQueue('entry');
const { broker, lease, clock } = brokerOn(testCluster());

beforeAll(async () => {
  const router = testRouter();
  await new Client(router).enqueue(new Task('x', { a: 1 }), { queue, taskId: 'grouped', group: 'g' });
  const task = await lease({ queue, id: 'leased' });
  const server = {
    host: 'h',
    pid: 1,
    serverId: queue,
    concurrency: 1,
    queues: { [queue]: 1 },
    strictPriority: false,
  };
  const workers = [{ task, startedAt: clock.now(), deadline: clock.now() }];
  await broker.writeServerState({ ...server, status: 'active', startedAt: clock.now(), workers }, 60);
  const schedulers = new SchedulerEntries({ router, clock: systemClock, log: silentLogger });
  const record = { id: entry, spec: '@every 1h', taskType: 'x', taskPayload: new Uint8Array(0), options: [] };
  await schedulers.write(`h:1:${entry}`, [{ ...record, next: undefined, prev: undefined }], 60);
  await schedulers.recordEvent(entry, { taskId: 'x', enqueuedAt: clock.now() });
});

type Row = Readonly<Record<string, unknown>>;

/** The object for `queue` or `entry` in the answer to a command. */
async function row(...args: readonly string[]): Promise<Row> {
  // Not `json`: of all queues there are, tests beside this one break some, and the exit code tells of those.
  const { out, err } = await onCluster(...args, '--output', 'json');
  if (out === '') throw new Error(`expected an answer, got ${err}`);
  const answer: unknown = JSON.parse(out);
  const rows: readonly Row[] = Array.isArray(answer) ? answer : [answer];
  const mine = rows.find((one) => one['queue'] === queue || one['id'] === entry || one['id'] === queue);
  const found = mine ?? rows[0];
  if (found === undefined) throw new Error('expected an answer');
  return found;
}

describe('docs/cli.md names the fields of', () => {
  it.each([
    ['queue list', []],
    ['queue inspect', [queue]],
    ['queue history', [queue]],
    ['queue pause', [queue]],
    ['queue resume', [queue]],
    ['queue limits', [queue]],
    ['task list', ['-q', queue, '-s', 'active']],
    ['task inspect', ['-q', queue, '-i', 'leased']],
    ['task enqueue', ['-q', queue, '-t', 'x', '-l', '', '-i', 'new']],
    ['task archive', ['-q', queue, '-i', 'new']],
    ['task run', ['-q', queue, '-i', 'new']],
    ['task delete', ['-q', queue, '-i', 'new']],
    ['task cancel', ['new']],
    ['task archiveall', ['-q', queue, '-s', 'retry']],
    ['task deleteall', ['-q', queue, '-s', 'retry']],
    ['task runall', ['-q', queue, '-s', 'retry']],
    ['group list', ['-q', queue]],
    ['server list', []],
    ['cron list', []],
    ['cron history', [entry]],
    ['cluster', []],
    ['stats', []],
  ])('%s', async (command, args) => {
    const found = await row(...command.split(' '), ...args);
    expect(Object.keys(found).toSorted()).toEqual(topFields(command).toSorted());
  });

  it.each([
    ['queue list', 'nodes', []],
    ['queue history', 'days', [queue]],
    ['server list', 'activeWorkers', []],
    ['cron history', 'events', [entry]],
  ])('%s, of its %s', async (command, field, args) => {
    const inner = (await row(...command.split(' '), ...args))[field] as readonly Row[];
    expect(Object.keys(inner[0] ?? {}).toSorted()).toEqual(innerFields(command, field).toSorted());
  });
});
