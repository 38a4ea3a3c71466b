import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { REFUSALS } from '../../../src/operator/refusal.ts';

const page = readFileSync(new URL('../../../docs/status.md', import.meta.url), 'utf8');

describe('docs/status.md', () => {
  it.each(Object.entries(REFUSALS))('says what %s means', (reason, meaning) => {
    expect(page).toContain(`| \`${reason}\` | ${meaning} |`);
  });

  it('names every condition, reason of a decision and limiter that the code has', () => {
    const source = ['conditions', 'decision'].map((room) =>
      readFileSync(new URL(`../../../src/operator/${room}.ts`, import.meta.url), 'utf8'),
    );
    const conditions = source.join().matchAll(/verdict\('(\w+)'/g);
    const words = source.join().matchAll(/^ {2}\| '(\w+)'/gm);
    const missing = [...conditions, ...words]
      .map(([, word = '']) => word)
      .filter((word) => !page.includes(`\`${word}\``));
    expect(missing).toEqual([]);
  });

  it('names every event that is told', () => {
    const rooms = ['transitions', 'reconciler', 'limits-enforcement', 'paused-flag'];
    const source = rooms
      .map((room) => readFileSync(new URL(`../../../src/operator/${room}.ts`, import.meta.url), 'utf8'))
      .join();
    const told = [
      ...source.matchAll(/\b(?:tell|normal|warning)\((?:.*\? )?'(\w+)'(?: : '(\w+)')?/g),
      ...source.matchAll(/\breason: '(\w+)'/g),
    ].flatMap(([, ...words]) => words.filter((word) => word !== undefined));
    expect(told).toEqual(expect.arrayContaining(['ScaledUp', 'ScaledDown', 'PausedCorrected', 'Recovered']));
    const [, events = ''] = page.split('## Events');
    expect(told.filter((word) => !events.includes(`\`${word}\``))).toEqual([]);
  });
});
