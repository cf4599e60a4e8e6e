import { log, setCurrentDetails } from '@temporalio/workflow';
import type { NoticeChannel } from '../core/input/notices.js';
import { noticeSubject, noticeText, type Notice } from '../core/notice.js';
import { describeFailure } from './describe-failure.js';
import { notices } from './proxies.js';

/** A notice with the channels by which it goes. */
export interface NoticeRequest {
  readonly notice: Notice;
  readonly channels: readonly NoticeChannel[];
}

/**
 * Sends one notice by each of its channels, for as long as it is of use. A workflow of its own: a mail server that is away
 * holds no roll-out up.
 */
export async function notice({
  notice: told,
  channels,
}: NoticeRequest): Promise<{ readonly failed: readonly string[] }> {
  setCurrentDetails(['```', noticeText(told), '```'].join('\n'));
  const sent = await Promise.allSettled(
    channels.map((channel) =>
      notices.sendNotice.executeWithOptions({ summary: `${channel.type}: ${noticeSubject(told)}`.slice(0, 200) }, [
        { channel, notice: told },
      ]),
    ),
  );
  const failed = sent.flatMap((one, index) =>
    one.status === 'fulfilled' ? [] : [`${channels[index]?.type}: ${describeFailure(one.reason)}`],
  );
  if (failed.length > 0) log.warn('notice not sent', { id: told.id, failed });
  return { failed };
}
