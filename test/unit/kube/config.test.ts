import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { KubeClient } from '../../../src/kube/api.ts';
import { loadKubeConfig } from '../../../src/kube/config.ts';
import { CONFIG_MAPS } from '../../../src/kube/resources.ts';
import { certificate, type Exchange, FakeApiServer, json, refuse } from '../../support/fake-api-server.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { KubeConfigFile } from '../../support/kube-client.ts';
import { until } from '../../support/until.ts';

let server: FakeApiServer;
let clock: FakeClock;
let file: KubeConfigFile;
let client: KubeClient;

beforeEach(async () => {
  clock = new FakeClock();
  server = await FakeApiServer.start({ tls: 'first' });
  server.script('other', json({}));
  file = new KubeConfigFile({});
});

afterEach(async () => {
  await client?.close();
  await server[Symbol.asyncDispose]();
  file[Symbol.dispose]();
});

/** The CA lies in a file of its own, as it does in a pod. */
async function connect(user: object = {}): Promise<void> {
  trust('first');
  file.write(cluster(), user);
  const credentials = await loadKubeConfig({ path: file.path, clock });
  client = new KubeClient({ credentials, userAgent: 'test/1', clock, rate: { perSecond: 1e6, burst: 1e6 } });
}

function cluster(): object {
  return { server: server.url, 'certificate-authority': 'ca.crt' };
}

function trust(...which: ('first' | 'second')[]): void {
  writeFileSync(join(file.dir, 'ca.crt'), which.map((it) => certificate(it).cert).join(''));
}

function authorization(exchange: Exchange | undefined): string | undefined {
  return exchange?.headers.authorization;
}

test('500 requests one after the other share a connection', async () => {
  await connect();
  for (let n = 0; n < 500; n++) await client.getPath('/version');
  expect(server.exchanges.length).toBe(500);
  expect(server.connections).toBeLessThanOrEqual(3);
});

test('500 requests at once share 16 connections, and watches take none of them', async () => {
  await connect();
  const abort = new AbortController();
  const watches = Array.from({ length: 20 }, () =>
    client.watch(CONFIG_MAPS, { resourceVersion: '1', signal: abort.signal }),
  );
  await Promise.all(watches);
  expect(server.connections).toBe(20);
  await Promise.all(Array.from({ length: 500 }, () => client.getPath('/version')));
  expect(server.connections - 20).toBeLessThanOrEqual(16);
  abort.abort();
  await until(() => server.openWatches.length === 0);
});

test('a CA bundle that grows is taken up by new connections, and what is open lives on', async () => {
  await connect();
  const abort = new AbortController();
  const watch = await client.watch(CONFIG_MAPS, { resourceVersion: '1', signal: abort.signal });
  await client.getPath('/version');
  const before = server.connections;
  trust('first', 'second');
  for (let n = 0; n < 20; n++) await client.getPath('/version');
  // undici may open a second one when a request follows an answer very closely.
  expect(server.connections - before).toBeGreaterThanOrEqual(1);
  expect(server.connections - before).toBeLessThanOrEqual(2);
  (await server.nthWatch(1)).bookmark('7');
  expect((await watch.next()).value).toEqual({ type: 'BOOKMARK', resourceVersion: '7' });
  abort.abort();
});

test('old connections are cut by close, and when they are ten minutes old', async () => {
  await connect();
  const open = () =>
    client.watch(CONFIG_MAPS, { resourceVersion: '1', signal: new AbortController().signal });
  const oldest = await open();
  trust('first', 'second');
  const old = await open();
  await clock.advance(600_000);
  await expect(oldest.next()).rejects.toMatchObject({ code: 'ASYNQ_KUBE_UNREACHABLE' });
  expect(server.openWatches.length).toBe(1);
  trust('first');
  await client.getPath('/version');
  await client.close();
  await expect(old.next()).rejects.toMatchObject({ code: 'ASYNQ_KUBE_UNREACHABLE' });
  await until(() => clock.sleepers === 0);
});

test('follows a server to another CA', async () => {
  await connect();
  await client.getPath('/version');
  const { port } = server;
  await server[Symbol.asyncDispose]();
  server = await FakeApiServer.start({ tls: 'second', port });
  server.script('other', json({ moved: true }));
  await expect(client.getPath('/version', { retry: false })).rejects.toMatchObject({ status: 0 });
  trust('second');
  expect(await client.getPath('/version', { retry: false })).toEqual({ moved: true });
});

test('a token in a file is read again after a minute', async () => {
  const tokenFile = join(file.dir, 'token');
  writeFileSync(tokenFile, 'one');
  await connect({ 'auth-provider': { name: 'tokenFile', config: { tokenFile } } });
  await client.getPath('/version');
  writeFileSync(tokenFile, 'two');
  await client.getPath('/version');
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
  await client.getPath('/version').finally(() => vi.useRealTimers());
  expect(server.exchanges.map(authorization)).toEqual(['Bearer one', 'Bearer one', 'Bearer two']);
});

test('credentials that are refused are read anew, once, and not in a loop', async () => {
  await connect({ token: 'old' });
  server.script('other', (exchange, response) => {
    const reply = authorization(exchange) === 'Bearer new' ? json({ ok: true }) : refuse(401, 'Unauthorized');
    reply(exchange, response);
  });
  file.write(cluster(), { token: 'new' });
  await expect(client.getPath('/version')).rejects.toMatchObject({ status: 401 });
  await clock.advance(10_000);
  expect(await client.getPath('/version')).toEqual({ ok: true });
  expect(server.exchanges.map(authorization)).toEqual([
    'Bearer old',
    'Bearer old',
    'Bearer old',
    'Bearer new',
  ]);
});

test('an exec plugin runs once for all requests that wait for it', async () => {
  const runs = join(file.dir, 'runs');
  writeFileSync(runs, '');
  const script = `
    require('fs').appendFileSync(${JSON.stringify(runs)}, 'x');
    console.log(JSON.stringify({ kind: 'ExecCredential', status: { token: 'from-plugin' } }));`;
  await connect({
    exec: { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', script] },
  });
  await Promise.all(Array.from({ length: 10 }, () => client.getPath('/version')));
  expect(readFileSync(runs, 'utf8')).toBe('x');
  expect(new Set(server.exchanges.map(authorization))).toEqual(new Set(['Bearer from-plugin']));
});

test('an exec plugin that fails, or is not there, is told in its own words', async () => {
  await connect({
    exec: { command: process.execPath, args: ['-e', 'console.error("log in first"); process.exit(1)'] },
  });
  await expect(client.getPath('/version')).rejects.toMatchObject({
    code: 'ASYNQ_KUBE_CONFIG',
    message: expect.stringContaining('no credentials: log in first'),
  });
  await client.close();
  await connect({ exec: { command: '/does/not/exist' } });
  await expect(client.getPath('/version')).rejects.toThrow('ENOENT');
});

test('an exec plugin that hangs holds no request beyond its time', async () => {
  await connect({ exec: { command: process.execPath, args: ['-e', 'setTimeout(() => {}, 2000)'] } });
  const answer = client.getPath('/version').catch((it: unknown) => it);
  await clock.advance(15_000);
  expect(await answer).toMatchObject({ code: 'ASYNQ_KUBE_TIMEOUT' });
});

test('a server whose certificate is not trusted is not spoken to', async () => {
  await connect();
  trust('second');
  await expect(client.getPath('/version', { retry: false })).rejects.toThrow(
    /self-signed certificate|unable to verify/,
  );
  expect(server.exchanges).toEqual([]);
});

test('after close nothing is sent', async () => {
  await connect();
  await client.close();
  await client.close();
  await expect(client.getPath('/version')).rejects.toMatchObject({ code: 'ASYNQ_CLOSED' });
});

test.each([
  ['no file', { path: '/does/not/exist' }, 'ENOENT'],
  ['no such context', { context: 'other' }, 'expected the context to be one of x, got other'],
])('%s: an error that says what was expected', async (_, options, message) => {
  file.write(cluster());
  const config = loadKubeConfig({ path: file.path, ...options });
  await expect(config).rejects.toMatchObject({
    code: 'ASYNQ_KUBE_CONFIG',
    message: expect.stringContaining(message),
  });
});

test('a kubeconfig that is no YAML is told with its path', async () => {
  writeFileSync(file.path, 'a: [');
  await expect(loadKubeConfig({ path: file.path })).rejects.toThrow(file.path);
});
