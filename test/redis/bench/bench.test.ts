import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { run } from '../../lab/run.ts';

const MAIN = fileURLToPath(new URL('../../../bench/main.ts', import.meta.url));

test('the bench measures both sides and ends with one line of ratios', async () => {
  const output = await run(process.execPath, [MAIN, '--pairs', '1', '--tasks', '300', '--output', 'json']);
  const { ratios } = JSON.parse(output) as { ratios: Record<string, number> };

  expect(Object.keys(ratios)).toEqual([
    'drain.c10',
    'drain.c10.redis',
    'drain.c100',
    'drain.c100.redis',
    'enqueue',
    'enqueue.redis',
  ]);
  for (const ratio of Object.values(ratios)) expect(ratio).toBeGreaterThan(0);
}, 60_000);
