import type { Clock } from '../runtime/clock.ts';
import { errorText } from '../runtime/errors.ts';
import type { Random } from '../runtime/random.ts';
import { KubeError, refusal, type Status } from './kube-error.ts';
import type { KubeObject } from './object.ts';
import type { KubeObserver } from './observer.ts';
import { collectionPath, type Resource, type Selection } from './resource.ts';
import type { Transport } from './transport.ts';

/** The API server ends a watch after this much; spread, so that the watches of a fleet do not all end together. */
const TIMEOUT_SECONDS = { least: 290, spread: 60 };
/** Bookmarks come about once a minute: after two and a half of them, nobody is at the other end. */
const IDLE_MS = 150_000;
const OPEN_TIMEOUT_MS = 30_000;
/** etcd holds no object above 1.5 MB; what has no line end after this much is not a stream of events. */
const LONGEST_LINE_BYTES = 16 * 1024 * 1024;

export interface WatchOptions extends Selection {
  /** Events after this; from a list, an object or a bookmark. */
  readonly resourceVersion: string;
  /** Ends the watch, without an error. */
  readonly signal: AbortSignal;
  /** A watch over which no byte came for this long is given up, milliseconds. @default 150000 */
  readonly idleMs?: number;
}

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  /** Nothing happened up to here: a watch may go on from this version. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

/**
 * Ends when the API server ends it or the signal aborts. Throws a KubeError: what an ERROR event says (410: list again),
 * ASYNQ_KUBE_UNREACHABLE when the connection broke, ASYNQ_KUBE_TIMEOUT when it fell silent.
 */
export type WatchStream<T> = AsyncIterableIterator<WatchEvent<T>>;

interface Parts {
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: Required<KubeObserver>;
}

type Body = Awaited<ReturnType<Transport['stream']>>;

export async function openWatch<T extends KubeObject>(
  transport: Transport,
  parts: Parts,
  resource: Resource<T>,
  options: WatchOptions,
): Promise<WatchStream<T>> {
  const { labelSelector, fieldSelector, resourceVersion, signal } = options;
  const path = collectionPath(resource, options.namespace);
  const timeoutSeconds = TIMEOUT_SECONDS.least + Math.floor(parts.random() * TIMEOUT_SECONDS.spread);
  const body = await transport.stream(
    {
      verb: 'watch',
      path,
      query: {
        watch: true,
        allowWatchBookmarks: true,
        timeoutSeconds,
        resourceVersion,
        labelSelector,
        fieldSelector,
      },
    },
    { signal, timeoutMs: OPEN_TIMEOUT_MS },
  );
  // Its error also comes out of the iteration, where it is handled.
  body.on('error', () => {});
  return events<T>(
    body,
    parts,
    { ...options, idleMs: options.idleMs ?? IDLE_MS },
    resource.plural,
    `WATCH ${path}`,
  );
}

async function* events<T extends KubeObject>(
  body: Body,
  { clock, observer }: Parts,
  { signal, idleMs }: { readonly signal: AbortSignal; readonly idleMs: number },
  resource: string,
  what: string,
): WatchStream<T> {
  const over = new AbortController();
  let heardAt = clock.monotonic();
  const silent = () =>
    body.destroy(new KubeError('ASYNQ_KUBE_TIMEOUT', `${what}: silent for ${idleMs} ms, expected bookmarks`));
  void whenIdle(clock, idleMs, () => heardAt, over.signal, silent);
  const lines = new LineSplitter();
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      heardAt = clock.monotonic();
      for (const line of lines.push(chunk)) {
        const event = readEvent<T>(line, what);
        if (event === undefined) observer.watchEventDropped({ resource, reason: 'unreadable' });
        else yield event;
      }
    }
  } catch (error) {
    if (signal.aborted) return;
    throw error instanceof KubeError
      ? error
      : new KubeError('ASYNQ_KUBE_UNREACHABLE', `${what}: ${errorText(error)}`, { cause: error });
  } finally {
    over.abort();
  }
}

/** Calls `silent` once `heardAt` lies `idleMs` back. */
async function whenIdle(
  clock: Clock,
  idleMs: number,
  heardAt: () => number,
  over: AbortSignal,
  silent: () => void,
): Promise<void> {
  while (!over.aborted) {
    const leftMs = heardAt() + idleMs - clock.monotonic();
    if (leftMs <= 0) return silent();
    await clock.sleep(leftMs, over);
  }
}

/** undefined: the line is no event. Throws what an ERROR event says. */
function readEvent<T extends KubeObject>(line: string, what: string): WatchEvent<T> | undefined {
  let raw: { readonly type?: unknown; readonly object?: unknown };
  try {
    raw = (JSON.parse(line) as typeof raw | null) ?? {};
  } catch {
    return undefined;
  }
  const object = raw.object as (Partial<T> & Status) | null | undefined;
  switch (raw.type) {
    case 'ERROR':
      throw refusal(what, object?.code ?? 500, object ?? {});
    case 'BOOKMARK': {
      const resourceVersion = object?.metadata?.resourceVersion;
      return resourceVersion === undefined ? undefined : { type: 'BOOKMARK', resourceVersion };
    }
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return object?.metadata?.name === undefined ? undefined : { type: raw.type, object: object as T };
    default:
      return undefined;
  }
}

/** Cuts bytes into lines; a byte of a multi-byte character is never 0x0a. */
class LineSplitter {
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      const line = Buffer.concat([...this.#pending, chunk.subarray(from, end)]).toString('utf8');
      if (line.trim() !== '') lines.push(line);
      this.#pending = [];
      this.#pendingBytes = 0;
      from = end + 1;
    }
    this.#keep(chunk.subarray(from));
    return lines;
  }

  #keep(rest: Buffer): void {
    if (rest.length === 0) return;
    this.#pending.push(rest);
    this.#pendingBytes += rest.length;
    if (this.#pendingBytes > LONGEST_LINE_BYTES) {
      throw new KubeError(
        'ASYNQ_KUBE_ANSWER',
        `expected an event a line, got ${this.#pendingBytes} bytes without an end`,
      );
    }
  }
}
