/**
 * The part of client-node that runs: authentication. `npm run build` puts its code into this one file of dist, since
 * as it comes it is 50 packages, 65 MB and half a second at every start.
 */
export { HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node';
