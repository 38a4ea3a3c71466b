import type { ServerResponse } from 'node:http';
import { Dispatcher } from 'undici';
import { KubeClient } from '../../src/kube/api.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Exchange, Reply } from './fake-api-server.ts';

export interface FakeProcessOptions {
  /** The world's: it turns for frozen processes too. */
  readonly clock: Clock;
  readonly serve: Reply;
  /** How long a request is on its way to the server now, and its answer back, milliseconds. */
  readonly transitMs: () => number;
  readonly random: () => number;
}

/**
 * A client of the API server that can be frozen, as by SIGSTOP or a long garbage collection: time passes for it as for
 * everybody, but it learns of nothing, neither that a sleep is over nor what was answered, until it goes on. Requests go
 * through memory, so that what happens is a function of the clock alone.
 */
export class FakeProcess {
  readonly client: KubeClient;
  readonly #options: FakeProcessOptions;
  #frozen: PromiseWithResolvers<void> | undefined;

  constructor(options: FakeProcessOptions) {
    this.#options = options;
    const { clock, random } = options;
    const network = new Network((...call) => void this.#exchange(...call));
    this.client = new KubeClient({
      credentials: {
        namespace: 'ns',
        connect: () =>
          Promise.resolve({ server: 'http://fake', headers: {}, requests: network, streams: network }),
        refresh: () => {},
        close: () => Promise.resolve(),
      },
      userAgent: 'test/1',
      clock: {
        now: () => clock.now(),
        monotonic: () => clock.monotonic(),
        sleep: async (ms, signal) => {
          await clock.sleep(ms, signal);
          await this.#frozen?.promise;
        },
      },
      random,
    });
  }

  freeze(): void {
    this.#frozen ??= Promise.withResolvers();
  }

  /** Goes on: all that came meanwhile comes now, in its order. */
  thaw(): void {
    this.#frozen?.resolve();
    this.#frozen = undefined;
  }

  async #exchange(exchange: Exchange, deliver: Deliver): Promise<void> {
    const { clock, serve, transitMs } = this.#options;
    await clock.sleep(transitMs());
    const answered = Promise.withResolvers<() => void>();
    serve(
      exchange,
      responseTo((answer) => answered.resolve(() => answer(deliver))),
    );
    const tell = await answered.promise;
    await clock.sleep(transitMs());
    await this.#frozen?.promise;
    tell();
  }
}

interface Deliver {
  answer(status: number, headers: Record<string, string>, body: string): void;
  fail(error: Error): void;
}

/** As much of a response as the replies of tests use. */
function responseTo(answered: (answer: (deliver: Deliver) => void) => void): ServerResponse {
  let head: readonly [number, Record<string, string>] = [200, {}];
  const response = {
    writeHead: (status: number, headers: Record<string, string> = {}) => {
      head = [status, headers];
      return response;
    },
    end: (body = '') => answered((deliver) => deliver.answer(...head, body)),
    socket: {
      resetAndDestroy: () =>
        answered((deliver) => deliver.fail(Object.assign(new Error('reset'), { code: 'ECONNRESET' }))),
    },
  };
  return response as unknown as ServerResponse;
}

/** Hands requests on, and answers back unless the request was given up. */
class Network extends Dispatcher {
  readonly #send: (exchange: Exchange, deliver: Deliver) => void;

  constructor(send: (exchange: Exchange, deliver: Deliver) => void) {
    super();
    this.#send = send;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const { method, path, body } = options;
    const url = new URL(path, 'http://fake');
    let reason: Error | null = null;
    const controller: Dispatcher.DispatchController = {
      get aborted() {
        return reason !== null;
      },
      get paused() {
        return false;
      },
      get reason() {
        return reason;
      },
      abort: (error) => {
        if (reason !== null) return;
        reason = error;
        handler.onResponseError?.(controller, error);
      },
      pause: () => {},
      resume: () => {},
    };
    handler.onRequestStart?.(controller, {});
    this.#send(
      {
        method,
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: {},
        body: typeof body === 'string' ? JSON.parse(body) : undefined,
      },
      {
        answer: (status, headers, text) => {
          if (reason !== null) return;
          handler.onResponseStart?.(controller, status, headers);
          handler.onResponseData?.(controller, Buffer.from(text));
          handler.onResponseEnd?.(controller, {});
        },
        fail: (error) => controller.abort(error),
      },
    );
    return true;
  }
}
