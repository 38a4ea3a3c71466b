import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText } from '../../runtime/errors.ts';

const EXTENSIONS = /\.(ya?ml|json)$/;

/** For another tool, and often without the kind that would say so. */
const KUSTOMIZATION = /^kustomization\.ya?ml$/;

export interface ManifestTexts {
  /** File -> text. */
  readonly texts: ReadonlyMap<string, string>;
  /** Paths that are not there. */
  readonly missing: readonly string[];
  /** Paths and files that are there but could not be read. */
  readonly unreadable: readonly { readonly path: string; readonly message: string }[];
}

/**
 * Reads what `paths` mean, as `kubectl apply -f` takes them: files as they are, folders without those inside, and without
 * their kustomization.
 */
export async function readManifestFiles(paths: readonly string[]): Promise<ManifestTexts> {
  const texts = new Map<string, string>();
  const missing: string[] = [];
  const unreadable: { path: string; message: string }[] = [];
  const attempt = async <T>(path: string, read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read();
    } catch (error) {
      if (isNotThere(error)) missing.push(path);
      else unreadable.push({ path, message: errorText(error) });
      return undefined;
    }
  };
  for (const path of paths) {
    for (const file of (await attempt(path, () => filesOf(path))) ?? []) {
      const text = await attempt(file, () => readFile(file, 'utf8'));
      if (text !== undefined) texts.set(file, text);
    }
  }
  return { texts, missing, unreadable };
}

async function filesOf(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const names = await readdir(path);
  return names
    .filter((name) => EXTENSIONS.test(name) && !name.startsWith('.') && !KUSTOMIZATION.test(name))
    .toSorted()
    .map((name) => join(path, name));
}

function isNotThere(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
