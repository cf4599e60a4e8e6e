/** What is written down at a workload, before anything of it is changed. */

/** How it was before this tool held it, as JSON: what is put back after the roll. */
export const HELD = 'temporal-upgrade/before';
/** How many pods it had before it was stopped for a restore. */
export const STOPPED = 'temporal-upgrade/replicas';
/** The run of helm that is under way, as JSON: one that was killed is known again by it. */
export const HELM_RUN = 'temporal-upgrade/helm';
