import { loadCatalogue } from './adapters/catalogue-file.js';
import type { Finding } from './core/finding.js';
import type { Path, Stores } from './core/plan.js';
import { planPath, type PathRequest } from './core/planning/path.js';
import { checkVersion } from './core/planning/version-check.js';

/** A cluster that is only described. */
export type OfflineRequest = Omit<PathRequest, 'catalogue'>;

/** The path of a cluster that is only described: asks nobody. @throws UnsupportedPathError, PreconditionError */
export async function planOffline(request: OfflineRequest): Promise<Path> {
  return planPath({ ...request, catalogue: await loadCatalogue() });
}

/** What is to be said of a server version that is only named. */
export async function checkOffline(version: string, stores: Stores): Promise<Finding[]> {
  return checkVersion({ catalogue: await loadCatalogue(), version, stores });
}
