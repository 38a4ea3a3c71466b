import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Client } from '../../../src/tasks/client.ts';
import { Inspector } from '../../../src/tasks/inspector.ts';
import { Task } from '../../../src/tasks/task.ts';
import { GoPeer } from '../../support/go-peer.ts';
import { testCluster, uniqueQueue } from '../../support/redis.ts';
import { brokerOn, HURTING_NAMES } from '../../support/redis-broker.ts';
import { testRouter } from '../../support/router.ts';
import { json, onCluster } from './run.ts';

const router = testRouter();
const client = new Client(router);
const inspector = new Inspector(router);

describe('asynq task enqueue', () => {
  it('writes what Go reads, with every flag', async () => {
    const queue = uniqueQueue('enqueue');
    const flags =
      '--retry 3 --timeout 1m30s --deadline 2030-01-01T00:00:00Z --unique 1h ' +
      '--process_at 2029-12-31T23:00:00+01:00 --retention 24h --header trace=a=b --header k=';
    const task = ['task', 'enqueue', '-t', 'email:welcome', '-l', '{"user_id":42}', '--queue', queue];
    const { code, out, err } = await onCluster(...task, '--id', 'mine', ...flags.split(' '));
    expect({ code, out, err }).toEqual({ code: 0, out: `Enqueued task mine to queue ${queue}\n`, err: '' });
    const go = await GoPeer.on({ ...testCluster(), cluster: true });
    expect(await go.task(queue, 'mine')).toMatchObject({
      type: 'email:welcome',
      payload: Buffer.from('{"user_id":42}').toString('base64'),
      headers: { trace: 'a=b', k: '' },
      state: 'scheduled',
      maxRetry: 3,
      timeoutSeconds: 90,
      deadline: Date.parse('2030-01-01T00:00:00Z') / 1000,
      nextProcessAt: Date.parse('2029-12-31T22:00:00Z') / 1000,
      retentionSeconds: 86_400,
    });
    expect(await onCluster(...task, '--unique', '1h')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/^error: task already exists/),
    });
  });

  it('puts a task into a group, or lets it wait', async () => {
    const queue = uniqueQueue('enqueue');
    const common = ['task', 'enqueue', '-t', 'x', '-l', '', '-q', queue];
    expect(await json(...common, '--group', 'g')).toMatchObject({
      state: 'aggregating',
      group: 'g',
      payload: '',
    });
    expect(await json(...common, '--process_in', '10m')).toMatchObject({ state: 'scheduled', maxRetry: 25 });
    expect(await onCluster('group', 'ls', '-q', queue)).toMatchObject({ code: 0, out: 'g\n' });
    expect(await json('group', 'ls', '-q', queue)).toEqual([{ group: 'g', size: 1 }]);
  });

  it.each([
    [['--timeout', '500ms'], 'expected a duration of 1s or more'],
    [['--timeout', 'soon'], 'time: invalid duration "soon"'],
    [['--deadline', 'tomorrow'], 'expected a time such as 2026-11-24T18:00:00Z'],
    [['--unique', '10ms'], 'Unique TTL cannot be less than 1s'],
    [['--header', 'none'], 'expected name=value, got "none"'],
    [['--id', ' '], 'task ID cannot be empty'],
    [
      ['--process_in', '1s', '--process_at', '2029-12-31T23:00:00Z'],
      'expected processAt or processInSeconds, got both',
    ],
    [['--queue', '}x'], 'must not start with "}"'],
  ])('refuses %j', async (flags, message) => {
    const { code, out, err } = await onCluster('task', 'enqueue', '-t', 'x', '-l', '', ...flags);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(message);
  });
});

describe('asynq task', () => {
  it('archives, runs and deletes a task, by names of any kind', async () => {
    for (const name of HURTING_NAMES) {
      const queue = `${uniqueQueue()}${name}`;
      await client.enqueue(new Task('x'), { queue, taskId: name });
      const one = ['--queue', queue, '--id', name];
      expect(await onCluster('task', 'archive', ...one)).toEqual({
        code: 0,
        out: 'task archived\n',
        err: '',
      });
      expect(await onCluster('task', 'archive', ...one)).toMatchObject({
        code: 1,
        out: '',
        err: expect.stringMatching(/^error: task is already archived/),
      });
      expect(await onCluster('task', 'run', ...one)).toEqual({
        code: 0,
        out: 'task is now pending\n',
        err: '',
      });
      expect(await json('task', 'inspect', ...one)).toMatchObject({
        id: name,
        queue,
        state: 'pending',
        result: null,
      });
      expect(await onCluster('task', 'rm', ...one)).toEqual({ code: 0, out: 'task deleted\n', err: '' });
      expect(await onCluster('task', 'inspect', ...one)).toMatchObject({ code: 1, out: '' });
    }
  });

  it('refuses to touch an active task, in words that help', async () => {
    const queue = uniqueQueue('active');
    const { lease } = brokerOn(testCluster());
    await lease({ queue, id: 'busy' });
    const { code, err } = await onCluster('task', 'delete', '-q', queue, '-i', 'busy');
    expect(code).toBe(1);
    expect(err).toContain('cannot delete task in active state. use CancelProcessing instead.');
    expect(await onCluster('task', 'ls', '-q', queue, '-s', 'active')).toMatchObject({
      code: 0,
      out: expect.stringContaining('busy  test:task  non-printable bytes'),
    });
  });

  it('sends cancelations, which a server hears', async () => {
    const heard: string[] = [];
    const stop = new AbortController();
    const both = Promise.withResolvers<void>();
    const onMessage = (id: string) => {
      if (id === 'ñ1' || id === 'ñ2') heard.push(id);
      if (heard.length === 2) both.resolve();
    };
    await router.subscribe('asynq:cancel', onMessage, stop.signal);
    expect(await onCluster('task', 'cancel', 'ñ1', 'ñ2')).toEqual({
      code: 0,
      out: 'Sent cancelation signal for task ñ1\nSent cancelation signal for task ñ2\n',
      err: '',
    });
    await both.promise;
    stop.abort();
    expect(heard).toEqual(['ñ1', 'ñ2']);
  });

  it('lists page by page, for people and for programs', async () => {
    const queue = uniqueQueue('pages');
    for (const n of [1, 2, 3]) await client.enqueue(new Task('x', { n }), { queue, taskId: `t${n}` });
    const list = ['task', 'ls', '-q', queue, '-s', 'pending', '--size', '2'];
    expect((await onCluster(...list)).out).toBe(
      'ID  Type  Payload  \n--  ----  -------  \nt1  x     {"n":1}  \nt2  x     {"n":2}  \n',
    );
    expect(await json(...list, '--page', '2')).toEqual([
      expect.objectContaining({
        id: 't3',
        state: 'pending',
        payload: '{"n":3}',
        payloadBase64: Buffer.from('{"n":3}').toString('base64'),
        lastFailedAt: null,
        result: null,
      }),
    ]);
    expect((await onCluster(...list, '--page', '3')).out).toBe(`No pending tasks in "${queue}" queue\n`);
    expect(await onCluster('task', 'ls', '-q', queue, '-s', 'aggregating', '-g', 'none')).toMatchObject({
      out: 'No aggregating tasks in group "none" \n',
    });
  });

  it('lists in YAML, too', async () => {
    const queue = uniqueQueue('yaml');
    await client.enqueue(new Task('imágenes:resize', { n: 1 }, { headers: { a: 'b' } }), {
      queue,
      taskId: 'y: 1',
    });
    const list = ['task', 'ls', '-q', queue, '-s', 'pending'];
    const { out } = await onCluster(...list, '-o', 'yaml');
    expect(out).toContain('- id: "y: 1"\n');
    const [task] = (await json(...list)) as object[];
    // A pending task is due now, which is another moment in each answer.
    expect(parse(out)).toEqual([{ ...task, nextProcessAt: expect.any(String) }]);
  });

  it('fails for a queue that does not exist', async () => {
    expect(await onCluster('task', 'ls', '-q', 'nowhere', '-s', 'retry')).toEqual({
      code: 1,
      out: '',
      err: 'error: queue "nowhere" does not exist\n',
    });
  });
});

describe('asynq queue', () => {
  it('does what it can for each name, and fails when one of them fails', async () => {
    const [a, b] = [uniqueQueue('a'), uniqueQueue('b')];
    for (const queue of [a, b]) await client.enqueue(new Task('x'), { queue });
    await inspector.pauseQueue(a);
    expect(await onCluster('queue', 'pause', a, b)).toEqual({
      code: 1,
      out: `Successfully paused queue "${b}"\n`,
      err: `error: queue "${a}" is already paused\n`,
    });
    expect(await onCluster('queue', 'unpause', a, b)).toEqual({
      code: 0,
      out: `Successfully unpaused queue "${a}"\nSuccessfully unpaused queue "${b}"\n`,
      err: '',
    });
    expect(await onCluster('queue', 'rm', 'nowhere', a)).toEqual({
      code: 1,
      out: '',
      err: [
        'error: queue "nowhere" does not exist\n',
        `error: queue "${a}" is not empty\n`,
        `If you are sure you want to delete it, run 'asynq queue rm --force ${a}'\n`,
      ].join(''),
    });
    expect(await json('queue', 'delete', '--force', a, b)).toEqual([
      { queue: a, result: 'removed' },
      { queue: b, result: 'removed' },
    ]);
    expect(await inspector.queues()).not.toContain(a);
  });
});
