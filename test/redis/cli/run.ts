import { runAsynq } from '../../../src/cli/asynq.ts';
import { testCluster } from '../../support/redis.ts';
import { type FakeTerminal, fakeTerminal, type Ran } from '../../unit/cli/run.ts';

/** Runs the `asynq` command line within this process, on the tier's cluster. */
export async function onCluster(...args: readonly string[]): Promise<Ran> {
  const terminal = clusterTerminal();
  const code = await runAsynq(args, { terminal });
  return { code, ...terminal.written };
}

/** A terminal whose environment leads to the tier's cluster. */
export function clusterTerminal(fields: Parameters<typeof fakeTerminal>[0] = {}): FakeTerminal {
  const { addrs, password } = testCluster();
  return fakeTerminal({
    env: { CLUSTER: '1', CLUSTER_ADDRS: addrs.join(','), PASSWORD: password },
    ...fields,
  });
}

/** What a command prints with `--output json`; it must succeed. */
export async function json(...args: readonly string[]): Promise<unknown> {
  const { code, out, err } = await onCluster(...args, '--output', 'json');
  if (code !== 0) throw new Error(`expected exit code 0, got ${code}: ${err}`);
  return JSON.parse(out);
}
