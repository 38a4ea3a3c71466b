import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AsynqQueue } from '../../../src/operator/asynq-queue.ts';
import { LocalFleet } from '../../../src/operator/ends/local-fleet.ts';
import type { TemplateOrRefusal } from '../../../src/operator/ends/local-template.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { isAlive } from '../../lab/sweep.ts';
import { until } from '../../support/until.ts';

const STUB = fileURLToPath(new URL('./stub-worker.mjs', import.meta.url));

const queue = {
  metadata: {
    name: 'imagenes',
    namespace: 'media',
    uid: '1',
    generation: 1,
    creationTimestamp: '2026-11-24T00:00:00Z',
  },
  spec: {},
} as AsynqQueue;

const other = { ...queue, metadata: { ...queue.metadata, name: 'webhooks' } };

let fleet: LocalFleet;
let output: string[];
let changes: number;
let answer: TemplateOrRefusal;

/** What the next `apply` finds as template. */
function template(kind: string, revision = kind, env: Record<string, string> = {}): void {
  answer = {
    kind: 'ready',
    template: { revision, env: { PATH: process.env['PATH'] ?? '', STUB: kind, ...env }, drainTimeoutMs: 0 },
  };
}

function newFleet(options: { startsAtOnce?: number } = {}): LocalFleet {
  return new LocalFleet({
    templateOf: async () => answer,
    command: [process.execPath, STUB],
    clock: systemClock,
    log: silentLogger,
    onOutput: (worker, line, stream) => void output.push(`${worker} ${stream} ${line}`),
    onChange: () => void changes++,
    ...options,
  });
}

beforeEach(() => {
  output = [];
  changes = 0;
  template('good');
  fleet = newFleet();
});

afterEach(async () => {
  const pids = fleet.pids;
  fleet.kill();
  await fleet.stop();
  await until(() => !pids.some(isAlive));
});

const state = () => fleet.state(queue);
const ready = (count: number) =>
  until(() => state().readyReplicas === count, { what: `${count} ready workers` });

describe('LocalFleet', () => {
  it('brings workers up, tells of it, and lets them go', async () => {
    expect(state()).toEqual({ presence: 'absent', replicas: 0, readyReplicas: 0, startupSeconds: [] });
    expect(await fleet.apply(queue, 2)).toEqual({ changed: ['created'], scaledTo: 2 });
    expect(state()).toMatchObject({
      presence: 'ours',
      replicas: 2,
      readyReplicas: 0,
      notReadySince: expect.any(Number),
    });
    await ready(2);
    expect(state()).toEqual({
      presence: 'ours',
      replicas: 2,
      readyReplicas: 2,
      startupSeconds: [expect.any(Number), expect.any(Number)],
    });
    await until(() => output.length === 2);
    expect(output.toSorted()).toEqual([
      'imagenes-worker-1 stdout I am imagenes-worker-1',
      'imagenes-worker-2 stdout I am imagenes-worker-2',
    ]);
    const seen = changes;
    expect(await fleet.apply(queue, 2)).toEqual({ changed: [] });
    expect(changes).toBe(seen);
    expect(await fleet.apply(queue, undefined)).toEqual({ changed: [] });

    const pids = fleet.pids;
    expect(await fleet.apply(queue, 0)).toEqual({ changed: [], scaledTo: 0 });
    await until(() => !pids.some(isAlive));
    expect(state()).toMatchObject({ presence: 'ours', replicas: 0, readyReplicas: 0 });
  });

  it('replaces a worker that was killed', async () => {
    await fleet.apply(queue, 1);
    await ready(1);
    const [pid = 0] = fleet.pids;
    process.kill(pid, 'SIGKILL');
    await until(() => state().problem);
    expect(state().problem).toEqual({
      reason: 'CrashLoopBackOff',
      message: 'a worker ended with SIGKILL: I am imagenes-worker-1',
    });
    await ready(1);
    expect(fleet.pids).not.toContain(pid);
    expect(state().problem).toBeUndefined();
  });

  it('waits longer each time a worker does not come up, and says its last words', async () => {
    template('broken');
    await fleet.apply(queue, 2);
    await until(() => state().problem);
    expect(state()).toMatchObject({
      readyReplicas: 0,
      problem: { message: 'a worker ended with exit code 1: expected a handler module, got nothing' },
    });
    await until(() => started() === 4, { what: 'two rounds of two workers' });
    expect(state().problem).toBeDefined();
    expect(state().notReadySince).toBeTypeOf('number');
  });

  it('starts at once when the module was mended, and keeps old workers until new ones are ready', async () => {
    await fleet.apply(queue, 1);
    await ready(1);
    const [old = 0] = fleet.pids;
    template('broken');
    expect(await fleet.apply(queue, 1)).toEqual({ changed: ['updated'] });
    await until(() => state().problem);
    expect(state().readyReplicas).toBe(1);
    expect(isAlive(old)).toBe(true);

    template('good', 'mended');
    await fleet.apply(queue, 1);
    expect(state().problem).toBeUndefined();
    await until(() => !isAlive(old) && state().readyReplicas === 1);
  });

  it('kills what does not end in time', async () => {
    template('stubborn');
    await fleet.apply(queue, 1);
    await ready(1);
    await until(() => output.length > 0);
    const [pid = 0] = fleet.pids;
    await fleet.remove('media/imagenes');
    expect(state().presence).toBe('absent');
    await until(() => output.some((line) => line.endsWith('SIGTERM? no')));
    await until(() => !isAlive(pid), { timeout: 10_000 });
  });

  it('lets idle workers go before busy ones', async () => {
    template('good', 'good', { LOADS: '5,0,1' });
    await fleet.apply(queue, 3);
    await ready(3);
    const [first, second, third] = fleet.pids;
    await fleet.apply(queue, 2);
    await until(() => fleet.pids.length === 2);
    expect(fleet.pids).toEqual([first, third]);
    expect(fleet.pids).not.toContain(second);
    await fleet.apply(queue, 1);
    await until(() => fleet.pids.length === 1);
    expect(fleet.pids).toEqual([first]);
  });

  it('starts one after the other when told to, those first that have the fewest', async () => {
    await fleet.stop();
    fleet = newFleet({ startsAtOnce: 1 });
    await fleet.apply(queue, 2);
    await fleet.apply(other, 1);
    expect(fleet.pids).toHaveLength(1);
    await until(() => fleet.state(other).readyReplicas === 1);
    await ready(2);
    await until(() => output.length === 3);
    expect(output.map((line) => line.split(' ')[0])).toEqual([
      'imagenes-worker-1',
      'webhooks-worker-1',
      'imagenes-worker-2',
    ]);
  });

  it('does not wait for ever for a worker that hangs as it starts', async () => {
    await fleet.stop();
    fleet = newFleet({ startsAtOnce: 1 });
    template('silent');
    await fleet.apply(queue, 1);
    template('good');
    await fleet.apply(other, 1);
    await until(
      async () => {
        await fleet.apply(other, 1);
        return fleet.state(other).readyReplicas === 1;
      },
      { timeout: 15_000 },
    );
    expect(state().readyReplicas).toBe(0);
  });

  it('gives names that were not given before', async () => {
    await fleet.apply(queue, 1);
    await ready(1);
    await fleet.apply(queue, 0);
    await until(() => fleet.pids.length === 0);
    await fleet.apply(queue, 1);
    await until(() => output.length === 2);
    expect(output[1]).toContain('imagenes-worker-2');
  });

  it('hands on why a template cannot be', async () => {
    const refusal = { reason: 'HandlersMissing', message: 'there is no module' } as const;
    answer = { kind: 'refused', refusal };
    expect(await fleet.apply(queue, 1)).toEqual({ changed: [], refusal });
    expect(state().presence).toBe('absent');
  });

  it('starts nothing once it was stopped', async () => {
    await fleet.apply(queue, 1);
    await fleet.stop();
    expect(fleet.pids).toEqual([]);
    expect(await fleet.apply(queue, 3)).toEqual({ changed: [] });
    expect(fleet.pids).toEqual([]);
  });
});

/** Number of workers that were started so far, by the names in the output. */
function started(): number {
  return new Set(output.map((line) => line.split(' ')[0])).size;
}
