import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sweepDead } from './sweep.ts';

export interface TempDir extends AsyncDisposable {
  readonly path: string;
  /** Removes the folder and all that is in it; harmless when it is gone. */
  remove(): Promise<void>;
}

const PREFIX = 'asynq-lab';
let swept: Promise<void> | undefined;

/** A folder of our own under the system's temporary folder; those of runs that were killed are removed on the way. */
export async function tempDir(label: string): Promise<TempDir> {
  swept ??= sweepDead(tmpdir(), new RegExp(`^${PREFIX}-(\\d+)-`));
  await swept;
  const path = await mkdtemp(join(tmpdir(), `${PREFIX}-${process.pid}-${label}-`));
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 3 });
  return { path, remove, [Symbol.asyncDispose]: remove };
}
