import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

const PACKAGE = 'asynq-operator';
const PACKAGE_FOLDER = fileURLToPath(new URL('../../..', import.meta.url));

export type FileTexts = Readonly<Record<string, string>>;

/**
 * What a pod gets as volumes of ConfigMaps and Secrets, as files for a local process; for nobody else's eyes.
 *
 * From where they lie `import ... from 'asynq-operator'` finds this package, and no other is found: as in the image.
 */
export class MountedFiles {
  readonly #mounts = new Map<string, { readonly files: FileTexts; readonly folder: Promise<string> }>();
  #root: Promise<string> | undefined;
  #count = 0;

  /**
   * The folder that holds `files` for the volume `name`; another one each time when they have changed. Who asks while it is
   * being written waits for that one.
   */
  mount(name: string, files: FileTexts): Promise<string> {
    const known = this.#mounts.get(name);
    if (known !== undefined && isDeepStrictEqual(known.files, files)) return known.folder;
    const mount = { files, folder: this.#write(files) };
    this.#mounts.set(name, mount);
    mount.folder.catch(() => {
      if (this.#mounts.get(name) === mount) this.#mounts.delete(name);
    });
    return mount.folder;
  }

  async #write(files: FileTexts): Promise<string> {
    const root = await this.#makeRoot();
    // Never over the old files: a worker may be about to read them.
    const folder = join(root, String(++this.#count));
    await mkdir(folder, { mode: 0o700 });
    for (const [file, text] of Object.entries(files))
      await writeFile(join(folder, file), text, { mode: 0o600 });
    return folder;
  }

  /** Tried again when it failed: the disk may have been full. */
  #makeRoot(): Promise<string> {
    if (this.#root !== undefined) return this.#root;
    const root = makeRoot();
    this.#root = root;
    root.catch(() => {
      if (this.#root === root) this.#root = undefined;
    });
    return root;
  }

  /** Removes all of them; harmless when there are none. */
  async remove(): Promise<void> {
    const root = await this.#root?.catch(() => undefined);
    if (root !== undefined) await rm(root, { recursive: true, force: true });
    this.#root = undefined;
    this.#mounts.clear();
  }
}

async function makeRoot(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'asynq-operator-dev-'));
  await mkdir(join(root, 'node_modules'));
  await symlink(PACKAGE_FOLDER, join(root, 'node_modules', PACKAGE), 'dir');
  return root;
}
