import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Client } from '../../../src/tasks/client.ts';
import { Task } from '../../../src/tasks/task.ts';
import { startRedis } from '../../lab/redis-server.ts';
import { binPath } from '../../support/bin.ts';
import { testCluster, uniqueQueue } from '../../support/redis.ts';
import { testRouter } from '../../support/router.ts';
import { ScreenText } from '../../support/screen.ts';
import { until } from '../../support/until.ts';

const ESC = '\u001b';

interface Sitting {
  readonly screen: ScreenText;
  /** Of the dash itself. */
  readonly pid: number;
  readonly tty: string;
  type(keys: string): void;
  /** Waits until the screen shows it. */
  sees(text: string | RegExp): Promise<void>;
  /** Waits for the end; what the terminal is like then. */
  end(): Promise<string>;
}

/** Somebody at a terminal (of util-linux's script) of 80 columns and 24 rows, with the dash before them. */
async function sitDown(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Sitting> {
  const dash = [process.execPath, binPath('asynq'), 'dash', ...args].join(' ');
  const shell = `stty rows 24 cols 80; tty; sh -c 'echo pid $$; exec ${dash}'; echo code $?; stty -a`;
  const child = spawn('script', ['-qefc', shell, '/dev/null'], {
    env: { PATH: process.env['PATH'], TERM: 'xterm-256color', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exit = once(child, 'close');
  const screen = new ScreenText();
  let written = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    written += part;
    screen.write(part);
  });
  await until(() => screen.isAlternate, { what: 'the screen of the dash' });
  const [, tty = '', pid = ''] = /(\/dev\/\S+)\s+pid (\d+)/.exec(written) ?? [];
  return {
    screen,
    tty,
    pid: Number(pid),
    type: (keys) => void child.stdin.write(keys),
    sees: async (text) => {
      const isShown = () => (typeof text === 'string' ? screen.text.includes(text) : text.test(screen.text));
      const what = `${String(text)} on the screen`;
      await until(isShown, { what }).catch((error: unknown) => {
        throw new Error(`expected ${what}, got:\n${screen.text}`, { cause: error });
      });
    },
    end: async () => {
      await exit;
      return screen.text;
    },
  };
}

function clusterEnv(): Record<string, string> {
  const { addrs, password } = testCluster();
  return { CLUSTER: 'true', CLUSTER_ADDRS: addrs.join(','), PASSWORD: password };
}

/** The dash has given back what it took, and the shell goes on. */
function expectGivenBack({ screen }: Sitting, after: string, code: number): void {
  expect(after).toContain(`code ${code}\n`);
  expect(after).toMatch(/[^-]icanon.*[^-]echo /s);
  expect(screen).toMatchObject({ isAlternate: false, isCursorShown: true });
}

describe('asynq dash', () => {
  it('leads from the queues to a task and back, and leaves the terminal as it was', async () => {
    const queue = uniqueQueue('日本');
    const client = new Client(testRouter());
    await client.enqueue(new Task('画像:resize', { image: '🎉' }), { queue, taskId: 'first' });
    await client.enqueue(new Task('in-group'), { queue, taskId: 'second', group: 'g1' });
    const user = await sitDown(clusterEnv(), '--refresh', '1h');
    await user.sees('=== Queues ===');
    user.type(`/${queue}\r`);
    await user.sees(new RegExp(`^${queue} +RUN +2 `, 'm'));
    user.type('j\r');
    await user.sees(/Active:0 Pending:1 Aggregating:1/);
    user.type('l');
    await user.sees(/^first +画像:resize +0 +25 +\{"image":"🎉"\}/m);
    user.type('j\r');
    await user.sees('State: pending');
    user.type(`${ESC}[C`);
    user.type('ql');
    await user.sees(/^g1 +1$/m);
    user.type('j\r');
    await user.sees(/^second +in-group +<nil> +g1/m);
    const resize = spawn('stty', ['-F', user.tty, 'rows', '10', 'cols', '40'], { stdio: 'inherit' });
    await once(resize, 'exit');
    await user.sees(new RegExp(`^${queue}  2 tasks  `));
    await until(() => user.screen.text.split('\n').length === 10, { what: 'a screen of ten rows' });
    await user.sees(/^second +in-group/m);
    user.type(ESC);
    await user.sees('Select group');
    user.type('q');
    await user.sees('=== Queues ===');
    user.type('q');
    expectGivenBack(user, await user.end(), 0);
  });

  it('gives the terminal back at Ctrl-C and at SIGTERM', async () => {
    const user = await sitDown(clusterEnv());
    await user.sees('=== Queues ===');
    user.type('\u0003');
    expectGivenBack(user, await user.end(), 0);
    expect(user.screen.text).not.toContain('Queues');
    const other = await sitDown(clusterEnv());
    await other.sees('=== Queues ===');
    process.kill(other.pid, 'SIGTERM');
    expectGivenBack(other, await other.end(), 130);
  });

  it('says what it cannot read, under what it knew, and forgets it when it can', async () => {
    await using redis = await startRedis();
    await using client = new Client({ addr: redis.addr });
    await client.enqueue(new Task('x'), { queue: 'emails' });
    const user = await sitDown({ URI: redis.addr }, '--refresh', '1s');
    await user.sees(/^emails +RUN +1 /m);
    await redis.server.call('ACL', 'SETUSER', 'default', '-smembers');
    await user.sees(/^ .* answered SMEMBERS with: NOPERM .*\n +run the 'smembers' command/m);
    expect(user.screen.text).toMatch(/^emails +RUN +1 /m);
    await redis.server.call('ACL', 'SETUSER', 'default', '+smembers');
    await user.sees('<?>: Help');
    user.type('q');
    expectGivenBack(user, await user.end(), 0);
  });
});
