import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runAsynq } from '../../../src/cli/asynq.ts';
import { openRedis } from '../../../src/redis/open.ts';
import type { RedisRouter } from '../../../src/redis/router.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { startRedis } from '../../lab/redis-server.ts';
import { commandLine } from '../../unit/cli/command-lines.ts';
import { fakeTerminal } from '../../unit/cli/run.ts';

let server: Awaited<ReturnType<typeof startRedis>>;
let router: RedisRouter;

beforeAll(async () => {
  server = await startRedis();
  router = openRedis({ addr: server.addr }, { clock: systemClock, log: silentLogger });
});

afterAll(async () => {
  await router.close();
  await server.stop();
});

it('answers or refuses any command, and leaves what it wrote readable', async () => {
  // One connection for all of them: each command only thinks that it closes it.
  const open = async () => new Proxy(router, { get: shared });
  let answers = 0;
  await fc.assert(
    fc.asyncProperty(commandLine, async (args) => {
      const terminal = fakeTerminal();
      const code = await runAsynq(args, { terminal, open });
      const { out, err } = terminal.written;
      expect([0, 1]).toContain(code);
      expect(code === 0).toBe(err === '');
      expect(err).not.toMatch(/is not (a function|iterable)|Cannot read|\[object|ERR /);
      if (out !== '') answers++;
    }),
    { numRuns: 1_000 },
  );
  expect(answers).toBeGreaterThan(100);
  const terminal = fakeTerminal();
  expect(await runAsynq(['stats', '-o', 'json'], { terminal, open })).toBe(0);
  expect(JSON.parse(terminal.written.out).queues.length).toBeGreaterThan(0);
});

function shared(target: RedisRouter, name: keyof RedisRouter): unknown {
  if (name === 'close') return async () => {};
  const method: unknown = target[name];
  return typeof method === 'function' ? method.bind(target) : method;
}
