import { z } from 'zod';
import { Duration } from '../duration.js';
import { IDENTITY_GRADES } from '../identity.js';
import { anyShape } from './input-checks.js';
import { Windows } from './windows.js';

/** A name as it stands, or with `*` for anything, such as `*@sre.example.com`. */
const NamePattern = z.string().trim().min(1).max(200);

/** Who decides at the gates of one target, and how sure that has to be. */
export const ApprovalPolicy = z
  .strictObject({
    approvers: z
      .array(NamePattern)
      .min(1)
      .max(100)
      .optional()
      .describe('Who may decide: names, or patterns such as "*@sre.example.com"; anybody when left out.'),
    identity: z
      .enum(IDENTITY_GRADES)
      .default('said')
      .describe(
        'What counts as the name of who decides: said ("by" of the payload), claimed (identity of the event), or proved (principal that the server computed, from 1.31 on with an authorizer).',
      ),
    count: z.int().min(1).max(10).default(1).describe('How many different people have to approve.'),
    starterMayApprove: z
      .boolean()
      .default(true)
      .describe('Whether who started the roll-out may approve too; false takes identity claimed or proved.'),
    reasonRequired: z.boolean().default(false).describe('Whether a decision needs a reason.'),
    automatic: z
      .boolean()
      .default(false)
      .describe('A gate is passed by itself when everything before it passed; a person is asked otherwise.'),
    windows: Windows.optional().describe(
      'When the schemas may be upgraded and the servers replaced; at any time when left out. Gates can be decided at any time.',
    ),
    expires: Duration.optional().describe(
      'A gate that nobody has passed for so long becomes an incident; its evidence is old then.',
    ),
  })
  .superRefine(reportApprovalProblems, anyShape);
export type ApprovalPolicy = z.infer<typeof ApprovalPolicy>;

function reportApprovalProblems(
  { identity, starterMayApprove, automatic, count, expires }: Partial<z.infer<typeof ApprovalPolicy>>,
  context: z.RefinementCtx,
): void {
  const report = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
  if (starterMayApprove === false && identity === 'said')
    report('starterMayApprove', 'is false, but anybody can say any name: set identity to claimed or proved');
  if (automatic === true && count !== undefined && count > 1)
    report('automatic', `is true, but ${count} people have to approve; leave one of the two out`);
  if (expires === 0) report('expires', 'is 0: no gate could ever be passed; leave it out for gates that do not expire');
}
