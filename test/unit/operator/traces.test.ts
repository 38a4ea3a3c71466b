import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ScalingSpec } from '../../../src/operator/asynq-queue.ts';
import { decide } from '../../../src/operator/autoscaler.ts';
import { NO_HISTORY } from '../../../src/operator/decision.ts';
import { specOf } from './builders.ts';
import { type Load, QueueModel } from './queue-model.ts';

/**
 * Golden traces: a load, the scaling it runs under, and each change of the decision that followed, once a second. They
 * are read by people: a change of the decision code shows here as the replicas that it moves. `vitest -u` writes them.
 */
interface Trace {
  readonly about: string;
  readonly scaling: Partial<ScalingSpec>;
  readonly load: Load;
}

const FOLDER = new URL('./traces/', import.meta.url);

/** Their numbers move each second. */
const DAMPERS = /^(StabilizationWindow|Tolerance|MaxReplicas|QueueConcurrency|QueueRate) /;

function decisions({ scaling, load }: Trace): string[] {
  const model = new QueueModel(load);
  const spec = specOf({ scaling });
  const lines: string[] = [];
  let history = NO_HISTORY;
  let last = '';
  for (let second = 0; second <= load.seconds; second++) {
    const observation = { reading: model.reading(), fleet: model.fleet() };
    const decision = decide(spec, observation, history, second * 1000);
    history = decision.history;
    const limiters = decision.limiters.map(({ name, before, after }) => `${name} ${before}>${after}`);
    const telling = limiters.filter((limiter) => !DAMPERS.test(limiter));
    const line = [`desired ${decision.desired}`, decision.reason, ...telling].join(', ');
    if (line !== last) lines.push(`${second} s: ${line}`);
    last = line;
    model.scale(decision.desired);
    model.advanceOneSecond();
  }
  return lines;
}

describe('golden traces', () => {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

  it.each(files)('%s', async (file) => {
    const path = new URL(file, FOLDER);
    const { about, scaling, load } = JSON.parse(readFileSync(path, 'utf8')) as Trace;
    const trace = { about, scaling, load };
    const text = `${JSON.stringify({ ...trace, decisions: decisions(trace) }, null, 2)}\n`;
    await expect(text).toMatchFileSnapshot(path.pathname);
  });
});
