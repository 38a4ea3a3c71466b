/**
 * `npm test`, `npm run test:<tier>`: runs tiers one after the other, says what each builds and how long it took, and
 * ends with a line a tier and one in total. What follows the tiers goes to vitest: file filters, `-t name`.
 *
 * A tier that cannot run here says why. It fails when CI is set, and when it was all that was asked for.
 */
import { styleText } from 'node:util';
import { runTier, TIERS, type Tier, type TierResult } from './run-tier.ts';

const isTier = (argument: string): argument is Tier => TIERS.some((tier) => tier === argument);
const words = process.argv.slice(2);
const end = [...words, ''].findIndex((word) => !isTier(word));
const tiers = words.slice(0, end).filter(isTier);
const rest = words.slice(end);
const mustRun = tiers.length === 1 || ['true', '1'].includes(process.env['CI'] ?? '');

// A terminal sends Ctrl-C to vitest as well, which puts its servers away: wait for that, then begin nothing more.
let interrupted = false;
process.on('SIGINT', () => {
  interrupted = true;
});
const results: TierResult[] = [];
for (const tier of tiers) {
  if (!interrupted) results.push(await runTier(tier, rest));
}

console.log();
for (const result of results) console.log(line(result));
const passed = sum((result) => result.passed);
const failed = sum((result) => result.failed);
const hasRun = results.some((result) => result.kind === 'ran');
const isIdle = !interrupted && hasRun && passed + failed === 0;
if (isIdle) console.log(`No test matches ${rest.join(' ')}`);
const ok =
  !interrupted && failed === 0 && !isIdle && results.every((result) => result.kind === 'ran' || !mustRun);
console.log(styleText(ok ? 'green' : 'red', `${passed} passed, ${failed} failed`));
process.exitCode = ok ? 0 : 1;

function line(result: TierResult): string {
  const name = result.tier.padEnd(6);
  if (result.kind === 'could-not-run') return styleText('yellow', `${name} did not run: ${result.why}`);
  const skipped = result.skipped === 0 ? '' : `, ${result.skipped} skipped`;
  return `${name} ${result.passed} passed, ${result.failed} failed${skipped} in ${result.seconds.toFixed(1)} s`;
}

function sum(of: (result: TierResult & { kind: 'ran' }) => number): number {
  return results.reduce((total, result) => total + (result.kind === 'ran' ? of(result) : 0), 0);
}
