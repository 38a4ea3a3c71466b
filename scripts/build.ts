/** `npm run build`: src -> dist, as it is published: JavaScript and types, the Lua scripts, executables that are ones. */
import { chmodSync, cpSync, globSync, rmSync } from 'node:fs';
import { bundleClientNode } from './bundle-client-node.ts';
import { runStep, tool } from './run-step.ts';

export async function build(): Promise<void> {
  rmSync('dist', { recursive: true, force: true });
  await tool('tsc', '-p', 'tsconfig.build.json');
  await bundleClientNode();
  cpSync('src/broker/scripts', 'dist/broker/scripts', { recursive: true });
  for (const executable of globSync('dist/bin/*.js')) chmodSync(executable, 0o755);
}

if (import.meta.main && !(await runStep({ name: 'build', work: build }))) process.exitCode = 1;
