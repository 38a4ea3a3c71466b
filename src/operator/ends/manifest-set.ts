import { type AsynqQueueSpec, keyOf } from '../asynq-queue.ts';
import type { AsynqQueueSchema } from '../asynq-queue-schema.ts';
import {
  type DeclaredData,
  type DeclaredQueue,
  type Manifest,
  type ManifestProblem,
  problemText,
  readManifest,
} from '../manifest.ts';

import type { ManifestTexts } from './manifest-files.ts';

export interface DeclaredInFile extends DeclaredQueue {
  readonly file: string;
}

/**
 * What some manifest files say together. Of a file that is broken the last good state stands, as the API server keeps
 * what it has when an apply is refused; the same goes for a file that takes what another has.
 */
export class ManifestSet {
  readonly #schema: AsynqQueueSchema;
  readonly #manifests = new Map<string, Manifest>();
  readonly #problems = new Map<string, readonly ManifestProblem[]>();

  constructor(schema: AsynqQueueSchema) {
    this.#schema = schema;
  }

  /** Takes what the file says now; the problems that kept it from being taken. */
  update(file: string, text: string): readonly ManifestProblem[] {
    const before = (key: string) => this.#specOf(key);
    const { manifest, problems } = readManifest(file, text, this.#schema, before);
    const all = [...problems, ...this.#collisions(manifest)];
    this.#problems.set(file, all);
    if (all.length === 0) this.#manifests.set(file, manifest);
    return all;
  }

  /** Takes files for the first time; what is wrong with them, a line each. That there is no AsynqQueue at all is wrong too. */
  takeAll({ texts, missing, unreadable }: ManifestTexts): string[] {
    for (const [file, text] of texts) this.update(file, text);
    const faults = [
      ...missing.map((path) => `${path}: no such file or folder`),
      ...unreadable.map(({ path, message }) => `${path}: ${message}`),
      ...this.problems.map(problemText),
    ];
    return faults.length === 0 && this.queues.length === 0
      ? ['there is no AsynqQueue in the manifests']
      : faults;
  }

  /** The file is gone, and what it said with it. */
  remove(file: string): void {
    this.#manifests.delete(file);
    this.#problems.delete(file);
  }

  get problems(): ManifestProblem[] {
    return [...this.#problems.values()].flat();
  }

  get queues(): DeclaredInFile[] {
    return this.#all().flatMap(({ file, queues }) => queues.map((queue) => ({ ...queue, file })));
  }

  get others(): (Manifest['others'][number] & { readonly file: string })[] {
    return this.#all().flatMap(({ file, others }) => others.map((other) => ({ ...other, file })));
  }

  secret(namespace: string, name: string): DeclaredData | undefined {
    return find(
      this.#all().flatMap(({ secrets }) => secrets),
      namespace,
      name,
    );
  }

  configMap(namespace: string, name: string): DeclaredData | undefined {
    return find(
      this.#all().flatMap(({ configMaps }) => configMaps),
      namespace,
      name,
    );
  }

  #all(): Manifest[] {
    return [...this.#manifests.values()];
  }

  #specOf(key: string): AsynqQueueSpec | undefined {
    return this.queues.find((queue) => keyOf(queue) === key)?.spec;
  }

  #collisions({ file, queues }: Manifest): ManifestProblem[] {
    const taken = new Map(
      this.queues.filter((queue) => queue.file !== file).map((queue) => [keyOf(queue), queue]),
    );
    return queues.flatMap((queue) => {
      const other = taken.get(keyOf(queue));
      if (other === undefined) return [];
      const message = `AsynqQueue ${keyOf(queue)} stands already in ${other.file}:${other.line}`;
      return [{ file, line: queue.line, column: 1, field: 'metadata.name', message }];
    });
  }
}

function find(list: readonly DeclaredData[], namespace: string, name: string): DeclaredData | undefined {
  return list.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
}
