// The package resolves by its own name here, as the module lies in the package's folder, /app.
import { ServeMux } from 'asynq-operator';

const mux = new ServeMux();
mux.handle('imágenes:resize', async (task, { log, signal }) => {
  const src = task.payload.getString('src');
  signal.throwIfAborted();
  log.info({ src }, 'resized');
});
export default mux;
