import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * Stands between a client and a server, and on demand ends a connection when the server has done what it was asked to
 * and its reply is on the way: the client cannot know whether it was done.
 */
export class ReplyCutter implements AsyncDisposable {
  readonly addr: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #word: string | undefined;

  constructor(server: Server, upstream: { host: string; port: number }) {
    this.#server = server;
    this.addr = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (client) => this.#join(client, connect(upstream)));
  }

  static async before(upstream: string): Promise<ReplyCutter> {
    const [host = '', port] = upstream.split(':');
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new ReplyCutter(server, { host, port: Number(port) });
  }

  /** Cuts the next reply to a request that holds this word. */
  cutNext(word: string): void {
    this.#word = word;
  }

  /** Whether what `cutNext` asked for has happened. */
  get hasCut(): boolean {
    return this.#word === undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket, upstream: Socket): void {
    let cutting = false;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    client.on('data', (request) => {
      if (this.#word !== undefined && request.includes(this.#word)) cutting = true;
      upstream.write(request);
    });
    upstream.on('data', (reply) => {
      if (cutting) {
        this.#word = undefined;
        end();
      } else client.write(reply);
    });
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket);
      socket.on('error', end).on('close', () => {
        this.#sockets.delete(socket);
        end();
      });
    }
  }
}
