import { readFileSync } from 'node:fs';

/** The code of README.md's one block in `language`. */
export function readmeBlock(language: string): string {
  return markdownBlock('README.md', language);
}

/** The code of the one block in `language` of a page of this repository. */
export function markdownBlock(page: string, language: string): string {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
  const blocks = [...text.matchAll(/^```(\S+)\n(.*?)^```$/gms)];
  const [block, ...more] = blocks.filter(([, tag]) => tag === language);
  if (block === undefined || more.length > 0) throw new Error(`${page}: expected one block in ${language}`);
  return block[2] ?? '';
}
