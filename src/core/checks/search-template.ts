import type { Finding } from '../finding.js';
import type { Check } from '../survey/survey.js';
import { noteUnseen, reachedStores } from './about-store.js';

const SOURCE =
  'schema/elasticsearch/visibility/versioned of the server: each version has a template for indexes that are made later';

/**
 * The template of new indexes has the fields of the present one: nothing uses it until an index is made anew, which then lacks them. A schema
 * step of a hop sends it again; settings of its owner's own stay, and are told.
 */
export const searchTemplate: Check = (survey, context) =>
  reachedStores(survey, context).flatMap(
    ({ store: { searchTemplate: look, schemaVersion }, name, step }): Finding[] => {
      if (look === undefined || 'unseen' in schemaVersion) return [];
      if ('unseen' in look)
        return [noteUnseen('search-template-unseen', `template of new indexes of ${name}`, look.unseen)];
      const { name: template, present, lacks, otherwise, ownSettings } = look.seen;
      const about = `${name}: template ${template} of new indexes`;
      const sent = step !== undefined && step.from !== step.to ? ', and the schema step of the hop sends it' : '';
      if (!present) {
        const found = `${about} is not there${sent}: an index made anew has it only from a template`;
        return [{ id: 'search-template-absent', severity: 'note', found, source: SOURCE }];
      }
      const fields = [...(lacks.length === 0 ? [] : [`lacks ${lacks.join(', ')}`]), ...otherwise];
      const own: Finding[] =
        ownSettings.length === 0
          ? []
          : [
              {
                id: 'search-template-settings',
                severity: 'note',
                found: `${about}: ${ownSettings.join('; ')}; kept`,
                source: SOURCE,
              },
            ];
      if (fields.length === 0) return own;
      const differs: Finding = {
        id: 'search-template-fields',
        severity: 'warn',
        found: `${about} ${fields.join('; ')}`,
        expected: `the fields of ${schemaVersion.seen}`,
        action:
          sent === ''
            ? `Send the template of ${schemaVersion.seen} again: PUT /_template/${template}`
            : 'Nothing: the schema step of the hop sends the template again',
        source: SOURCE,
      };
      return [differs, ...own];
    },
  );
