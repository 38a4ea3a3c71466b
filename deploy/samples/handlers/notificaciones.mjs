// A handler of all tasks. What it throws is a failed attempt, and is retried.
export default async function notify(task, { log }) {
  if (task.type !== 'notificaciones:email') throw new Error(`no handler for ${task.type}`);
  log.info({ para: task.payload.getInt('para'), de: task.payload.getInt('de') }, 'sent');
}
