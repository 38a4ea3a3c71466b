import nock from 'nock';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KubeClient } from '../../../src/kube/api.ts';
import { loadKubeConfig } from '../../../src/kube/config.ts';
import { isConflict, isGone, isInvalid, isNotFound } from '../../../src/kube/kube-error.ts';
import { CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, PODS } from '../../../src/kube/resources.ts';
import { FakeClock, settled } from '../../support/fake-clock.ts';
import { clientOf, KubeConfigFile } from '../../support/kube-client.ts';
import { until } from '../../support/until.ts';

const SERVER = 'http://kube.test:6443';
const REF = { namespace: 'ns', name: 'web' };

async function withUser(user: object, clock: FakeClock): Promise<KubeClient> {
  using file = new KubeConfigFile({ server: SERVER, 'insecure-skip-tls-verify': true }, user);
  return new KubeClient({
    credentials: await loadKubeConfig({ path: file.path, clock }),
    userAgent: 'test/1',
    clock,
  });
}

let clock: FakeClock;
let client: KubeClient;

beforeEach(async () => {
  nock.disableNetConnect();
  clock = new FakeClock();
  client = await clientOf(SERVER, { clock });
});

afterEach(async () => {
  await client.close();
  nock.cleanAll();
  nock.enableNetConnect();
});

describe('requests as they go over the wire', () => {
  test('apply: an apply patch with the manager, apiVersion and kind filled in', async () => {
    const scope = nock(SERVER, {
      reqheaders: { 'content-type': 'application/apply-patch+yaml', 'user-agent': 'test/1' },
    })
      .patch('/apis/apps/v1/namespaces/ns/deployments/web', {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: REF,
        spec: { paused: true },
      })
      .query({ fieldManager: 'me', force: 'true' })
      .reply(200, { metadata: { ...REF, resourceVersion: '7' } });
    const applied = await client.apply(
      DEPLOYMENTS,
      { metadata: REF, spec: { paused: true } },
      { fieldManager: 'me' },
    );
    expect(applied.metadata.resourceVersion).toBe('7');
    expect(scope.isDone()).toBe(true);
  });

  test('apply to a subresource, without force, as a dry run', async () => {
    const scope = nock(SERVER)
      .patch('/apis/apps/v1/namespaces/ns/deployments/web/status')
      .query({ fieldManager: 'me', force: 'false', dryRun: 'All' })
      .reply(200, { metadata: REF });
    await client.apply(
      DEPLOYMENTS,
      { metadata: REF, status: {} },
      { fieldManager: 'me', force: false, subresource: 'status', dryRun: true },
    );
    expect(scope.isDone()).toBe(true);
  });

  test('scale: applies the number and nothing else', async () => {
    const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: REF, spec: { replicas: 3 } };
    const scope = nock(SERVER, { reqheaders: { 'content-type': 'application/apply-patch+yaml' } })
      .patch('/apis/apps/v1/namespaces/ns/deployments/web/scale', scale)
      .query({ fieldManager: 'me', force: 'true' })
      .reply(200, scale);
    expect((await client.scale(DEPLOYMENTS, REF, 3, { fieldManager: 'me' })).spec?.replicas).toBe(3);
    expect(scope.isDone()).toBe(true);
  });

  test('mergePatch: what changes, to a subresource too', async () => {
    const scope = nock(SERVER, { reqheaders: { 'content-type': 'application/merge-patch+json' } })
      .patch('/apis/apps/v1/namespaces/ns/deployments/web/status', { status: { replicas: null } })
      .query({ fieldManager: 'me' })
      .reply(200, { metadata: REF });
    const patch = { status: { replicas: null } };
    await client.mergePatch(DEPLOYMENTS, REF, patch, { fieldManager: 'me', subresource: 'status' });
    expect(scope.isDone()).toBe(true);
  });

  test('create, get and delete, in and outside of namespaces', async () => {
    nock(SERVER)
      .post('/api/v1/namespaces/ns/configmaps', {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: REF,
        data: { a: 'b' },
      })
      .query({ fieldManager: 'me' })
      .reply(201, { metadata: REF });
    nock(SERVER)
      .get('/api/v1/namespaces/a%2Fb')
      .reply(200, { metadata: { name: 'a/b' } });
    nock(SERVER)
      .delete('/api/v1/namespaces/ns/configmaps/web', {
        propagationPolicy: 'Foreground',
        preconditions: { uid: 'u' },
      })
      .reply(200, { kind: 'Status' });
    await client.create(CONFIG_MAPS, { metadata: REF, data: { a: 'b' } }, { fieldManager: 'me' });
    expect((await client.get(NAMESPACES, { name: 'a/b' })).metadata.name).toBe('a/b');
    const options = { propagationPolicy: 'Foreground', preconditions: { uid: 'u' } } as const;
    expect(await client.delete(CONFIG_MAPS, REF, options)).toBe(true);
    expect(nock.isDone()).toBe(true);
  });

  test('delete of what is not there is no error', async () => {
    nock(SERVER).delete('/api/v1/namespaces/ns/configmaps/web').reply(404, { reason: 'NotFound', code: 404 });
    expect(await client.delete(CONFIG_MAPS, REF)).toBe(false);
  });

  test('a namespaced object without a namespace is a mistake that reaches no server', async () => {
    await expect(client.get(PODS, { name: 'x' })).rejects.toThrow(
      'expected a namespace for the Pod x, got none',
    );
  });
});

describe('failures', () => {
  test.each([
    [404, 'NotFound', isNotFound],
    [409, 'Conflict', isConflict],
    [410, 'Expired', isGone],
    [422, 'Invalid', isInvalid],
  ])('%i is told with what the server said', async (code, reason, is) => {
    nock(SERVER)
      .get('/api/v1/namespaces/ns/pods/web')
      .reply(code, { kind: 'Status', code, reason, message: 'because' });
    const error: unknown = await client.get(PODS, REF).catch((it: unknown) => it);
    expect(is(error)).toBe(true);
    expect(error).toMatchObject({
      name: 'KubeError',
      code: 'ASYNQ_KUBE_REFUSED',
      status: code,
      reason,
      message: `GET /api/v1/namespaces/ns/pods/web: ${code} because`,
    });
  });

  test('a proxy that answers in HTML is quoted', async () => {
    nock(SERVER).get('/version').reply(403, '<html>no</html>');
    await expect(client.getPath('/version')).rejects.toThrow('GET /version: 403 "<html>no</html>"');
  });

  test('waits as long as Retry-After says, and a bit', async () => {
    nock(SERVER).get('/version').reply(429, { reason: 'TooManyRequests' }, { 'retry-after': '3' });
    nock(SERVER).get('/version').reply(200, { gitVersion: 'v1' });
    const answer = client.getPath('/version');
    await until(() => nock.pendingMocks().length === 1 && clock.sleepers === 2);
    await clock.advance(3_099);
    expect(nock.pendingMocks().length).toBe(1);
    await clock.advance(1);
    expect(await answer).toEqual({ gitVersion: 'v1' });
    await settled();
    expect(clock.sleepers).toBe(0);
  });

  test('does not wait for a Retry-After beyond its time: the caller hears of it at once', async () => {
    nock(SERVER).get('/version').reply(429, { reason: 'TooManyRequests' }, { 'retry-after': '30' });
    const error: unknown = await client.getPath('/version').catch((it: unknown) => it);
    expect(error).toMatchObject({ status: 429, retryAfterMs: 30_000 });
  });

  test.each([500, 502, 503, 504])('repeats a GET answered with %i, four attempts in all', async (code) => {
    let attempts = 0;
    nock(SERVER)
      .get('/version')
      .times(5)
      .reply(() => {
        attempts += 1;
        return [code, {}];
      });
    const answer = client.getPath('/version').catch((it: unknown) => it);
    await until(async () => {
      await clock.advance(500);
      return attempts === 4;
    });
    expect(await answer).toMatchObject({ status: code });
    expect(attempts).toBe(4);
  });

  test('does not repeat a create that may have had its effect', async () => {
    nock(SERVER).post('/api/v1/namespaces/ns/configmaps').query(true).reply(500, {});
    const created = client.create(CONFIG_MAPS, { metadata: REF }, { fieldManager: 'me' });
    await expect(created).rejects.toMatchObject({ status: 500 });
  });

  test('repeats a create that was turned away at the door', async () => {
    nock(SERVER).post('/api/v1/namespaces/ns/configmaps').query(true).reply(429, {});
    nock(SERVER).post('/api/v1/namespaces/ns/configmaps').query(true).reply(201, { metadata: REF });
    const created = client.create(CONFIG_MAPS, { metadata: REF }, { fieldManager: 'me' });
    await until(() => clock.sleepers === 2);
    await clock.advance(1_000);
    expect((await created).metadata.name).toBe('web');
  });

  test('repeats nothing when told so', async () => {
    nock(SERVER).get('/version').reply(503, {});
    await expect(client.getPath('/version', { retry: false })).rejects.toMatchObject({ status: 503 });
  });

  test('does not repeat what the caller may not do any more', async () => {
    nock(SERVER).get('/version').reply(503, {}, { 'retry-after': '5' });
    const again = nock(SERVER).get('/version').reply(200, {});
    let isLeader = true;
    const beforeAttempt = () => {
      if (!isLeader) throw new Error('the lease is gone');
    };
    const answer = client.getPath('/version', { beforeAttempt }).catch((error: unknown) => error);
    await until(() => clock.sleepers === 2);
    isLeader = false;
    await clock.advance(10_000);
    expect(await answer).toMatchObject({ message: 'the lease is gone' });
    expect(again.isDone()).toBe(false);
  });

  test('ends when its signal aborts, with the reason of the signal', async () => {
    nock(SERVER).get('/version').reply(503, {}, { 'retry-after': '5' });
    const abort = new AbortController();
    const answer = client.getPath('/version', { signal: abort.signal });
    await until(() => clock.sleepers === 2);
    abort.abort(new Error('enough'));
    await expect(answer).rejects.toThrow('enough');
    expect(clock.sleepers).toBe(0);
  });

  test('an unreadable answer is repeated, then told', async () => {
    nock(SERVER).get('/version').times(4).reply(200, 'not json');
    const answer = client.getPath('/version').catch((it: unknown) => it);
    await until(async () => {
      await clock.advance(500);
      return nock.isDone();
    });
    expect(await answer).toMatchObject({
      code: 'ASYNQ_KUBE_ANSWER',
      message: 'GET /version: expected JSON, got "not json"',
    });
  });

  test('a list that is no list is not an empty one', async () => {
    nock(SERVER).get('/api/v1/pods').query(true).reply(200, { message: 'hello' });
    await expect(client.list(PODS)).rejects.toThrow('expected a list, got {"message":"hello"}');
  });
});

describe('the client-side rate limit', () => {
  test('lets the burst through and then one each 1/rate seconds; leases pass by', async () => {
    const limited = await clientOf(SERVER, { clock, rate: { perSecond: 10, burst: 2 } });
    nock(SERVER).get('/version').times(5).reply(200, {});
    let done = 0;
    const calls = [1, 2, 3, 4].map(() => limited.getPath('/version').then(() => (done += 1)));
    await until(() => done === 2);
    await settled();
    expect(done).toBe(2);
    await limited.getPath('/version', { throttle: false });
    await clock.advance(100);
    await until(() => done === 3);
    await clock.advance(100);
    await Promise.all(calls);
    await limited.close();
    expect(done).toBe(4);
  });

  test('a call that gives up gives its place back', async () => {
    const limited = await clientOf(SERVER, { clock, rate: { perSecond: 1, burst: 1 } });
    nock(SERVER).get('/version').times(2).reply(200, {});
    await limited.getPath('/version');
    await expect(
      Promise.all([limited.getPath('/version', { timeoutMs: 500 }), clock.advance(500)]),
    ).rejects.toThrow('no answer within 500 ms');
    const next = limited.getPath('/version');
    await clock.advance(500);
    expect(await next).toEqual({});
    await limited.close();
  });
});

describe('authentication', () => {
  test('a token, a name and a password', async () => {
    nock(SERVER).get('/version').matchHeader('authorization', 'Bearer secret').reply(200, { who: 'token' });
    nock(SERVER).get('/version').matchHeader('authorization', 'Basic YTpi').reply(200, { who: 'basic' });
    const byToken = await withUser({ token: 'secret' }, clock);
    const byPassword = await withUser({ username: 'a', password: 'b' }, clock);
    expect(await byToken.getPath('/version')).toEqual({ who: 'token' });
    expect(await byPassword.getPath('/version')).toEqual({ who: 'basic' });
    expect(byToken.namespace).toBe('ours');
  });
});
