import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { runAsynq } from '../../../src/cli/asynq.ts';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { fakeTerminal } from './run.ts';

const NAMES = ['cron', 'group', 'queue', 'server', 'stats', 'task', 'completion', 'version', '__complete'];
const BELOW = [
  'list',
  'ls',
  'inspect',
  'history',
  'pause',
  'limits',
  'rm',
  'cancel',
  'archive',
  'run',
  'enqueue',
  'runall',
  'bash',
];
const FLAGS =
  '-q -s -i -g -t -l -x -f -u -n -p -U -o -h -v -- --queue --state --page --size --days --json --force --retry ' +
  '--timeout --deadline --unique --process_at --process_in --retention --header --type_name --payload --uri ' +
  '--concurrency --rate --clear --cluster --cluster_addrs --cluster=false --tls --tls_ca --config';
const VALUES = [
  'low',
  'pending',
  'aggregating',
  '1',
  '0',
  '-1',
  '1m30s',
  '2026-11-24T18:00:00Z',
  'json',
  'a:1',
  '',
];
const ODD = [
  'redis://u:p@h:1/2',
  'k=v',
  '/dev/null',
  'imágenes',
  '=',
  '{x}',
  '__proto__',
  'constructor',
  '\u0000',
];

const word = fc.oneof(
  fc.constantFrom(...NAMES, ...BELOW, ...FLAGS.split(' '), ...VALUES, ...ODD),
  fc.string(),
);
const line = fc.oneof(
  fc.array(word, { maxLength: 10 }),
  fc
    .tuple(fc.constantFrom(...NAMES), fc.constantFrom(...BELOW), fc.array(word, { maxLength: 8 }))
    .map(([name, below, words]) => [name, below, ...words]),
);
const env = fc.dictionary(fc.constantFrom('URI', 'DB', 'CLUSTER', 'CLUSTER_ADDRS', 'TLS', 'USERNAME'), word);

it('ends with an exit code and a line on stderr, whatever it is given', async () => {
  await fc.assert(
    fc.asyncProperty(line, env, async (args, variables) => {
      const terminal = fakeTerminal({ env: variables });
      const open = () => Promise.reject(new AsynqError('ASYNQ_REDIS_UNREACHABLE'));
      const code = await runAsynq(args, { terminal, open });
      expect([0, 1]).toContain(code);
      expect(code === 0).toBe(terminal.written.err === '');
      // A fault of ours would be told in the words of the engine.
      expect(terminal.written.err).not.toMatch(/undefined|is not a function|Cannot read|\[object/);
    }),
    { numRuns: 2_000 },
  );
}, 60_000);
