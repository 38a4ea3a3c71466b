import { type Dispatcher, request as httpRequest } from 'undici';
import type { Clock } from '../runtime/clock.ts';
import { AsynqError, errorText } from '../runtime/errors.ts';
import type { Random } from '../runtime/random.ts';
import type { KubeConnection, KubeCredentials } from './config.ts';
import { Deadline, orAborted } from './deadline.ts';
import { isUnauthorized, KubeError, refusal, type Status } from './kube-error.ts';
import type { KubeObserver } from './observer.ts';
import { retryDelayMs } from './retry.ts';
import { TokenBucket } from './token-bucket.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'patch' | 'delete';

export interface KubeRequest {
  readonly verb: Verb;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** The whole call ends within this, retries and the wait for the rate limit included. @default 15000, lists 60000 */
  readonly timeoutMs?: number;
  /** false: one attempt, for callers that have a schedule of their own. @default true */
  readonly retry?: boolean;
  /** false: past the client-side rate limit; for leases, which must not wait for anybody. @default true */
  readonly throttle?: boolean;
  /** Asked before each attempt, after all waiting; what it throws ends the call. */
  readonly beforeAttempt?: () => void;
}

export interface TransportOptions {
  readonly credentials: KubeCredentials;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: Required<KubeObserver>;
  /** `name/version`, as audit logs show it. */
  readonly userAgent: string;
  /** Requests a second, in the long run and at once. */
  readonly rate: { readonly perSecond: number; readonly burst: number };
}

const METHODS = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  patch: 'PATCH',
  delete: 'DELETE',
} as const;
const TIMEOUT_MS = 15_000;
const LIST_TIMEOUT_MS = 60_000;

type Answer = Dispatcher.ResponseData;

/**
 * Requests to the API server: rate limited, bounded in time, repeated where that is safe (`retry.ts`). Fails with a
 * KubeError, or with the reason of the caller's signal.
 */
export class Transport {
  readonly #credentials: KubeCredentials;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #observer: Required<KubeObserver>;
  readonly #userAgent: string;
  readonly #bucket: TokenBucket;

  constructor(options: TransportOptions) {
    this.#credentials = options.credentials;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#observer = options.observer;
    this.#userAgent = options.userAgent;
    this.#bucket = new TokenBucket({ clock: options.clock, ...options.rate });
  }

  /** Sends a request and reads the answer, which is JSON. */
  async json(request: KubeRequest, options: CallOptions = {}): Promise<unknown> {
    return this.#call(request, options, async (answer) => parse(request, await answer.body.text()));
  }

  /**
   * Sends a request whose answer has no end. The time limit is for its beginning; from then on only `signal` ends it,
   * which also destroys the body.
   */
  async stream(
    request: KubeRequest,
    options: CallOptions & { readonly signal: AbortSignal },
  ): Promise<Answer['body']> {
    return this.#call(
      request,
      { ...options, retry: false },
      (answer) => Promise.resolve(answer.body),
      options.signal,
    );
  }

  close(): Promise<void> {
    return this.#credentials.close();
  }

  async #call<T>(
    request: KubeRequest,
    options: CallOptions,
    read: (answer: Answer) => Promise<T>,
    streaming?: AbortSignal,
  ): Promise<T> {
    const timeoutMs = options.timeoutMs ?? (request.verb === 'list' ? LIST_TIMEOUT_MS : TIMEOUT_MS);
    using limit = new Deadline(this.#clock, timeoutMs, options.signal, () => {
      return new KubeError('ASYNQ_KUBE_TIMEOUT', `${nameOf(request)}: no answer within ${timeoutMs} ms`);
    });
    let refreshed = false;
    for (let attempt = 1; ; attempt++) {
      if (options.throttle !== false) await this.#throttle(limit.signal);
      options.beforeAttempt?.();
      try {
        return await this.#attempt(request, limit.signal, read, streaming);
      } catch (error) {
        if (limit.signal.aborted) throw limit.signal.reason;
        if (isUnauthorized(error) && !refreshed) {
          refreshed = true;
          this.#credentials.refresh();
          continue;
        }
        const delay =
          options.retry === false
            ? undefined
            : retryDelayMs(error, { idempotent: request.verb !== 'create' }, attempt, this.#random);
        if (delay === undefined || delay >= limit.leftMs) throw error;
        await this.#clock.sleep(delay, limit.signal);
        limit.signal.throwIfAborted();
      }
    }
  }

  async #throttle(signal: AbortSignal): Promise<void> {
    const waitMs = this.#bucket.reserve();
    if (waitMs > 0) {
      this.#observer.throttled({ waitedMs: waitMs });
      await this.#clock.sleep(waitMs, signal);
    }
    if (signal.aborted) {
      this.#bucket.refund();
      throw signal.reason;
    }
  }

  async #attempt<T>(
    request: KubeRequest,
    signal: AbortSignal,
    read: (answer: Answer) => Promise<T>,
    streaming: AbortSignal | undefined,
  ): Promise<T> {
    const begun = this.#clock.monotonic();
    let code: number | string = 'aborted';
    try {
      const connection = await orAborted(this.#credentials.connect(), signal);
      const answer = await this.#send(request, connection, signal, streaming);
      code = answer.statusCode;
      if (code >= 300) throw refused(request, answer, await answer.body.text());
      return await read(answer);
    } catch (error) {
      if (signal.aborted || AsynqError.is(error)) throw error;
      const failure = unreachable(request, error);
      code = failure.code;
      throw failure;
    } finally {
      const durationMs = this.#clock.monotonic() - begun;
      this.#observer.request({ verb: request.verb, path: request.path, code, durationMs });
    }
  }

  #send(
    request: KubeRequest,
    { server, headers, requests, streams }: KubeConnection,
    signal: AbortSignal,
    streaming: AbortSignal | undefined,
  ): Promise<Answer> {
    return httpRequest(`${server}${request.path}${queryString(request.query)}`, {
      method: METHODS[request.verb],
      dispatcher: streaming === undefined ? requests : streams,
      signal: streaming === undefined ? signal : AbortSignal.any([signal, streaming]),
      headers: {
        ...headers,
        accept: 'application/json',
        'user-agent': this.#userAgent,
        ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
      },
      body: request.body === undefined ? null : JSON.stringify(request.body),
      // Time limits are ours, on a clock that is handed in.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }
}

function nameOf(request: KubeRequest): string {
  return `${METHODS[request.verb]} ${request.path}`;
}

function queryString(query: KubeRequest['query']): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) given.append(name, String(value));
  }
  return given.size === 0 ? '' : `?${given.toString()}`;
}

function parse(request: KubeRequest, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new KubeError('ASYNQ_KUBE_ANSWER', `${nameOf(request)}: expected JSON, got ${excerpt(text)}`, {
      cause: error,
    });
  }
}

/** A proxy in between may say no in HTML; then the text is all there is to tell. */
function refused(request: KubeRequest, answer: Answer, text: string): KubeError {
  const retryAfter = answer.headers['retry-after'];
  let body: Status;
  try {
    body = JSON.parse(text) as Status;
  } catch {
    body = { message: excerpt(text) };
  }
  return refusal(
    nameOf(request),
    answer.statusCode,
    body,
    typeof retryAfter === 'string' ? retryAfter : undefined,
  );
}

function excerpt(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}...` : text);
}

function unreachable(request: KubeRequest, cause: unknown): KubeError {
  // undici's "all addresses refused" has no message.
  const text =
    errorText(cause) || (cause instanceof Error && 'code' in cause ? String(cause.code) : 'failed');
  return new KubeError('ASYNQ_KUBE_UNREACHABLE', `${nameOf(request)}: ${text}`, { cause });
}
