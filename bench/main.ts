import { arch, cpus, platform } from 'node:os';
import { errorText } from '../src/runtime/errors.ts';
import { startRedisCluster } from '../test/lab/redis-cluster.ts';
import { CASES } from './cases.ts';
import { Bench } from './measure.ts';
import { benchOptions } from './options.ts';
import { measureOwn } from './own.ts';
import { reportJson, reportTables } from './report.ts';
import type { CaseResult, Pair } from './statistics.ts';

/**
 * `npm run bench [-- --output json] [--pairs N] [--tasks N]`: ours against Go's asynq, in turn on one Redis Cluster of this
 * machine. Absolute figures are the machine's; ratios of one run are what counts.
 */
try {
  const { output, pairs, tasks } = benchOptions(process.argv.slice(2));
  say(`Node ${process.version}, ${platform()}/${arch()}, ${cpus().length} CPUs; ${pairs} pairs a case`);
  await using cluster = await startRedisCluster();
  await using bench = await Bench.on(cluster.addrs);

  const results: CaseResult[] = [];
  for (const each of CASES) {
    const one = { ...each, tasks: Math.min(each.tasks, tasks ?? each.tasks) };
    const most = Math.min(pairs, each.mostPairs ?? pairs);
    const taken: Pair[] = [];
    for (let i = 1; i <= most; i++) {
      // One queue for all: the same key slot, the same master.
      const go = await bench.measure('go', one, 'bench');
      const ours = await bench.measure('ours', one, 'bench');
      taken.push({ ours, go });
      say(
        `${one.name} ${i}/${most}: ${ours.tasksPerSecond.toFixed(0)}/s, Go ${go.tasksPerSecond.toFixed(0)}/s`,
      );
    }
    results.push({ name: one.name, pairs: taken });
  }
  const own = await measureOwn(cluster.addrs, 'bench', tasks ?? Number.POSITIVE_INFINITY, say);
  process.stdout.write(output === 'json' ? `${reportJson(results, own)}\n` : reportTables(results, own));
} catch (error) {
  process.stderr.write(`error: ${errorText(error)}\n`);
  process.exitCode = 1;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
