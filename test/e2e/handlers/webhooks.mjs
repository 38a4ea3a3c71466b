export default {
  'webhooks:sync': (task, { log }) => log.info({ datos: task.payload.getInt('datos') }, 'synced'),
};
