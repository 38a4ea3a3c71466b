import { cp, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { debianRoot } from './debian.ts';
import type { Docker } from './docker.ts';
import { tempDir } from './temp-dir.ts';

const BUILD_DEADLINE_MS = 10 * 60_000;

export interface ImageRecipe {
  readonly tag: string;
  /** Text of the Dockerfile. */
  readonly dockerfile: string;
  /** Build arguments. */
  readonly args?: Readonly<Record<string, string>>;
  /** What the context holds: name in it -> file or folder on this machine. */
  readonly files: Readonly<Record<string, string>>;
}

/** Builds an image from a context that is put together of files from anywhere. */
export async function buildImage(docker: Docker, recipe: ImageRecipe): Promise<void> {
  await using context = await tempDir('image');
  for (const [name, source] of Object.entries(recipe.files))
    await cp(source, join(context.path, name), { recursive: true, dereference: true });
  await writeFile(join(context.path, 'Dockerfile'), recipe.dockerfile);
  const args = Object.entries(recipe.args ?? {}).flatMap(([name, value]) => [
    '--build-arg',
    `${name}=${value}`,
  ]);
  await docker.run(['build', '--quiet', ...args, '--tag', recipe.tag, context.path], {
    timeout: BUILD_DEADLINE_MS,
  });
}

/** Name of an image that holds Debian packages and nothing else, imported if need be. */
export async function debianImage(
  docker: Docker,
  variant: 'minbase' | 'extract',
  packages: readonly string[],
  say: (line: string) => void,
): Promise<string> {
  const root = await debianRoot(variant, packages, say);
  const name = `asynq-lab/${basename(dirname(root))}`;
  if (!(await docker.hasImage(name)))
    await docker.run(['import', root, name], { timeout: BUILD_DEADLINE_MS });
  return name;
}
