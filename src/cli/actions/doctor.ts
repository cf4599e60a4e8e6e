import { RequestError } from '../../core/request-error.js';
import { type Diagnosis, diagnosisText } from '../../core/diagnoses.js';
import type { Finding } from '../../core/finding.js';
import { parseRolloutInput, parseTarget, type Target } from '../../core/input/input.js';
import { surveyLines } from '../../core/survey/survey-lines.js';
import { readInputFile } from '../../input-file.js';
import { examineTargets, type Examination } from '../../planning.js';
import { wrap } from '../../report/columns.js';
import { findingsText } from '../../report/findings.js';
import { findingJson } from '../../report/plan.js';
import { exitCodeOf } from '../exit-codes.js';
import type { CommonOptions } from '../options.js';
import { print } from '../output.js';

export interface DoctorOptions extends Pick<CommonOptions, 'output'> {
  readonly file?: string;
  readonly target?: string;
  readonly explain: boolean;
}

/** Prints what a look at one cluster, or at the two of a roll-out, has seen. @throws RequestError */
export async function doctor({ file, target, output, explain }: DoctorOptions): Promise<void> {
  const examinations = await examineTargets(await targetsOf(file, target));
  const findings = examinations.flatMap((examination): readonly Finding[] => examination.findings);
  print(output, examinations.map(examinationJson), examinations.map((each) => text(each, explain)).join('\n\n'));
  process.exitCode = exitCodeOf(findings);
}

async function targetsOf(file: string | undefined, target: string | undefined): Promise<Target[]> {
  if ((file === undefined) === (target === undefined)) {
    throw new RequestError('give one of these: --target for one cluster, --file for the two of a roll-out');
  }
  if (target !== undefined) return [parseTarget(await readInputFile(target))];
  const { staging, live } = parseRolloutInput(await readInputFile(file ?? ''));
  return [staging, live];
}

function examinationJson({ target, survey, findings, diagnoses }: Examination) {
  return { target, takenAt: survey.takenAt, findings: findings.map(findingJson), diagnoses };
}

/** In short only what a finding above speaks for; explained, each with its evidence, or that no cause was found. */
function text({ target, survey, findings, diagnoses }: Examination, explain: boolean): string {
  const told = explain ? diagnoses.map(diagnosisText) : diagnoses.flatMap(shortDiagnosis);
  return [
    ...surveyLines(survey).map((line) => `${target}: ${line}`),
    findingsText(target, findings, explain),
    ...told.flatMap((line) => wrap(`? ${line}`, '  ', '    ')),
  ].join('\n');
}

function shortDiagnosis({ symptom, causes }: Diagnosis): string[] {
  const likely = causes.filter(({ severity }) => severity !== 'note').map(({ cause }) => cause);
  return likely.length === 0 ? [] : [`${symptom}: ${likely.join('; or: ')}`];
}
