import { createServer, type Server, type Socket } from 'node:net';

/** RESP for what a test server says. */
export const resp = {
  ok: '+OK\r\n',
  error: (text: string): string => `-${text}\r\n`,
  integer: (value: number): string => `:${value}\r\n`,
  bulk: (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`,
  list: (...items: string[]): string => `*${items.length}\r\n${items.join('')}`,
};

export interface FakeConnection {
  /** Ends it without a word, as a crash does. */
  readonly drop: () => void;
  /** Ends it in good order, as a server does with a client that has been idle for long. */
  readonly end: () => void;
  /** What it has to say later. */
  readonly send: (answer: string) => void;
}

/** What the server says to a command; undefined: nothing, ever. */
export type Answer = (command: readonly string[], connection: FakeConnection) => string | undefined;

/**
 * A server in this process that speaks just enough RESP to do what a real Redis does only in bad times: be too old, refuse
 * connections, fall silent, drop what it was asked. What a healthy one does is tried on a healthy one.
 */
export class FakeRedis implements AsyncDisposable {
  /** All commands that came, HELLO included, in the order in which they came. */
  readonly commands: string[][] = [];
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #answer: Answer;

  private constructor(answer: Answer) {
    this.#answer = answer;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(answer: Answer): Promise<FakeRedis> {
    const fake = new FakeRedis(answer);
    await new Promise<void>((resolve, reject) => {
      fake.#server.once('error', reject).listen(0, '127.0.0.1', resolve);
    });
    return fake;
  }

  get addr(): string {
    const address = this.#server.address();
    return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  /** Connections that neither side has ended. */
  get open(): number {
    return this.#sockets.size;
  }

  /** The commands with this name, without it. */
  received(name: string): string[][] {
    return this.commands.filter(([first]) => first?.toUpperCase() === name).map(([, ...args]) => args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    let rest = '';
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (chunk) => {
      rest += chunk.toString('latin1');
      for (let command = takeCommand(rest); command !== undefined; command = takeCommand(rest)) {
        rest = command.rest;
        this.commands.push(command.words);
        const answer = this.#answer(command.words, {
          drop: () => socket.destroy(),
          end: () => socket.end(),
          send: (later) => socket.write(later),
        });
        if (answer !== undefined && !socket.destroyed) socket.write(answer);
      }
    });
  }
}

/** The first whole command of `text`, a list of bulk strings, and what follows it. */
function takeCommand(text: string): { words: string[]; rest: string } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return undefined;
  const words: string[] = [];
  let at = head[0].length;
  while (words.length < Number(head[1])) {
    const length = /^\$(\d+)\r\n/.exec(text.slice(at));
    if (length === null) return undefined;
    const from = at + length[0].length;
    const to = from + Number(length[1]);
    if (text.length < to + 2) return undefined;
    words.push(text.slice(from, to));
    at = to + 2;
  }
  return { words, rest: text.slice(at) };
}

/** The answer to HELLO of a healthy server. */
export function hello(version = '7.0.15'): string {
  return resp.list(resp.bulk('server'), resp.bulk('redis'), resp.bulk('version'), resp.bulk(version));
}
