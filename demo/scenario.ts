import { Task } from '../src/tasks/task.ts';

/** One of the tutorial's queues, and what is put into it. */
export interface DemoQueue {
  readonly queue: string;
  readonly newTask: () => Task;
  /** Tasks at once, at the beginning. */
  readonly burst: number;
  /** Tasks a second, from then on. */
  readonly rate: number;
}

/** How long the steady load lasts, seconds. */
export const STEADY_SECONDS = 12;

export const QUEUES: readonly DemoQueue[] = [
  {
    queue: 'notificaciones',
    newTask: () => new Task('notificaciones:email', { para: 123, de: 456 }),
    burst: 600,
    rate: 20,
  },
  {
    queue: 'webhooks',
    newTask: () => new Task('webhooks:sync', { datos: 123 }),
    burst: 300,
    rate: 8,
  },
  {
    queue: 'imágenes',
    newTask: () => new Task('imágenes:resize', { src: 'alguna/ruta/a/imagen' }),
    burst: 120,
    rate: 3,
  },
];
