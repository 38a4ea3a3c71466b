import type { Logger } from '../runtime/logger.ts';
import type { KubeClient } from './api.ts';
import { Deadline } from './deadline.ts';
import {
  EventBook,
  type EventFacts,
  eventBody,
  eventName,
  type Reporter,
  type Series,
  seriesBody,
} from './event-series.ts';
import { isAlreadyExists, isForbidden, isInvalid, isKubeError, isNotFound } from './kube-error.ts';
import type { KubeObject } from './object.ts';
import { EVENTS } from './resources.ts';
import { WorkQueue } from './work-queue.ts';

/** Repetitions that are told together: soon for the first, then once a minute. */
const FIRST_REPEAT_MS = 10_000;
const REPEAT_MS = 60_000;
const ATTEMPTS = 8;
const FIELD_MANAGER = 'event-recorder';

export interface EventRecorderOptions extends Reporter {
  readonly client: KubeClient;
}

/**
 * Writes events.k8s.io/v1 Events about objects: the same one again within six minutes raises the count of the first
 * (a series), and an object about which too much is said is not heard for a while.
 *
 * Recording is never waited for and never fails: what cannot be written after some attempts is dropped and counted.
 * Needs the verbs `create` and `patch` on events.
 *
 * States: Idle -> Running (with the first event) -> Stopped.
 */
export class EventRecorder {
  readonly #client: KubeClient;
  readonly #reporter: Reporter;
  readonly #log: Logger;
  readonly #book: EventBook;
  readonly #queue: WorkQueue;
  readonly #abort = new AbortController();
  #sending: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor({ client, controller, instance }: EventRecorderOptions) {
    this.#client = client;
    this.#reporter = { controller, instance };
    this.#log = client.log.child({ recorder: controller });
    this.#book = new EventBook(client.clock);
    this.#queue = new WorkQueue({ name: 'events', clock: client.clock });
  }

  /** `regarding` needs `apiVersion` and `kind`. Does nothing after `stop`. */
  record(regarding: KubeObject, facts: EventFacts): void {
    if (this.#stopped !== undefined) return;
    const series = this.#book.enter(regarding, facts);
    if (series === 'spam' || series === 'overflow') return this.#drop(series, facts);
    this.#sending ??= this.#send();
    if (series.count === 1) this.#queue.add(series.key);
    else this.#queue.addAfter(series.key, series.sentCount > 1 ? REPEAT_MS : FIRST_REPEAT_MS);
  }

  /** Writes what is still to be written, for at most `drainMs` milliseconds. Idempotent, never rejects. */
  stop(drainMs = 2_000): Promise<void> {
    this.#stopped ??= this.#stop(drainMs);
    return this.#stopped;
  }

  async #stop(drainMs: number): Promise<void> {
    using limit = new Deadline(this.#client.clock, drainMs, undefined, stopped);
    limit.signal.addEventListener('abort', () => this.#abort.abort(limit.signal.reason));
    this.#queue.shutDown();
    await this.#sending;
    for (const series of this.#book.list()) {
      await this.#write(series).catch((error: unknown) => this.#giveUp(series, error, 'failed'));
    }
    this.#abort.abort(stopped());
  }

  async #send(): Promise<void> {
    for (let key = await this.#queue.get(); key !== undefined; key = await this.#queue.get()) {
      const series = this.#book.get(key);
      if (series !== undefined) {
        try {
          await this.#write(series);
          this.#queue.forget(key);
        } catch (error) {
          this.#failed(series, error);
        }
      }
      this.#queue.done(key);
    }
  }

  async #write(series: Series): Promise<void> {
    const { count } = series;
    if (count === series.sentCount) return;
    if (series.sentCount > 0) {
      try {
        await this.#client.mergePatch(EVENTS, series, { series: seriesBody(series) }, this.#options());
        series.sentCount = count;
        return;
      } catch (error) {
        // The API server keeps events for an hour: this one begins anew.
        if (!isNotFound(error)) throw error;
        series.name = '';
      }
    }
    await this.#create(series);
  }

  async #create(series: Series): Promise<void> {
    series.name ||= eventName(series, this.#reporter);
    const { namespace, name, count } = series;
    try {
      await this.#client.create(
        EVENTS,
        { metadata: { namespace, name }, ...eventBody(series, this.#reporter) },
        this.#options(),
      );
    } catch (error) {
      // The answer to the first attempt was lost.
      if (!isAlreadyExists(error)) throw error;
    }
    series.sentCount = count;
  }

  #failed(series: Series, error: unknown): void {
    const hopeless = isInvalid(error) || isForbidden(error) || isNotFound(error);
    if (hopeless) this.#giveUp(series, error, 'refused');
    else if (this.#queue.retries(series.key) >= ATTEMPTS) this.#giveUp(series, error, 'failed');
    else this.#queue.addRateLimited(series.key, isKubeError(error) ? error.retryAfterMs : 0);
  }

  #giveUp(series: Series, error: unknown, why: 'refused' | 'failed'): void {
    this.#queue.forget(series.key);
    this.#book.forget(series.key);
    this.#log.warn({ err: error, event: series.facts.reason }, 'an event could not be written');
    this.#drop(why, series.facts);
  }

  #drop(reason: 'spam' | 'overflow' | 'refused' | 'failed', facts: EventFacts): void {
    this.#client.observer.eventDropped({ reason });
    this.#log.debug({ reason, event: facts.reason }, 'an event was dropped');
  }

  #options(): { readonly fieldManager: string; readonly signal: AbortSignal } {
    return { fieldManager: FIELD_MANAGER, signal: this.#abort.signal };
  }
}

function stopped(): Error {
  return new Error('the event recorder was stopped');
}
