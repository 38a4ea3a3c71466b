import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../runtime/clock.ts';
import { AsynqError, errorText } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import { Nudge } from '../../runtime/nudge.ts';
import { type AsynqQueue, type AsynqQueueSpec, type AsynqQueueStatus, keyOf } from '../asynq-queue.ts';
import { AsynqQueueSchema } from '../asynq-queue-schema.ts';
import type { QueueEvent, QueueKey, QueueSource } from '../ends.ts';
import { problemText } from '../manifest.ts';
import type { Json } from '../structural-schema.ts';
import { type ManifestTexts, readManifestFiles } from './manifest-files.ts';
import { type DeclaredInFile, ManifestSet } from './manifest-set.ts';
import { specChanges } from './spec-changes.ts';

/** File systems that tell nothing of changes (network mounts, some containers) are looked at so often. */
const LOOK_AGAIN_MS = 2_000;

/** Files must read the same twice, so far apart, before they are taken: editors truncate before they write. */
const SETTLE_MS = 100;

export interface FileSourceOptions {
  /** Files and folders of manifests. */
  readonly paths: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
  /** Where Secrets come from that no manifest holds, see `secret`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly listener?: SourceListener;
}

/** Told what happens to the AsynqQueues of a source; nothing that it does changes them. */
export interface SourceListener {
  /** Manifests were taken: `keys` are there (with a new spec, Secret or ConfigMap perhaps), `removed` no more. */
  onChange?(keys: readonly QueueKey[], removed: readonly QueueKey[]): void;
  /** What somebody did to the manifest of the AsynqQueue, when it was watched already. */
  onEdit?(name: string, edit: string): void;
  /** What is wrong with the manifests now, a line each; what they said before stands. Empty: they were mended. */
  onFaults?(faults: readonly string[]): void;
  onStatus?(queue: AsynqQueue): void;
  onEvent?(queue: AsynqQueue, event: QueueEvent): void;
}

/**
 * AsynqQueues from manifest files, watched: what `dev` has where the operator has the API server.
 *
 * The first reading must be without fault. Later a file that is broken is reported, once, and what it said before stands;
 * a file that is gone takes its AsynqQueues with it; one that cannot be read changes nothing. Status lives in memory.
 *
 * States: new -> watching -> stopped.
 */
export class FileSource implements QueueSource {
  readonly #options: FileSourceOptions;
  readonly #set: ManifestSet;
  readonly #queues = new Map<QueueKey, AsynqQueue>();
  readonly #nudge: Nudge;
  readonly #stop = new AbortController();
  #texts: ReadonlyMap<string, string> = new Map();
  #reported = '';
  #created = 0;
  #watchers: readonly FSWatcher[] = [];
  #watching: Promise<void> | undefined;

  constructor(options: FileSourceOptions) {
    this.#options = options;
    this.#set = new ManifestSet(AsynqQueueSchema.load());
    this.#nudge = new Nudge(options.clock);
  }

  /**
   * Reads the manifests and watches them from then on.
   *
   * @throws ASYNQ_MANIFEST_INVALID with one fault a line; also when there is no AsynqQueue at all
   */
  async start(): Promise<void> {
    const read = await readManifestFiles(this.#options.paths);
    const faults = this.#set.takeAll(read);
    if (faults.length > 0) throw new AsynqError('ASYNQ_MANIFEST_INVALID', faults.join('\n'));
    this.#texts = read.texts;
    this.#take();
    this.#watchers = await this.#watchFolders();
    this.#watching = this.#watch();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#nudge.nudge();
    for (const watcher of this.#watchers) watcher.close();
    await this.#watching;
  }

  list(): readonly AsynqQueue[] {
    return [...this.#queues.values()];
  }

  get(key: QueueKey): AsynqQueue | undefined {
    return this.#queues.get(key);
  }

  /** Objects in the manifests that mean nothing here. */
  get others(): ManifestSet['others'] {
    return this.#set.others;
  }

  /** The file that declares the AsynqQueue. */
  fileOf(key: QueueKey): string | undefined {
    return this.#set.queues.find((queue) => keyOf(queue) === key)?.file;
  }

  async writeStatus(queue: AsynqQueue, status: AsynqQueueStatus): Promise<void> {
    const known = this.#queues.get(keyOf(queue));
    if (known === undefined) return;
    const written = { ...known, status };
    this.#queues.set(keyOf(queue), written);
    this.#options.listener?.onStatus?.(written);
  }

  event(queue: AsynqQueue, event: QueueEvent): void {
    this.#options.listener?.onEvent?.(queue, event);
  }

  /**
   * From a Secret in the manifests, else from the environment: key `password` of Secret `my-redis` is
   * `ASYNQ_SECRET_MY_REDIS_PASSWORD` there.
   */
  async secret(namespace: string, name: string, key: string): Promise<string | undefined> {
    const declared = this.#set.secret(namespace, name);
    return declared === undefined ? this.#options.env[secretVariable(name, key)] : declared.data[key];
  }

  /** The files of a ConfigMap in the manifests. */
  configMap(namespace: string, name: string): Readonly<Record<string, string>> | undefined {
    return this.#set.configMap(namespace, name)?.data;
  }

  async #watch(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#nudge.sleep(LOOK_AGAIN_MS);
      try {
        await this.#lookAgain();
      } catch (error) {
        // Whatever a file may do to us, the workers go on, and the next change may mend it.
        this.#report([errorText(error)]);
      }
    }
  }

  async #lookAgain(): Promise<void> {
    const { paths, clock } = this.#options;
    const first = await readManifestFiles(paths);
    if (isSame(first, this.#texts)) return;
    await clock.sleep(SETTLE_MS, this.#stop.signal);
    const second = await readManifestFiles(paths);
    if (this.#stop.signal.aborted) return;
    if (isDeepStrictEqual(first, second)) this.#reload(second);
    else this.#nudge.nudge();
  }

  #reload({ texts, unreadable }: ManifestTexts): void {
    if (unreadable.length > 0) {
      this.#report(unreadable.map(({ path, message }) => `${path}: ${message}`));
      return;
    }
    for (const file of this.#texts.keys()) if (!texts.has(file)) this.#set.remove(file);
    for (const [file, text] of texts) if (text !== this.#texts.get(file)) this.#set.update(file, text);
    // What one file gave up, another may have waited for.
    for (const file of new Set(this.#set.problems.map((problem) => problem.file))) {
      this.#set.update(file, texts.get(file) ?? '');
    }
    this.#texts = texts;
    this.#report(this.#set.problems.map(problemText));
    this.#take();
  }

  /** Says what is wrong, when it is not what was said last. */
  #report(faults: readonly string[]): void {
    const all = faults.join('\n');
    if (all === this.#reported) return;
    this.#reported = all;
    this.#options.listener?.onFaults?.(faults);
  }

  /** Makes the AsynqQueues what the manifests say. */
  #take(): void {
    const declared = new Map(this.#set.queues.map((queue) => [keyOf(queue), queue]));
    const removed = [...this.#queues.keys()].filter((key) => !declared.has(key));
    for (const key of removed) {
      this.#tellEdit(this.#queues.get(key), undefined);
      this.#queues.delete(key);
    }
    for (const [key, queue] of declared) {
      this.#tellEdit(this.#queues.get(key), queue);
      this.#queues.set(key, this.#made(queue, this.#queues.get(key)));
    }
    this.#options.listener?.onChange?.([...declared.keys()], removed);
  }

  #tellEdit(before: AsynqQueue | undefined, now: DeclaredInFile | undefined): void {
    const { listener } = this.#options;
    const name = (now ?? before)?.metadata.name;
    if (name === undefined || this.#watching === undefined) return;
    if (now === undefined) listener?.onEdit?.(name, 'was removed from the manifests');
    else if (before === undefined) listener?.onEdit?.(name, `was added by ${now.file}`);
    else {
      const changes = specChanges(plain(before.spec), plain(now.spec));
      if (changes.length > 0) listener?.onEdit?.(name, `was edited: ${changes.join(', ')}`);
    }
  }

  #made({ metadata, spec }: DeclaredInFile, known: AsynqQueue | undefined): AsynqQueue {
    if (known === undefined) {
      const creationTimestamp = new Date(this.#options.clock.now()).toISOString();
      // Grows, so that of two that want the same the one declared first is the older.
      const uid = String(++this.#created).padStart(8, '0');
      return { metadata: { ...metadata, uid, generation: 1, creationTimestamp }, spec };
    }
    if (isDeepStrictEqual(known.spec, spec)) return known;
    return { ...known, metadata: { ...known.metadata, generation: known.metadata.generation + 1 }, spec };
  }

  /** Where the system can tell of changes, they are seen at once. */
  async #watchFolders(): Promise<FSWatcher[]> {
    const folders = await Promise.all(
      this.#options.paths.map(async (path) => ((await stat(path)).isDirectory() ? path : dirname(path))),
    );
    return [...new Set(folders)].flatMap((folder) => {
      try {
        const watcher = watch(folder, () => this.#nudge.nudge());
        watcher.on('error', () => watcher.close());
        return [watcher];
      } catch (error) {
        this.#options.log.debug({ folder, err: errorText(error) }, 'changes are seen by looking again only');
        return [];
      }
    });
  }
}

function isSame({ texts, unreadable }: ManifestTexts, known: ReadonlyMap<string, string>): boolean {
  return unreadable.length === 0 && isDeepStrictEqual(texts, known);
}

function plain(spec: AsynqQueueSpec): Json {
  return spec as unknown as Json;
}

function secretVariable(name: string, key: string): string {
  return `ASYNQ_SECRET_${name}_${key}`.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_');
}
