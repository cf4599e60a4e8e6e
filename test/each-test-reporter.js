import { stderr } from 'node:process';

/** Says each test as it ends: those of whole clusters take minutes, and jest tells of them only when their file ends. */
export default class EachTestReporter {
  onTestCaseResult(_test, { status, fullName, duration }) {
    const seconds = ((duration ?? 0) / 1_000).toFixed(1);
    stderr.write(`  ${status} ${fullName} (${seconds} s)\n`);
  }
}
