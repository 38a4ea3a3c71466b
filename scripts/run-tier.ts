import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { errorText } from '../src/runtime/errors.ts';

export const TIERS = ['unit', 'redis', 'api', 'e2e'] as const;
export type Tier = (typeof TIERS)[number];

/** Their tests mostly wait, for Redis and for processes: more of them run at once than there are cores. */
const WAITING_TIERS: ReadonlySet<Tier> = new Set(['redis', 'api']);

export type TierResult =
  | {
      readonly kind: 'ran';
      readonly tier: Tier;
      readonly passed: number;
      readonly failed: number;
      readonly skipped: number;
      readonly seconds: number;
    }
  | { readonly kind: 'could-not-run'; readonly tier: Tier; readonly why: string };

/** Gets what the tier needs, then runs its tests in a vitest of their own, which prints as it goes. */
export async function runTier(tier: Tier, vitestArguments: readonly string[]): Promise<TierResult> {
  console.log(styleText('bold', `\n== ${tier}`));
  const started = performance.now();
  try {
    await prepare(tier);
  } catch (error) {
    const why = errorText(error);
    console.log(why);
    return { kind: 'could-not-run', tier, why: why.split('\n')[0] ?? why };
  }
  const folder = mkdtempSync(join(tmpdir(), 'asynq-test-'));
  try {
    const report = join(folder, 'report.json');
    const code = await vitest(tier, report, vitestArguments);
    return { kind: 'ran', tier, ...counts(report, code), seconds: (performance.now() - started) / 1000 };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What is built or unpacked once, before the clock of any test runs. */
async function prepare(tier: Tier): Promise<void> {
  if (tier === 'unit') return;
  const { prepare: get } = (await import(`../test/support/${tier}-tier.ts`)) as {
    prepare: (say: (line: string) => void) => Promise<void>;
  };
  await get((line) => console.log(line));
}

function vitest(tier: Tier, report: string, more: readonly string[]): Promise<number> {
  const args = [
    'run',
    '--project',
    tier,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  if (WAITING_TIERS.has(tier) && !more.some((argument) => argument.startsWith('--maxWorkers'))) {
    args.push(`--maxWorkers=${availableParallelism() + 1}`);
  }
  // With a filter, a tier may well have nothing to say.
  if (more.length > 0) args.push('--passWithNoTests', ...more);
  return new Promise((resolve, reject) => {
    const child = spawn('vitest', args, { stdio: 'inherit' });
    const pass = (signal: NodeJS.Signals) => child.kill(signal);
    process.once('SIGTERM', pass).once('SIGHUP', pass);
    child.on('error', reject);
    child.on('close', (code) => {
      process.off('SIGTERM', pass).off('SIGHUP', pass);
      resolve(code ?? 1);
    });
  });
}

/** A failure that is no test's own (a file that does not load, an unhandled rejection) counts as one. */
function counts(report: string, code: number): { passed: number; failed: number; skipped: number } {
  let json = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 };
  try {
    json = JSON.parse(readFileSync(report, 'utf8')) as typeof json;
  } catch {
    // vitest ended before it could write one; its exit code tells.
  }
  return {
    passed: json.numPassedTests,
    failed: code === 0 ? json.numFailedTests : Math.max(json.numFailedTests, 1),
    skipped: json.numPendingTests + json.numTodoTests,
  };
}
