import { afterEach, describe, expect, test } from 'vitest';
import { AsynqError } from '../../../src/runtime/errors.ts';
import { type HttpRoute, type HttpServer, probe, serveHttp } from '../../../src/runtime/http.ts';
import { silentLogger } from '../../../src/runtime/logger.ts';
import { createRegistry, metricsRoute } from '../../../src/runtime/metrics.ts';

const open: HttpServer[] = [];
afterEach(() => Promise.all(open.splice(0).map((server) => server.close())));

async function serve(
  routes: Record<string, HttpRoute>,
): Promise<(path: string, init?: RequestInit) => Promise<Response>> {
  const server = await serveHttp({ host: '127.0.0.1', port: 0, routes, log: silentLogger });
  open.push(server);
  return (path, init) => fetch(`http://127.0.0.1:${server.port}${path}`, init);
}

describe('the HTTP server', () => {
  test('answers GET and HEAD on its routes, whatever the query', async () => {
    const get = await serve({ '/healthz': probe(() => undefined) });
    const response = await get('/healthz?verbose=1');
    expect([response.status, await response.text()]).toEqual([200, 'ok\n']);
    const head = await get('/healthz', { method: 'HEAD' });
    expect([head.status, await head.text(), head.headers.get('content-length')]).toEqual([200, '', '3']);
  });

  test('a probe that has a problem says it with 503', async () => {
    const get = await serve({ '/readyz': probe(() => 'starting') });
    const response = await get('/readyz');
    expect([response.status, await response.text()]).toEqual([503, 'starting\n']);
  });

  test('refuses other paths and other methods', async () => {
    const get = await serve({ '/healthz': probe(() => undefined) });
    expect((await get('/')).status).toBe(404);
    expect((await get('/__proto__')).status).toBe(404);
    const post = await get('/healthz', { method: 'POST' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('a route that throws is a 500 and hurts no other request', async () => {
    const get = await serve({
      '/bad': () => Promise.reject(new Error('secret detail')),
      '/good': probe(() => undefined),
    });
    const bad = await get('/bad');
    expect([bad.status, await bad.text()]).toEqual([500, 'internal error\n']);
    expect((await get('/good')).status).toBe(200);
  });

  test('serves metrics in the format of Prometheus', async () => {
    const get = await serve({ '/metrics': metricsRoute(createRegistry()) });
    const response = await get('/metrics');
    expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(await response.text()).toContain('# TYPE process_cpu_seconds_total counter');
  });

  test('says which address it could not have', async () => {
    const { port } = await serveHttp({ host: '127.0.0.1', port: 0, routes: {}, log: silentLogger }).then(
      (server) => {
        open.push(server);
        return server;
      },
    );
    const second = serveHttp({ host: '127.0.0.1', port, routes: {}, log: silentLogger });
    await expect(second).rejects.toSatisfy((error) => AsynqError.is(error, 'ASYNQ_CONFIG_INVALID'));
    await expect(second).rejects.toThrow(`got 127.0.0.1:${port}: `);
  });

  test('closes while a client keeps its connection', async () => {
    const server = await serveHttp({ host: '127.0.0.1', port: 0, routes: {}, log: silentLogger });
    await fetch(`http://127.0.0.1:${server.port}/`).then((response) => response.text());
    await server.close();
    await server.close();
    await expect(fetch(`http://127.0.0.1:${server.port}/`)).rejects.toThrow('fetch failed');
  });
});
