import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { runAsynq } from '../../../src/cli/asynq.ts';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { anyWords, commandLine } from './command-lines.ts';
import { fakeTerminal } from './run.ts';

/** Mostly none: what cannot be a setting ends a command before it does anything. */
const env = fc.oneof(
  { arbitrary: fc.constant({}), weight: 4 },
  fc.dictionary(
    fc.constantFrom('URI', 'DB', 'CLUSTER', 'CLUSTER_ADDRS', 'TLS', 'USERNAME', 'NO_COLOR'),
    fc.oneof(fc.constantFrom('1', 'true', 'a:1', 'redis://u:p@h:1/2', '/dev/null'), fc.string()),
  ),
);

it('ends with an exit code, and with a line on stderr when it fails, whatever it is given', async () => {
  let connections = 0;
  const open = () => {
    connections++;
    return Promise.reject(new AsynqError('ASYNQ_REDIS_UNREACHABLE'));
  };
  await fc.assert(
    fc.asyncProperty(fc.oneof(commandLine, anyWords), env, async (args, variables) => {
      const terminal = fakeTerminal({ env: variables });
      const code = await runAsynq(args, { terminal, open });
      expect([0, 1]).toContain(code);
      expect(code === 0).toBe(terminal.written.err === '');
      // A fault of ours would be told in the words of the engine.
      expect(terminal.written.err).not.toMatch(/is not (a function|iterable)|Cannot read|\[object/);
    }),
    { numRuns: 1_000 },
  );
  expect(connections).toBeGreaterThan(100);
}, 60_000);
