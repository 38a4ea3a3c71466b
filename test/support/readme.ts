import { readFileSync } from 'node:fs';

const README = new URL('../../README.md', import.meta.url);

/** The code of README.md's one block in `language`. */
export function readmeBlock(language: string): string {
  const blocks = readFileSync(README, 'utf8').matchAll(/^```(\S+)\n(.*?)^```$/gms);
  const [block, ...more] = [...blocks].filter(([, tag]) => tag === language);
  if (block === undefined || more.length > 0) throw new Error(`README.md: expected one block in ${language}`);
  return block[2] ?? '';
}
