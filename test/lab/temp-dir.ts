import { rmSync } from 'node:fs';
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
const kept = new Set<string>();
let swept: Promise<void> | undefined;

/**
 * A folder of our own under the system's temporary folder, gone when the process ends in order; what runs that were
 * killed left there is removed on the way.
 */
export async function tempDir(label: string): Promise<TempDir> {
  if (swept === undefined) {
    process.once('exit', removeKept);
    swept = sweepDead(tmpdir(), new RegExp(`^${PREFIX}-(\\d+)-`));
  }
  await swept;
  const path = await mkdtemp(join(tmpdir(), `${PREFIX}-${process.pid}-${label}-`));
  kept.add(path);
  const remove = async () => {
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
    kept.delete(path);
  };
  return { path, remove, [Symbol.asyncDispose]: remove };
}

function removeKept(): void {
  for (const path of kept) rmSync(path, { recursive: true, force: true, maxRetries: 3 });
}
