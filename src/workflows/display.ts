import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { SearchAttributes } from '../contract/names.js';
import type { RolloutStatus } from '../core/status.js';
import { statusMarkdown } from '../report/status-markdown.js';

type Shown = Partial<Record<keyof typeof SearchAttributes, string>>;

/** What the Web UI shows of a roll-out: current details on its page, search attributes in its list. */
export class Display {
  /** Search attributes block a workflow where they are not registered; an activity looks whether they are. */
  searchAttributes = false;
  #shown: Shown = {};

  /** Brings the view up to date; what has not changed is not written again. `phase` is the name of its gate. */
  show(status: RolloutStatus, phase: string): void {
    setCurrentDetails(statusMarkdown(status));
    const { live, to, state } = status;
    if (!this.searchAttributes || live === undefined) return;
    const wanted = { cluster: live.name, to, state, phase };
    const changed = (Object.keys(wanted) as (keyof typeof wanted)[]).filter((key) => this.#shown[key] !== wanted[key]);
    if (changed.length === 0) return;
    upsertSearchAttributes(changed.map((key) => ({ key: SearchAttributes[key], value: wanted[key] })));
    this.#shown = wanted;
  }
}
