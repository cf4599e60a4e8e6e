import { defaultPayloadConverter } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';

/** The value of the first payload, undefined when there is none or it cannot be read. */
export function valueIn(payloads: readonly temporal.api.common.v1.IPayload[] | null | undefined): unknown {
  const payload = payloads?.[0];
  if (payload === undefined) return undefined;
  try {
    return defaultPayloadConverter.fromPayload(payload);
  } catch {
    return undefined;
  }
}
