import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { Client } from '../../../src/tasks/client.ts';
import { MARK, markedProcesses } from '../../support/marked-processes.ts';
import { until } from '../../support/until.ts';

it('npm run redis gives a cluster, says what to do with it, and takes it away on Ctrl-C', async () => {
  const mark = randomUUID();
  const child = spawn(process.execPath, ['scripts/bootstrap.mjs', 'scripts/redis.ts'], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], [MARK]: mark },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const ended = once(child, 'close');
  let said = '';
  child.stdout.on('data', (text: Buffer) => void (said += text));
  await until(() => said.includes('npm run example'), { timeout: 20_000 });
  const addrs = /^ +((?:127\.0\.0\.1:\d+ ?){6})$/m.exec(said)?.[1]?.split(' ') ?? [];
  expect(addrs).toHaveLength(6);
  expect(said).toContain(`npm run asynq -- queue ls --cluster --cluster_addrs ${addrs[0]}\n`);
  await using client = new Client({ addrs });
  await client.ping();
  await client.close();

  process.kill(-(child.pid ?? 0), 'SIGINT');
  expect(await ended).toEqual([0, null]);
  await until(async () => (await markedProcesses(mark)).length === 0);
});
