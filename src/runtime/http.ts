import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AsynqError, errorText } from './errors.ts';
import type { Logger } from './logger.ts';

export interface HttpReply {
  readonly status: number;
  readonly body: string;
  /** @default 'text/plain; charset=utf-8' */
  readonly contentType?: string;
}

export type HttpRoute = () => HttpReply | Promise<HttpReply>;

export interface HttpOptions {
  /** @default all interfaces: a kubelet's probes come over the pod's network */
  readonly host?: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Path -> what answers GET and HEAD on it. */
  readonly routes: Readonly<Record<string, HttpRoute>>;
  readonly log: Logger;
}

export interface HttpServer {
  /** The port that is listened on. */
  readonly port: number;
  /** Also ends the connections that are open; harmless when done before. */
  close(): Promise<void>;
}

/** A route for probes: 200 `ok` when `problem` says nothing, else 503 with its words. */
export function probe(problem: () => string | undefined): HttpRoute {
  return () => {
    const words = problem();
    return words === undefined ? { status: 200, body: 'ok\n' } : { status: 503, body: `${words}\n` };
  };
}

/**
 * Serves health and metrics.
 *
 * @throws ASYNQ_CONFIG_INVALID when the address cannot be listened on
 */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const server = createServer((request, response) => void answer(request, response, options));
  await new Promise<void>((resolve, reject) => {
    server.on('error', (cause) => {
      const where = `${options.host ?? '*'}:${options.port}`;
      const message = `expected an address to serve HTTP on, got ${where}: ${errorText(cause)}`;
      reject(new AsynqError('ASYNQ_CONFIG_INVALID', message, { cause }));
    });
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpOptions,
): Promise<void> {
  const { status, body, contentType = 'text/plain; charset=utf-8' } = await replyTo(request, options);
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function replyTo(request: IncomingMessage, { routes, log }: HttpOptions): Promise<HttpReply> {
  const path = request.url?.split('?', 1)[0] ?? '/';
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (route === undefined) return { status: 404, body: 'not found\n' };
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { status: 405, body: 'method not allowed\n' };
  }
  try {
    return await route();
  } catch (err) {
    log.error({ err, path }, 'an HTTP route failed');
    return { status: 500, body: 'internal error\n' };
  }
}
