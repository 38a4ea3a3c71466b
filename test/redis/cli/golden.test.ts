import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAsynq } from '../../../src/cli/asynq.ts';
import { openRedis } from '../../../src/redis/open.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { type RedisCluster, startRedisCluster } from '../../lab/redis-cluster.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { fakeTerminal, type Ran } from '../../unit/cli/run.ts';
import { FAILED_AT, HOURLY, LOOKED_AT, makeGoldenState } from './golden-state.ts';

// Go's output tells times in the zone of its machine.
process.env['TZ'] = 'UTC';

let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await startRedisCluster();
  const clock = new FakeClock(FAILED_AT);
  const router = openRedis({ addrs: cluster.addrs }, { clock: systemClock, log: silentLogger });
  await makeGoldenState(router, clock);
  await router.close();
});

afterAll(() => cluster.stop());

interface Golden {
  readonly args: readonly string[];
  readonly output: string;
  readonly code: number;
}

function golden(name: string): Golden {
  const file = readFileSync(new URL(`../../vectors/cli-golden/${name}.txt`, import.meta.url), 'utf8');
  const [, command = '', output = '', code] =
    /^\$ asynq --cluster (.*)\n([^]*)\[exit (\d)\]\n$/.exec(file) ?? [];
  return { args: command.split(' '), output, code: Number(code) };
}

/** Runs our CLI at the time at which Go's was run. */
async function ours(args: readonly string[]): Promise<Ran> {
  const terminal = fakeTerminal({ env: { CLUSTER: 'true', CLUSTER_ADDRS: cluster.addrs.join(',') } });
  const code = await runAsynq(args, { terminal, clock: new FakeClock(LOOKED_AT) });
  return { code, ...terminal.written };
}

describe("the CLI prints what Go's prints", () => {
  it.each([
    'cron-ls',
    'group-ls',
    'queue-history',
    'queue-inspect',
    'server-ls',
    'task-inspect-completed',
    'task-inspect-retry',
    'task-ls-active',
    'task-ls-aggregating',
    'task-ls-archived',
    'task-ls-completed',
    'task-ls-pending',
    'task-ls-retry',
    'task-ls-scheduled',
  ])('%s', async (name) => {
    const { args, output, code } = golden(name);
    expect(await ours(args)).toEqual({ code, out: output, err: '' });
  });
});
it('tells what entries of schedulers have enqueued, in the same form', async () => {
  expect(await ours(['cron', 'history', HOURLY, 'gone'])).toEqual({
    code: 0,
    out: `
Entry: ${HOURLY}

TaskID  EnqueuedAt                       
------  ----------                       
h2      2026-11-24 16:58:22.1 +0000 UTC  
h1      2026-11-24 15:58:22.6 +0000 UTC  

=================================================

Entry: gone

No scheduler enqueue events found for entry: gone
`,
    err: '',
  });
  expect((await ours(['cron', 'history', HOURLY, '--size', '1', '--page', '2'])).out).toMatch(
    /Enq.*\n.*\nh1 /,
  );
});

describe("where it does better than Go's", () => {
  it('names the nodes of a queue, where Go prints pointers, and sorts the queues', async () => {
    const { args, output } = golden('queue-ls');
    const { code, out, err } = await ours(args);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const cells = (table: string) =>
      table
        .trimEnd()
        .split('\n')
        .map((line) => line.trimEnd().split(/ {2,}/));
    const [header, rule, ...rows] = cells(output);
    const slots = rows.map((row) => row.slice(0, 2)).toSorted(([a], [b]) => compare(a, b));
    expect(cells(out)).toEqual([
      header,
      rule,
      ...slots.map((row) => [
        ...row,
        expect.stringMatching(/^\[(?:\{[0-9a-f]{40} 127\.0\.0\.1:\d+\} ?){2}\]$/),
      ]),
    ]);
  });

  it('sorts the queues of its statistics', async () => {
    const { args, output } = golden('stats');
    const [byState, byQueue = '', ...more] = output.split('\n\n');
    const [title, ...lines] = byQueue.split('\n');
    // Of one width all: that of the longest, and two blanks.
    const columns = lines.map((line) => line.match(/.{19}/gu) ?? []);
    const order = [...(columns[0]?.keys() ?? [])].toSorted((a, b) =>
      compare(columns[0]?.[a], columns[0]?.[b]),
    );
    const sorted = columns.map((line) => order.map((i) => line[i]).join(''));
    const expected = [byState, [title, ...sorted].join('\n'), ...more].join('\n\n');
    expect(await ours(args)).toEqual({ code: 0, out: expected, err: '' });
  });

  it('gives the same statistics as JSON, in an order', async () => {
    const { args, output } = golden('stats-json');
    const theirs = JSON.parse(output);
    const { code, out } = await ours(args);
    expect(code).toBe(0);
    const figures = {
      MemoryUsage: expect.any(Number),
      Latency: expect.any(Number),
      Timestamp: expect.any(String),
    };
    const queues = theirs.queues.toSorted((a: GoQueue, b: GoQueue) => compare(a.Queue, b.Queue));
    expect(JSON.parse(out)).toEqual({
      aggregate: { ...theirs.aggregate, timestamp: new Date(LOOKED_AT).toISOString() },
      queues: queues.map((queue: GoQueue) => ({ ...queue, ...figures })),
      redis: expect.objectContaining({ cluster_state: 'ok', cluster_known_nodes: '6', cluster_size: '3' }),
    });
    // The names come in the order in which Go writes them.
    const names = (json: { queues: object[] }) => Object.keys(json.queues[0] ?? {});
    expect(names(JSON.parse(out))).toEqual(names(theirs));
  });

  it.each(['queue-pause-twice', 'queue-rm-nonempty'])(
    'says on stderr that it failed, and exits with 1: %s',
    async (name) => {
      const { args, output, code } = golden(name);
      expect(code).toBe(0);
      const words = output.replace(/^error: NOT_FOUND: /, '');
      expect(await ours(args)).toEqual({ code: 1, out: '', err: `error: ${words}` });
    },
  );

  it('says which task was not found', async () => {
    const { args } = golden('task-inspect-missing');
    const err = 'error: cannot find task with id=nope in queue "default"\n';
    expect(await ours(args)).toEqual({ code: 1, out: '', err });
  });

  it('takes CLUSTER=true of the environment for its output, too', async () => {
    expect((await ours(['queue', 'ls'])).out).toContain('Cluster KeySlot');
    expect((await ours(['stats'])).out).toContain('Redis Cluster Info');
  });
});

interface GoQueue {
  readonly Queue: string;
}

function compare(a = '', b = ''): number {
  return a < b ? -1 : 1;
}
