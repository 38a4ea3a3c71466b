import { readFileSync } from 'node:fs';
import { createServer as createHttp, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { until } from './until.ts';

/** A request as it came. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

export type Reply = (exchange: Exchange, response: ServerResponse) => void;

type Kind = 'list' | 'watch' | 'other';

/** Self-signed for localhost and 127.0.0.1, so each is its own CA. */
export function certificate(which: 'first' | 'second'): { readonly cert: string; readonly key: string } {
  const read = (name: string) => readFileSync(new URL(`tls/${which}.${name}`, import.meta.url), 'utf8');
  return { cert: read('crt'), key: read('key') };
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Reply {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
}

/** What the API server says when it says no. */
export function refuse(
  code: number,
  reason: string,
  extra: object = {},
  headers: Record<string, string> = {},
): Reply {
  return json(
    {
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      code,
      reason,
      message: `fake: ${reason}`,
      ...extra,
    },
    code,
    headers,
  );
}

/** A page of a list. */
export function list(resourceVersion: string, items: readonly object[], next?: string): Reply {
  return json({ kind: 'List', metadata: { resourceVersion, continue: next ?? '' }, items });
}

/** TCP reset before any answer. */
export const reset: Reply = (_, response) => {
  (response.socket as Socket).resetAndDestroy();
};

/** No answer, ever. */
export const hang: Reply = () => {};

/** A watch that ends in order at once. */
export const quietClose: Reply = (_, response) => {
  response.writeHead(200).end();
};

/** A watch that is open, as the server sees it. */
export class OpenWatch {
  readonly exchange: Exchange;
  readonly #response: ServerResponse;

  constructor(exchange: Exchange, response: ServerResponse) {
    this.exchange = exchange;
    this.#response = response;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
  }

  get isOpen(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded;
  }

  send(type: string, object: object): void {
    this.raw(`${JSON.stringify({ type, object })}\n`);
  }

  bookmark(resourceVersion: string): void {
    this.send('BOOKMARK', { metadata: { resourceVersion } });
  }

  raw(text: string | Buffer): void {
    this.#response.write(text);
  }

  end(): void {
    this.#response.end();
  }

  reset(): void {
    (this.#response.socket as Socket).resetAndDestroy();
  }
}

/**
 * An API server that does what a test tells it, mostly wrong things: lists, watches and everything else have a script
 * of replies each, of which the last one stays. What Kubernetes really does is asked of the real one (test/api).
 */
export class FakeApiServer implements AsyncDisposable {
  readonly exchanges: Exchange[] = [];
  readonly watches: OpenWatch[] = [];
  /** TLS handshakes, or TCP connections without TLS. */
  connections = 0;
  readonly #scripts: Record<Kind, Reply[]> = { list: [list('1', [])], watch: [], other: [] };
  readonly #sockets = new Set<Socket>();
  readonly #server: ReturnType<typeof createHttp>;
  readonly #scheme: string;

  private constructor(tls: 'first' | 'second' | undefined) {
    const serve = (exchange: Exchange, response: ServerResponse) => this.#serve(exchange, response);
    const onRequest: Parameters<typeof createHttp>[1] = (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const url = new URL(request.url ?? '/', 'http://fake');
        const text = Buffer.concat(chunks).toString();
        serve(
          {
            method: request.method ?? '',
            path: url.pathname,
            query: Object.fromEntries(url.searchParams),
            headers: request.headers,
            body: text === '' ? undefined : JSON.parse(text),
          },
          response,
        );
      });
    };
    this.#scheme = tls === undefined ? 'http' : 'https';
    this.#server = tls === undefined ? createHttp(onRequest) : createHttps(certificate(tls), onRequest);
    this.#server.on(tls === undefined ? 'connection' : 'secureConnection', () => (this.connections += 1));
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
  }

  static async start(
    options: { readonly tls?: 'first' | 'second'; readonly port?: number } = {},
  ): Promise<FakeApiServer> {
    const fake = new FakeApiServer(options.tls);
    await new Promise<void>((resolve, reject) => {
      fake.#server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    return fake;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Sockets that are open. */
  get openSockets(): number {
    return this.#sockets.size;
  }

  get openWatches(): readonly OpenWatch[] {
    return this.watches.filter((it) => it.isOpen);
  }

  count(kind: Kind): number {
    return this.exchanges.filter((it) => kindOf(it) === kind).length;
  }

  /** What lists, watches, and all other requests get from now on; a watch without a script stays open (`nextWatch`). */
  script(kind: Kind, ...replies: Reply[]): void {
    this.#scripts[kind] = replies;
  }

  /** The `n`th watch (from 1) that was left open, once it is there. */
  async nthWatch(n: number): Promise<OpenWatch> {
    await until(() => this.watches.length >= n, { what: `watch number ${n}`, interval: 5 });
    return this.watches[n - 1] as OpenWatch;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(exchange: Exchange, response: ServerResponse): void {
    this.exchanges.push(exchange);
    const script = this.#scripts[kindOf(exchange)];
    const reply = script.length > 1 ? script.shift() : script[0];
    if (reply !== undefined) reply(exchange, response);
    else if (kindOf(exchange) === 'watch') this.watches.push(new OpenWatch(exchange, response));
    else refuse(404, 'NotFound')(exchange, response);
  }
}

/** A watch that stays open, in a script of others. */
export function stayOpen(server: FakeApiServer): Reply {
  return (exchange, response) => void server.watches.push(new OpenWatch(exchange, response));
}

function kindOf({ method, path, query }: Exchange): Kind {
  if (query['watch'] === 'true') return 'watch';
  return method === 'GET' && /\/(pods|configmaps)$/.test(path) ? 'list' : 'other';
}
