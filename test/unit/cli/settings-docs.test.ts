import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { asynqProgram } from '../../../src/cli/asynq.ts';
import { Context } from '../../../src/cli/context.ts';
import { SETTING_NAMES } from '../../../src/cli/settings.ts';
import { fakeTerminal } from './run.ts';

const page = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');

it('docs/cli.md has each setting with its flags, variable, key and default', () => {
  const { options } = asynqProgram(new Context({ terminal: fakeTerminal() }));
  const rows = page.split('\n').filter((line) => line.startsWith('| `-'));
  const expected = SETTING_NAMES.map((name) => {
    const option = options.find(({ long }) => long === `--${name}`);
    const flags = [option?.short, option?.long].filter(Boolean).map((flag) => `\`${flag}\``);
    return `| ${flags.join(', ')} | \`${name.toUpperCase()}\` | \`${name}\` |`;
  });
  expect(rows.map((row) => row.split('|').slice(0, 4).join('|') + '|')).toEqual(expected);
  const defaults = options.filter(
    ({ defaultValue }) => typeof defaultValue === 'number' || defaultValue === false,
  );
  for (const { long, defaultValue } of defaults) {
    expect(rows.find((row) => row.includes(`\`${long}\``))).toContain(`| \`${defaultValue}\` |`);
  }
});
