import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { MARK, markedProcesses } from '../../support/marked-processes.ts';
import { until } from '../../support/until.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const TIMEOUT = 120_000;

interface RunningDemo {
  readonly mark: string;
  readonly process: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  /** Exit code or signal. */
  readonly ended: Promise<number | string>;
  /** Waits until the output matches. */
  sees(pattern: RegExp): Promise<void>;
}

/** `npm run demo`, less npm, in a process group of its own, as a terminal has it. */
function startDemo(...args: string[]): RunningDemo {
  const mark = randomUUID();
  const child = spawn(process.execPath, ['scripts/bootstrap.mjs', 'demo/main.ts', ...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], [MARK]: mark },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => void (out += chunk));
  child.stderr.on('data', (chunk: Buffer) => void (err += chunk));
  return {
    mark,
    process: child,
    out: () => out,
    err: () => err,
    ended: once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string),
    sees: async (pattern) => {
      await until(() => pattern.test(out), { timeout: 60_000, what: `the demo to print ${pattern}` });
    },
  };
}

const nothingLeft = (demo: RunningDemo) =>
  until(async () => (await markedProcesses(demo.mark)).length === 0, {
    timeout: 30_000,
    what: 'all processes of the demo to end',
  });

/** To all that the terminal would send it to. */
function signalGroup({ process: child }: RunningDemo, signal: NodeJS.Signals): void {
  process.kill(-(child.pid ?? 0), signal);
}

describe('npm run demo', () => {
  it(
    'shows three queues from zero workers and back, loses nothing, and survives a taken port',
    async () => {
      const squatter = createServer().listen(7003, '127.0.0.1');
      // Taken by somebody else is as good.
      await Promise.race([once(squatter, 'listening'), once(squatter, 'error')]);
      const demo = startDemo('--output', 'json');
      expect(await demo.ended).toBe(0);
      squatter.close();
      expect(demo.err()).toContain('Some of the ports 7000 to 7005 are taken');
      const [line, ...more] = demo.out().trim().split('\n');
      expect(more).toEqual([]);
      const result = JSON.parse(line ?? '') as Record<string, number>;
      expect(result).toMatchObject({
        lost: 0,
        repeated: 0,
        peakReplicas: {
          notificaciones: expect.any(Number),
          webhooks: expect.any(Number),
          imágenes: expect.any(Number),
        },
        firstReplicaMs: expect.any(Number),
      });
      expect(result['processed']).toBe(result['enqueued']);
      expect(result['enqueued']).toBeGreaterThan(1_000);
      expect(result['seconds']).toBeLessThan(60);
      expect(await markedProcesses(demo.mark)).toEqual([]);
    },
    TIMEOUT,
  );

  it(
    'leaves nothing behind when Ctrl-C comes in the middle',
    async () => {
      const demo = startDemo();
      await demo.sees(/^Each line: .* wanted\/ready$/m);
      await demo.sees(/[1-9]\/[1-9] workers/);
      expect((await markedProcesses(demo.mark)).filter((line) => / worker /.test(line))).not.toEqual([]);
      signalGroup(demo, 'SIGINT');
      expect(await demo.ended).toBe(130);
      expect(await markedProcesses(demo.mark)).toEqual([]);
    },
    TIMEOUT,
  );

  it(
    'leaves nothing behind when Ctrl-C comes while Redis starts',
    async () => {
      const demo = startDemo();
      await demo.sees(/Starting a Redis Cluster/);
      signalGroup(demo, 'SIGINT');
      expect(await demo.ended).toBe(130);
      expect(await markedProcesses(demo.mark)).toEqual([]);
    },
    TIMEOUT,
  );

  it(
    'leaves nothing behind when it is killed',
    async () => {
      const demo = startDemo();
      await demo.sees(/[1-9]\/[1-9] workers/);
      signalGroup(demo, 'SIGKILL');
      expect(await demo.ended).toBe('SIGKILL');
      await nothingLeft(demo);
    },
    TIMEOUT,
  );

  it('tells its options', async () => {
    const demo = startDemo('--help');
    expect(await demo.ended).toBe(0);
    expect(demo.out()).toMatch(/--output json .*\n.*npm run --silent demo -- --output json\n/);
  });

  it('refuses an output that it does not have', async () => {
    const demo = startDemo('--output', 'xml');
    expect(await demo.ended).toBe(1);
    expect(demo.err()).toBe('error: --output: expected text or json, got xml\n');
  });
});
