import type { Role } from '../input/input.js';
import type { Seen } from './seen.js';

/** What Compose and its engine say of the services of a target, beside their processes. Plain data, without secrets. */
export interface ComposeSurvey {
  readonly project: string;
  /** The words of the input that run Compose. */
  readonly command: string;
  /** What Compose says of its version, for people. */
  readonly version: Seen<string>;
  readonly services: Seen<readonly ComposeServiceSurvey[]>;
  /** What keeps services from being replaced one by one. */
  readonly obstacles: Seen<readonly { readonly what: string; readonly remedy: string }[]>;
  /** Our file with the images. */
  readonly overrideFile: string;
  /** What an operator has to do so that an "up" by hand reads that file too; absent where it does. */
  readonly toKeep?: string | undefined;
}

export interface ComposeServiceSurvey {
  readonly service: string;
  readonly roles: readonly Role[];
  readonly containers: number;
  /** Whether it has a check of its health. */
  readonly isChecked: boolean;
}
