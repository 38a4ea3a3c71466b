import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface BinResult {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Path of one of our executables, as the source has it. */
export function binPath(name: 'asynq' | 'asynq-operator'): string {
  return fileURLToPath(new URL(`../../src/bin/${name}.ts`, import.meta.url));
}

/** Runs one of our executables to its end, with a bare environment and `env`. */
export function runBin(
  name: 'asynq' | 'asynq-operator',
  args: readonly string[],
  options: { env?: Readonly<Record<string, string>>; cwd?: string; input?: string } = {},
): Promise<BinResult> {
  const { env = {}, cwd, input } = options;
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [binPath(name), ...args],
      { env: { PATH: process.env['PATH'], ...env }, cwd, timeout: 30_000, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : (error.code ?? error.signal ?? 'killed');
        resolve({ code, stdout, stderr });
      },
    );
    child.stdin?.end(input);
  });
}
