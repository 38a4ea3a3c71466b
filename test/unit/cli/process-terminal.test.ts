import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

const MODULE = fileURLToPath(new URL('../../../src/cli/process-terminal.ts', import.meta.url));

const PROGRAM = `
  import { processTerminal } from ${JSON.stringify(MODULE)};
  const terminal = processTerminal();
  const { signal } = terminal.interruptible();
  signal.addEventListener('abort', () => terminal.out('asked to end\\n'));
  setInterval(() => {}, 1_000);
  terminal.out('at work\\n');
`;

it('lets the first Ctrl-C ask, and the second end the process', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exit = once(child, 'exit');
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    child.kill('SIGINT');
  }
  expect(said).toEqual(['at work', 'asked to end']);
  expect(await exit).toEqual([130, null]);
});
