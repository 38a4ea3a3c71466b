import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KubeClient } from '../../../src/kube/api.ts';
import { loadKubeConfig } from '../../../src/kube/config.ts';
import { LeaderElector } from '../../../src/kube/leader-election.ts';
import { LEASES } from '../../../src/kube/resources.ts';
import { startControlPlane } from '../../lab/control-plane.ts';
import { testKube, testNamespace } from '../../support/kube.ts';
import { until } from '../../support/until.ts';

const TIMES = { leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 300 };

let namespace: string;
const clients: KubeClient[] = [];

beforeAll(async () => {
  namespace = await testNamespace('election');
});

afterAll(() => Promise.all(clients.map((it) => it.close())));

async function electorOf(
  identity: string,
  name: string,
  kubeconfig = testKube().kubeconfig,
): Promise<LeaderElector> {
  const client = new KubeClient({
    credentials: await loadKubeConfig({ path: kubeconfig }),
    userAgent: 'test/1',
  });
  clients.push(client);
  return new LeaderElector({
    client,
    namespace: name === 'default' ? 'default' : namespace,
    name,
    identity,
    ...TIMES,
  });
}

test('of two electors one leads; the other takes over at once when it lets go', async () => {
  const name = `lease-${randomUUID().slice(0, 8)}`;
  const stop = new AbortController();
  const [a, b] = await Promise.all([electorOf('a', name), electorOf('b', name)]);
  const won = await Promise.race([a, b].map(async (it) => ({ it, term: await it.acquire(stop.signal) })));
  const loser = won.it === a ? b : a;
  expect(loser.state).toBe('Following');
  expect(won.term?.isLeader()).toBe(true);
  const read = async () => (await (clients[0] as KubeClient).get(LEASES, { namespace, name })).spec;
  const { renewTime, leaseTransitions } = (await read()) ?? {};
  await until(async () => (await read())?.renewTime !== renewTime);
  expect((await read())?.leaseTransitions).toBe(leaseTransitions);
  const released = performance.now();
  await won.term?.release();
  await until(() => loser.state === 'Leading');
  expect(performance.now() - released).toBeLessThan(TIMES.leaseMs);
  expect((await read())?.holderIdentity).toBe(loser === a ? 'a' : 'b');
  expect(won.term?.isLeader()).toBe(false);
  stop.abort();
});

test('a leader that cannot reach the API server stops leading before anybody else may begin', async () => {
  await using own = await startControlPlane();
  const stop = new AbortController();
  const leader = await electorOf('leader', 'default', own.kubeconfig);
  const follower = await electorOf('follower', 'default', own.kubeconfig);
  const term = await leader.acquire(stop.signal);
  expect(term?.isLeader()).toBe(true);
  const next = follower.acquire(stop.signal);
  // The server hangs with all connections open: no error tells anybody.
  own.apiServer.pause();
  const paused = performance.now();
  await until(() => term?.lost.aborted, { timeout: 10_000 });
  expect(performance.now() - paused).toBeLessThan(TIMES.renewDeadlineMs + 1_000);
  expect(term?.isLeader()).toBe(false);
  expect(follower.state).toBe('Following');
  own.apiServer.resume();
  const successor = await next;
  expect(successor?.isLeader()).toBe(true);
  await successor?.release();
});
