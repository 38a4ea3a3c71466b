/** `npm run build`: src -> dist, as it is published: JavaScript and types, the Lua scripts, executables that are ones. */
import { chmodSync, copyFileSync, globSync, rmSync } from 'node:fs';
import { bundleClientNode } from './bundle-client-node.ts';
import { runStep, tool } from './run-step.ts';

export async function build(): Promise<void> {
  rmSync('dist', { recursive: true, force: true });
  await tool('tsc', '-p', 'tsconfig.build.json');
  await bundleClientNode();
  for (const script of globSync('src/**/*.lua')) copyFileSync(script, script.replace(/^src/, 'dist'));
  for (const executable of globSync('dist/bin/*.js')) chmodSync(executable, 0o755);
}

if (import.meta.main && !(await runStep({ name: 'build', work: build }))) process.exitCode = 1;
