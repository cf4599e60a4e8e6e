import { messageOf } from '../../core/errors.js';
import type { Pod } from '../../core/pods/pod.js';
import type { Context } from './context.js';
import { EventShape, listOf } from './shapes.js';

const EventList = listOf(EventShape);
const MOST_EVENTS = 6;
const LOG_LINES = 12;
const MOST_LOG = 2_000;

/** What an object's events say, the latest last; a line that says why they could not be had. */
export async function eventsOf({ api, input }: Context, uid: string): Promise<string[]> {
  try {
    const query = { fieldSelector: `involvedObject.uid=${uid}` };
    const { items } = EventList.parse(await api.get(`/api/v1/namespaces/${input.namespace}/events`, query));
    return items
      .map((event) => ({
        ...event,
        at: event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? '',
      }))
      .toSorted((a, b) => (a.at < b.at ? -1 : 1))
      .slice(-MOST_EVENTS)
      .map(({ reason, message, count, type }) => {
        const times = (count ?? 1) > 1 ? ` (${count} times)` : '';
        return `${type === 'Normal' ? '' : `${type ?? 'event'} `}${reason ?? ''}: ${message ?? ''}${times}`;
      });
  } catch (error) {
    return [`its events could not be read: ${messageOf(error)}`];
  }
}

/** Events and last log lines of a pod, for people. A container that ended is asked for the log of its last run. */
export async function describePod(context: Context, pod: Pod): Promise<string> {
  const [events, log] = await Promise.all([eventsOf(context, pod.uid), lastLines(context, pod)]);
  return [
    ...(events.length === 0 ? ['It has no events'] : ['Its events:', ...events.map((line) => `  ${line}`)]),
    ...(log.length === 0 ? ['It has no log'] : ['The end of its log:', ...log.map((line) => `  ${line}`)]),
  ].join('\n');
}

async function lastLines({ api, input }: Context, pod: Pod): Promise<string[]> {
  const path = `/api/v1/namespaces/${input.namespace}/pods/${pod.name}/log`;
  const query = { container: pod.container, tailLines: LOG_LINES };
  try {
    const previous = pod.ended !== undefined && pod.restarts > 0 && !pod.running;
    const text = previous
      ? await api.text(path, { ...query, previous: true }).catch(() => api.text(path, query))
      : await api.text(path, query);
    return text.slice(-MOST_LOG).trimEnd().split('\n').filter(Boolean);
  } catch (error) {
    return [`its log could not be read: ${messageOf(error)}`];
  }
}
