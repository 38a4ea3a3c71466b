import { spawn } from 'node:child_process';
import { styleText } from 'node:util';

/** One part of a check: what it is called, and the work, which throws with what is wrong. */
export interface Step {
  readonly name: string;
  readonly work: () => Promise<void>;
}

/** Runs the step and prints one line with its time, and on failure what is wrong. Gives whether it went well. */
export async function runStep({ name, work }: Step): Promise<boolean> {
  const started = performance.now();
  const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  try {
    await work();
    console.log(`${styleText('green', 'ok')}      ${name}  ${styleText('dim', seconds())}`);
    return true;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    console.log(`${styleText('red', 'FAILED')}  ${name}  ${styleText('dim', seconds())}\n${text}\n`);
    return false;
  }
}

/** Runs a tool of node_modules/.bin to its end; a failure carries all that it printed. */
export function tool(command: string, ...args: string[]): Promise<void> {
  return toolIn('.', command, ...args);
}

export function toolIn(cwd: string, command: string, ...args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: '1' };
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const printed: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => printed.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => printed.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) return resolve();
      const text = Buffer.concat(printed).toString().trim();
      reject(new Error(text === '' ? `${command} ended with ${signal ?? `exit code ${code}`}` : text));
    });
  });
}
