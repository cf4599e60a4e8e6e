import {
  defaultPayloadConverter,
  METADATA_ENCODING_KEY,
  type Payload,
  type PayloadConverter,
} from '@temporalio/common';
import type { UnreadablePayload } from '../core/decision.js';
import { messageOf } from '../core/errors.js';

const JSON_PROTOBUF = 'json/protobuf';

/**
 * The default converter, but for payloads that a person sent in a form it cannot read. It would throw before the handler of
 * the signal is called; the workflow task would fail, be tried again, and fail for ever. Here such a payload becomes a value
 * that no decision has, so it is recorded as not counted. The Web UI offers `json/protobuf` beside `json/plain`: both are
 * read as JSON.
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (value) => defaultPayloadConverter.toPayload(value),
  fromPayload<T>(payload: Payload): T {
    const encoding = encodingOf(payload);
    try {
      if (encoding === JSON_PROTOBUF) return defaultPayloadConverter.fromPayload(asPlainJson(payload));
      return defaultPayloadConverter.fromPayload(payload);
    } catch (error) {
      const unreadablePayload = `${encoding}: ${messageOf(error)}`;
      return { unreadablePayload } satisfies UnreadablePayload as T;
    }
  },
};

function encodingOf({ metadata }: Payload): string {
  const bytes = metadata?.[METADATA_ENCODING_KEY];
  return bytes === undefined || bytes === null ? 'no encoding' : new TextDecoder().decode(bytes);
}

function asPlainJson(payload: Payload): Payload {
  return { ...payload, metadata: { [METADATA_ENCODING_KEY]: new TextEncoder().encode('json/plain') } };
}
