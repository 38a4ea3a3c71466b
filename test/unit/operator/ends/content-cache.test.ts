import { afterEach, beforeEach, expect, it } from 'vitest';
import type { KubeClient } from '../../../../src/kube/api.ts';
import { ContentCache } from '../../../../src/operator/ends/content-cache.ts';
import { FakeApiServer, hang, json, refuse } from '../../../support/fake-api-server.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { clientOf } from '../../../support/kube-client.ts';
import { until } from '../../../support/until.ts';

let server: FakeApiServer;
let clock: FakeClock;
let client: KubeClient;
let cache: ContentCache;

beforeEach(async () => {
  server = await FakeApiServer.start();
  clock = new FakeClock();
  client = await clientOf(server.url, { clock });
  cache = new ContentCache(client);
});

afterEach(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
});

const secret = (password: string) => json({ metadata: { name: 'redis' }, data: { password } });
const read = () => cache.secret('media', 'redis');

it('reads once what many ask for, and believes it for a while', async () => {
  server.script('other', secret('first'));
  expect(await Promise.all([read(), read()])).toEqual([{ password: 'first' }, { password: 'first' }]);
  clock.block(29_999);
  await read();
  expect(server.exchanges).toHaveLength(1);
});

it('lets nobody wait for a Secret that it holds to be read again', async () => {
  server.script('other', secret('first'), hang);
  await read();
  clock.block(30_000);
  expect(await read()).toEqual({ password: 'first' });
  await until(() => server.exchanges.length === 2, { what: 'a second request' });
  expect(await read()).toEqual({ password: 'first' });
});

it('has what changed as soon as it is read', async () => {
  server.script('other', secret('first'), secret('second'));
  await read();
  clock.block(30_000);
  await read();
  await until(async () => (await read())?.['password'] === 'second', { what: 'the second password' });
  expect(server.exchanges).toHaveLength(2);
});

it('does not give what it read when somebody last asked long ago', async () => {
  server.script('other', secret('first'), secret('second'));
  await read();
  clock.block(3_600_000);
  expect(await read()).toEqual({ password: 'second' });
});

it('gives what a ConfigMap holds now', async () => {
  const handlers = (code: string) => json({ metadata: { name: 'handlers' }, data: { code } });
  server.script('other', handlers('first'), handlers('second'));
  await cache.configMap('media', 'handlers');
  clock.block(30_000);
  expect(await cache.configMap('media', 'handlers')).toEqual({ code: 'second' });
});

it('asks before it says that something is still missing', async () => {
  server.script('other', refuse(404, 'NotFound'), secret('first'));
  expect(await read()).toBeUndefined();
  clock.block(3_000);
  expect(await read()).toEqual({ password: 'first' });
});
