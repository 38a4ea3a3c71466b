import { beforeEach, describe, expect, it } from 'vitest';
import { QUEUES } from '../../../demo/scenario.ts';
import { Story } from '../../../demo/story.ts';
import { faultsOf } from '../../../demo/verdict.ts';

let story: Story;

beforeEach(() => {
  story = new Story(1_000);
});

const status = (queue: string, replicas: number, readyReplicas: number, at = 0) =>
  story.hear({ type: 'status', name: 'any', status: { queue, replicas, readyReplicas } }, at);

const handled = (queue: string, taskId: string) =>
  story.hear(
    {
      type: 'output',
      worker: 'w',
      stream: 'stdout',
      line: JSON.stringify({ msg: 'handled', queue, taskId }),
    },
    0,
  );

/** One task in each queue, and workers that come and go. */
function goodStory(): void {
  story.loadBegins(2_000);
  for (const { queue } of QUEUES) {
    story.enqueued(queue, 'id');
    status(queue, 2, 0, 2_100);
    status(queue, 2, 1, 2_500);
    status(queue, 2, 2, 2_600);
    handled(queue, 'id');
  }
  story.loadIsOver();
  for (const { queue } of QUEUES) status(queue, 0, 0, 9_000);
}

const faults = () => faultsOf(story.result(10_000).queues);

describe('the story of the demo', () => {
  it('is complete when all tasks are done and all workers are gone', () => {
    goodStory();
    expect(story.isComplete).toBe(true);
    expect(faults()).toEqual([]);
    expect(story.result(31_050).result).toEqual({
      enqueued: 3,
      processed: 3,
      lost: 0,
      repeated: 0,
      peakReplicas: { notificaciones: 2, webhooks: 2, imágenes: 2 },
      firstReplicaMs: 500,
      seconds: 30.1,
    });
  });

  it('is not complete while the load runs', () => {
    story.loadBegins(0);
    for (const { queue } of QUEUES) {
      status(queue, 1, 1);
      status(queue, 0, 0);
    }
    expect(story.isComplete).toBe(false);
    story.loadIsOver();
    expect(story.isComplete).toBe(true);
  });

  it('counts a task that no handler finished as lost', () => {
    goodStory();
    story.enqueued('webhooks', 'another');
    expect(story.isComplete).toBe(false);
    expect(faults()).toEqual(['webhooks: 1 of 2 tasks were not processed']);
    expect(story.result(0).result).toMatchObject({ enqueued: 4, processed: 3, lost: 1 });
  });

  it('does not let a second run of one task make up for another', () => {
    goodStory();
    story.enqueued('webhooks', 'another');
    handled('webhooks', 'id');
    handled('imágenes', 'nobody enqueued this');
    expect(story.result(0).result).toMatchObject({ processed: 3, lost: 1, repeated: 2 });
    expect(faults()).toEqual([
      'webhooks: 1 of 2 tasks were not processed',
      'webhooks: handlers ran 1 times more than once a task',
      'imágenes: handlers ran 1 times more than once a task',
    ]);
  });

  it('does not count a run in another queue', () => {
    goodStory();
    story.enqueued('webhooks', 'another');
    handled('imágenes', 'another');
    expect(story.result(0).result.lost).toBe(1);
  });

  it('wants workers to have been ready, and to be gone', () => {
    goodStory();
    status('webhooks', 1, 1);
    expect(faults()).toEqual(['webhooks: workers did not go back to zero (1 ready)']);
    story = new Story(0);
    expect(faults()).toEqual(QUEUES.map(({ queue }) => `${queue}: no worker ever became ready`));
    expect(story.result(0).result.firstReplicaMs).toBeNull();
  });

  it('remembers what the operator warned of last', () => {
    const event = {
      type: 'event',
      name: 'webhooks',
      reason: 'CrashLoopBackOff',
      message: 'exit code 1',
    } as const;
    story.hear({ ...event, severity: 'Warning' }, 0);
    story.hear({ ...event, severity: 'Normal', reason: 'ScaledUp' }, 0);
    expect(story.lastWarning).toBe('webhooks: CrashLoopBackOff: exit code 1');
  });

  it('takes no other output for a task', () => {
    story.enqueued('webhooks', 'id');
    story.hear({ type: 'output', worker: 'w', stream: 'stdout', line: 'handled' }, 0);
    story.hear({ type: 'log', line: '{"msg":"handled","queue":"webhooks","taskId":"id"}' }, 0);
    expect(story.result(0).result.processed).toBe(0);
  });
});
