import { afterEach, beforeEach, expect, test } from 'vitest';
import type { KubeClient } from '../../../src/kube/api.ts';
import { LeaderElector, type Leadership } from '../../../src/kube/leader-election.ts';
import { FakeApiServer } from '../../support/fake-api-server.ts';
import { FakeClock, settled } from '../../support/fake-clock.ts';
import { FakeLease } from '../../support/fake-lease.ts';
import { clientOf } from '../../support/kube-client.ts';
import { until } from '../../support/until.ts';

let server: FakeApiServer;
let lease: FakeLease;
let clock: FakeClock;
let client: KubeClient;
let stop: AbortController;

beforeEach(async () => {
  server = await FakeApiServer.start();
  lease = new FakeLease();
  server.script('other', lease.reply);
  clock = new FakeClock();
  client = await clientOf(server.url, { clock });
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await client.close();
  await server[Symbol.asyncDispose]();
});

function electorOf(identity: string, of: KubeClient = client): LeaderElector {
  return new LeaderElector({ client: of, namespace: 'ns', name: 'l', identity });
}

/** Turns the clock, with time for requests in between, until `look` gives something. */
function turning(look: () => unknown, stepMs = 100): Promise<unknown> {
  return until(
    async () => {
      await clock.advance(stepMs);
      return look();
    },
    { interval: 0 },
  );
}

async function lead(identity = 'a'): Promise<Leadership> {
  const term = await electorOf(identity).acquire(stop.signal);
  if (term === undefined) throw new Error('expected to lead');
  return term;
}

test('makes the Lease when there is none, and leads', async () => {
  const elector = electorOf('a');
  const term = await elector.acquire(stop.signal);
  expect(elector).toMatchObject({ state: 'Leading', holder: 'a' });
  expect(term?.isLeader()).toBe(true);
  expect(lease.writes).toEqual([
    {
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      renewTime: '2023-11-14T22:13:20.000000Z',
      acquireTime: '2023-11-14T22:13:20.000000Z',
    },
  ]);
  await term?.release();
});

test('renews every two seconds, without reading first', async () => {
  const term = await lead();
  await turning(() => lease.writes.length === 4);
  expect(clock.now() - 1_700_000_000_000).toBeGreaterThanOrEqual(6_000);
  expect(server.exchanges.map((it) => it.method)).toEqual(['GET', 'POST', 'PATCH', 'PATCH', 'PATCH']);
  expect(lease.spec).toMatchObject({ leaseTransitions: 0, acquireTime: '2023-11-14T22:13:20.000000Z' });
  await term.release();
});

test.each(['1999-01-01T00:00:00.000000Z', '2099-01-01T00:00:00.000000Z'])(
  'takes over 15 s after the last change it saw, whatever the leader believes the time to be (%s)',
  async (renewTime) => {
    lease.write({ holderIdentity: 'dead', leaseDurationSeconds: 15, leaseTransitions: 3, renewTime });
    const elector = electorOf('a');
    const acquired = elector.acquire(stop.signal);
    await until(() => elector.holder === 'dead');
    await clock.advance(14_900);
    expect(lease.writes).toEqual([]);
    await turning(() => elector.state === 'Leading');
    expect(clock.now() - 1_700_000_000_000).toBeLessThanOrEqual(16_000);
    expect(lease.spec).toMatchObject({ holderIdentity: 'a', leaseTransitions: 4 });
    await (await acquired)?.release();
  },
);

test('does not take over from a leader that gives signs of life', async () => {
  lease.write({ holderIdentity: 'b', leaseDurationSeconds: 15, renewTime: '0' });
  const elector = electorOf('a');
  const acquired = elector.acquire(stop.signal);
  for (let n = 1; n <= 60; n++) {
    lease.write({ renewTime: String(n) });
    await clock.advance(1_000);
  }
  expect(elector).toMatchObject({ state: 'Following', holder: 'b' });
  expect(lease.writes).toEqual([]);
  stop.abort();
  expect(await acquired).toBeUndefined();
  expect(elector.state).toBe('Idle');
  expect(clock.sleepers).toBe(0);
});

test('hands over at once when released; the next waits no lease out', async () => {
  const term = await lead('a');
  const follower = electorOf('b');
  const acquired = follower.acquire(stop.signal);
  await until(() => follower.holder === 'a');
  await term.release();
  await term.release();
  expect(term.isLeader()).toBe(false);
  expect(term.lost.aborted).toBe(false);
  expect(lease.spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
  const released = clock.now();
  await turning(() => follower.state === 'Leading');
  expect(clock.now() - released).toBeLessThanOrEqual(4_500);
  await (await acquired)?.release();
});

test.each(['error', 'hang', 'lost request'] as const)(
  'is lost when no renewal gets through for 10 s (%s), and says so in time',
  async (weather) => {
    const term = await lead();
    lease.weather = weather;
    await clock.advance(9_900);
    await settled();
    expect(term.isLeader()).toBe(true);
    await clock.advance(100);
    expect(term.isLeader()).toBe(false);
    await until(() => term.lost.aborted);
    expect(String(term.lost.reason)).toContain('not renewed for 10000 ms');
    await term.release();
    await until(() => clock.sleepers === 0);
  },
);

test('counts from when a renewal was sent, not from when its answer came', async () => {
  const term = await lead();
  let answer = () => {};
  server.script('other', (exchange, response) => {
    answer = () => lease.reply(exchange, response);
  });
  const requests = server.exchanges.length;
  await turning(() => server.exchanges.length > requests);
  const sent = clock.now();
  await clock.advance(4_000);
  server.script('other', lease.reply);
  const writes = lease.writes.length;
  answer();
  await until(() => lease.writes.length > writes);
  await settled();
  lease.weather = 'hang';
  await clock.advance(sent + 9_800 - clock.now());
  expect(term.isLeader()).toBe(true);
  await clock.advance(200);
  expect(term.isLeader()).toBe(false);
});

test('survives an outage that is shorter than the deadline', async () => {
  const term = await lead();
  lease.weather = 'error';
  const requests = server.exchanges.length;
  await turning(() => server.exchanges.length === requests + 3);
  lease.weather = 'fine';
  const writes = lease.writes.length;
  await turning(() => lease.writes.length > writes + 3);
  expect(term.isLeader()).toBe(true);
  await term.release();
});

test('goes on leading when the answer to a renewal was lost', async () => {
  const term = await lead();
  lease.weather = 'lost answer';
  await turning(() => lease.writes.length === 2);
  lease.weather = 'fine';
  await turning(() => lease.writes.length === 4);
  expect(term.isLeader()).toBe(true);
  expect(lease.spec).toMatchObject({ holderIdentity: 'a', leaseTransitions: 0 });
  await term.release();
  expect(lease.spec?.holderIdentity).toBe('');
});

test('is lost at once when somebody else holds the lease', async () => {
  const term = await lead();
  lease.write({ holderIdentity: 'thief', renewTime: 'x' });
  await turning(() => term.lost.aborted);
  expect(String(term.lost.reason)).toContain('taken by thief');
  expect(lease.spec?.holderIdentity).toBe('thief');
});

test('makes the Lease anew when somebody deletes it', async () => {
  const term = await lead();
  lease.spec = undefined;
  await turning(() => lease.spec !== undefined);
  expect(term.isLeader()).toBe(true);
  await term.release();
});

test('a process that was frozen is no leader when it wakes, before it has looked at anything', async () => {
  let frozenMs = 0;
  const stopped = await clientOf(server.url, {
    clock: {
      now: () => clock.now() + frozenMs,
      monotonic: () => clock.monotonic() + frozenMs,
      sleep: (ms, signal) => clock.sleep(ms, signal),
    },
  });
  const term = await electorOf('a', stopped).acquire(stop.signal);
  expect(term?.isLeader()).toBe(true);
  frozenMs = 20_000;
  expect(term?.isLeader()).toBe(false);
  const writes = lease.writes.length;
  await clock.advance(2_000);
  expect(term?.lost.aborted).toBe(true);
  expect(lease.writes.length).toBe(writes);
  await stopped.close();
});

test('gives the lease back when it was stopped in the middle of getting it', async () => {
  const elector = electorOf('a');
  const acquired = elector.acquire(stop.signal);
  stop.abort();
  expect(await acquired).toBeUndefined();
  expect(elector.state).toBe('Idle');
  expect(lease.spec?.holderIdentity ?? '').toBe('');
  expect(clock.sleepers).toBe(0);
});

test('can lead again after it was lost', async () => {
  const elector = electorOf('a');
  const first = await elector.acquire(stop.signal);
  lease.weather = 'error';
  await turning(() => first?.lost.aborted);
  lease.weather = 'fine';
  const second = elector.acquire(stop.signal);
  await turning(() => elector.state === 'Leading');
  expect((await second)?.isLeader()).toBe(true);
  expect(first?.isLeader()).toBe(false);
  await (await second)?.release();
});

test('refuses times that leave no safety, and to be used twice at once', async () => {
  const options = { client, namespace: 'ns', name: 'l', identity: 'a' };
  expect(() => new LeaderElector({ ...options, leaseMs: 10_000 })).toThrow(
    'expected leaseMs > renewDeadlineMs',
  );
  const elector = new LeaderElector(options);
  const term = await elector.acquire(stop.signal);
  await expect(elector.acquire(stop.signal)).rejects.toThrow(
    'expected the elector to be Idle, it is Leading',
  );
  await term?.release();
});
