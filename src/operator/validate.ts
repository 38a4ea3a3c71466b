import { keyOf } from './asynq-queue.ts';
import { AsynqQueueSchema } from './asynq-queue-schema.ts';
import { readManifestFiles } from './ends/manifest-files.ts';
import { ManifestSet } from './ends/manifest-set.ts';

export interface Validation {
  /** What was looked at, a line each. */
  readonly notes: readonly string[];
  /** What is wrong, a line each: file, line, column, field, why. */
  readonly faults: readonly string[];
}

/** Stands for the text that comes on standard input. */
const STDIN = '-';

/**
 * Judges manifests as the API server would, without one. `paths`: files, folders, or `-`, for which `stdin` is read.
 * What only a cluster knows (a missing Secret, a template that no Pod can be made of) is not looked at.
 */
export async function validateManifests(
  paths: readonly string[],
  stdin: () => Promise<string>,
): Promise<Validation> {
  const set = new ManifestSet(AsynqQueueSchema.load());
  const read = await readManifestFiles(paths.filter((path) => path !== STDIN));
  const piped: [string, string][] = paths.includes(STDIN) ? [[STDIN, await stdin()]] : [];
  const faults = set.takeAll({ ...read, texts: new Map([...read.texts, ...piped]) });
  const notes = [
    ...set.queues.map((queue) => `${queue.file}:${queue.line}: AsynqQueue ${keyOf(queue)} is valid`),
    ...set.others.map(({ file, line, kind, name }) => `${file}:${line}: ${kind} ${name} is not looked at`),
  ];
  return { notes, faults };
}
