/** What is written down at an object, before anything of it is changed. */

/** How it was before this tool held it, as JSON: what is put back after the roll. */
export const HELD = 'temporal-upgrade/before';
/** How many pods it had before it was stopped for a restore. */
export const STOPPED = 'temporal-upgrade/replicas';
/** At a ConfigMap: what its dynamic configuration was before the settings of a roll were written into it, as JSON by its keys. */
export const SETTINGS = 'temporal-upgrade/settings';
/** The run of helm that is under way, as JSON: one that was killed is known again by it. */
export const HELM_RUN = 'temporal-upgrade/helm';

/** Among pods that are equally ready a ReplicaSet takes the one with the lowest first: Kubernetes' own, since 1.22. */
export const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
/** Below any that an operator is likely to give; the lowest that is allowed is -2147483648. */
export const GOES_FIRST = '-2000000000';
