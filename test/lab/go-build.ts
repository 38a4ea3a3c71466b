import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedFolder } from './cache.ts';
import { findOnPath } from './find-on-path.ts';
import { run } from './run.ts';
import { shortHash } from './short-hash.ts';

/** A program that is built from one of the pinned modules in test/lab/go. */
export interface GoProgram {
  /** Name of the executable. */
  readonly name: string;
  /** What it says of itself; it is also what people read in the cache. */
  readonly version: string;
  /** Folder of the module under test/lab/go. */
  readonly module: string;
  /** Import path of its main package, or `.` */
  readonly main: string;
  readonly ldflags?: string;
  readonly tags?: string;
}

const MODULES = join(import.meta.dirname, 'go');
/** Kubernetes 1.37 needs it; an older Go cannot even read its go.mod. */
const GO_AT_LEAST = [1, 26] as const;
/** kube-apiserver takes 8 min on two idle cores, most of it its dependencies, which the others then find compiled. */
const BUILD_DEADLINE_MS = 40 * 60_000;

/** The linker of a Kubernetes binary takes up to 2.7 GB: one build of this process at a time. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Path of the program's executable, built when the cache has none for these sources and flags. All are static
 * (CGO_ENABLED=0), so that an image can hold them without anything else.
 */
export function goBuild(program: GoProgram, say: (line: string) => void): Promise<string> {
  const built = last.then(() => build(program, say));
  last = built.catch(() => {});
  return built;
}

async function build(program: GoProgram, say: (line: string) => void): Promise<string> {
  const folder = join(MODULES, program.module);
  const pinned = await Promise.all(
    ['go.mod', 'go.sum', 'main.go'].map((file) => readFile(join(folder, file), 'utf8').catch(() => '')),
  );
  const inputs = shortHash([program, pinned]);
  const cached = await cachedFolder(`${program.name}-${program.version}-${inputs}`, async (out) => {
    const started = performance.now();
    const flags = ['-trimpath', '-buildvcs=false', `-ldflags=-s -w ${program.ldflags ?? ''}`];
    if (program.tags !== undefined) flags.push(`-tags=${program.tags}`);
    const announce = () =>
      say(`Building ${program.name} ${program.version} from its Go module (once; then it is in the cache)`);
    await runGo(folder, ['build', ...flags, '-o', join(out, program.name), program.main], announce);
    say(`Built ${program.name} in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  });
  return join(cached, program.name);
}

/** Folder with the sources of a module that one of the pinned modules requires. */
export async function goSources(pinnedBy: string, path: string): Promise<string> {
  const { Dir } = JSON.parse(await runGo(join(MODULES, pinnedBy), ['mod', 'download', '-json', path])) as {
    readonly Dir: string;
  };
  return Dir;
}

async function runGo(cwd: string, args: readonly string[], announce?: () => void): Promise<string> {
  const command = await findGo();
  announce?.();
  const env = { CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly' };
  return run(command, args, { cwd, env, timeout: BUILD_DEADLINE_MS });
}

async function findGo(): Promise<string> {
  const needed = GO_AT_LEAST.join('.');
  const advice = `Install Go ${needed} or newer (https://go.dev/dl) so that go is on PATH.
It builds what has no package: etcd, the Kubernetes control plane and, for kind, its node. Debian 12's own Go is too old.`;
  const go = findOnPath('go');
  if (go === undefined)
    throw new Error(`Go ${needed} or newer is needed and there is none on PATH. ${advice}`);
  const version = (await run(go, ['env', 'GOVERSION'], { env: { GOTOOLCHAIN: 'local' } })).trim();
  const [major = 0, minor = 0] = version.replace(/^go/, '').split('.').map(Number);
  if (major < GO_AT_LEAST[0] || (major === GO_AT_LEAST[0] && minor < GO_AT_LEAST[1]))
    throw new Error(`Go ${needed} or newer is needed, ${go} is ${version}. ${advice}`);
  return go;
}
