import { execFile } from 'node:child_process';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Milliseconds until it is killed. @default 60000 */
  readonly timeout?: number;
}

/** Runs a command to its end and gives its stdout; a failure carries the command and what it said on stderr. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { cwd, env, input, timeout = 60_000 } = options;
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      { cwd, env: { ...process.env, ...env }, timeout, killSignal: 'SIGKILL', maxBuffer: 256 << 20 },
      (error, stdout, stderr) => {
        if (error === null) return resolve(stdout);
        const said = stderr.trim() || stdout.trim() || error.message;
        reject(new Error(`${command} ${args.join(' ')}: ${said}`, { cause: error }));
      },
    );
    // It may end without having read what it was given (EPIPE); its exit code tells whether that was well.
    child.stdin?.on('error', () => {}).end(input);
  });
}
