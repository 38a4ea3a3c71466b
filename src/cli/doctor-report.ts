import { examine } from '../broker/doctor.ts';
import type { Finding } from '../broker/doctor-findings.ts';
import type { RedisRouter } from '../redis/router.ts';
import { checkQueueName } from '../wire/keys.ts';
import type { Context } from './context.ts';
import type { Bold, Findings } from './output.ts';
import { INTERRUPTED } from './program.ts';
import { ProgressBar } from './progress.ts';
import { renderTable, visible } from './table.ts';

/** @throws ASYNQ_QUEUE_NAME_INVALID */
export async function examineRedis(
  redis: RedisRouter,
  { terminal, clock }: Pick<Context, 'terminal' | 'clock'>,
  { queues, fix }: { readonly queues: readonly string[]; readonly fix: boolean },
): Promise<Findings> {
  for (const queue of queues) checkQueueName(queue);
  using interruption = terminal.interruptible();
  using bar = new ProgressBar(terminal, clock, fix ? 'mending' : 'examining');
  const { signal } = interruption;
  const found = await examine(
    { router: redis, clock },
    {
      ...(queues.length > 0 && { queues }),
      mend: fix,
      onProgress: (done, total) => bar.update(done, total),
      signal,
    },
  );
  const isHealthy = found.every(({ isFault, count, fixed }) => !isFault || fixed >= count);
  return {
    data: found,
    text: (bold) => doctorText(found, fix, bold),
    ...(signal.aborted && { failures: ['interrupted: what was not looked at may be broken'] }),
    exitCode: signal.aborted ? INTERRUPTED : isHealthy ? 0 : 1,
  };
}

function doctorText(found: readonly Finding[], fix: boolean, bold: Bold): string {
  if (found.length === 0) return 'Nothing is amiss\n';
  const table = renderTable(
    ['Queue', 'Code', 'Count', 'Fixed', 'Examples'],
    found.map(({ queue, code, count, fixed, examples }) => [
      queue ?? '-',
      code,
      String(count),
      String(fixed),
      examples.join(' ') + (count > examples.length ? ' ...' : ''),
    ]),
  );
  const kinds = [...new Map(found.map((finding) => [finding.code, finding])).values()];
  const notes = kinds.map(({ code, what, fix: mending }) => {
    const does = mending === undefined ? '' : ` --fix ${mending}.`;
    return `${bold(code)}: ${visible(what)}.${does}\n`;
  });
  const canFix = !fix && found.some((finding) => finding.fix !== undefined);
  return `${table}\n${notes.join('')}${canFix ? '\nRun it with --fix to mend them.\n' : ''}`;
}
