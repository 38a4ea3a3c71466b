import type { KubeClient, ListOptions, Page } from './api.ts';
import { isGone } from './kube-error.ts';
import type { KubeObject } from './object.ts';
import type { Resource } from './resource.ts';

/** Times that a `continue` may be found too old before the list counts as failed. */
const RESTARTS = 3;

export interface Snapshot<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

/** All pages of one list. A server that forgot the snapshot in the middle is asked for a new one. */
export async function takeSnapshot<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  options: Omit<ListOptions, 'continue'>,
  keep: (object: T) => T,
): Promise<Snapshot<T>> {
  for (let restarts = 0; ; restarts++) {
    try {
      return await readPages(client, resource, options, keep);
    } catch (error) {
      if (!isGone(error) || restarts === RESTARTS) throw error;
    }
  }
}

async function readPages<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  options: Omit<ListOptions, 'continue'>,
  keep: (object: T) => T,
): Promise<Snapshot<T>> {
  const items: T[] = [];
  let page: Page<T> | undefined;
  do {
    page = await client.list(resource, { ...options, ...(page?.continue && { continue: page.continue }) });
    for (const item of page.items) items.push(keep(item));
  } while (page.continue !== undefined);
  return { items, resourceVersion: page.resourceVersion };
}
