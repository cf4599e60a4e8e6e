import type { Finding } from '../finding.js';
import type { Check } from '../survey/survey.js';
import { noteUnseen, soundStores } from './about-store.js';

/** Messages that the servers put aside are worth knowing before their code changes. */
export const deadLetters: Check = (survey, context) =>
  soundStores(survey, context).flatMap(({ store, name }): Finding[] => {
    if (store.cluster === undefined) return [];
    const { deadLetters: letters } = store.cluster;
    if ('unseen' in letters) {
      return [noteUnseen('dead-letters-unseen', `dead letter queues of ${name}`, letters.unseen)];
    }
    const { namespaceReplication, historyTasks, countedTo } = letters.seen;
    const text = (count: number) => (count < countedTo ? `${count}` : `${count} or more`);
    const kinds = [
      ...(historyTasks === 0 ? [] : [`${text(historyTasks)} of history tasks`]),
      ...(namespaceReplication === 0 ? [] : [`${text(namespaceReplication)} of namespace replication`]),
    ];
    if (kinds.length === 0) return [];
    return [
      {
        id: 'dead-letters',
        severity: 'note',
        found: `the dead letter queues of ${name} hold messages: ${kinds.join(', ')}`,
        action: 'Look at them with "tdbg dlq" while the version that wrote them runs',
        source: 'common/persistence/queue_v2.go and sql/queue.go of the server',
      },
    ];
  });
