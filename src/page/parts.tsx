import type { ComponentChildren } from 'preact';

/** How a cell of a column is set. */
export type ColumnKind = 'text' | 'number' | 'moment' | 'code' | 'plain';

export interface Column {
  readonly title: string;
  readonly kind?: ColumnKind;
}

/** A table that scrolls by itself where it is wider than the page; nothing when it has no rows. */
export function Table({
  columns,
  rows,
}: {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly ComponentChildren[])[];
}) {
  if (rows.length === 0) return null;
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            {columns.map(({ title, kind }) => (
              <th scope="col" class={kind === 'number' ? 'number' : ''}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells) => (
            <tr>
              {cells.map((content, index) => (
                <Cell kind={columns[index]?.kind ?? 'plain'}>{content}</Cell>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ kind, children }: { readonly kind: ColumnKind; readonly children: ComponentChildren }) {
  if (kind === 'code')
    return (
      <td class="text">
        <code>{children}</code>
      </td>
    );
  return <td class={kind}>{children}</td>;
}

/** A picture that was drawn before, with what it shows for those who cannot see it. */
export function Picture({ svg, caption }: { readonly svg: string; readonly caption: string }) {
  return (
    <figure>
      {/* Drawn by the chart library, which escapes the names that it is given. */}
      <div role="img" aria-label={caption} dangerouslySetInnerHTML={{ __html: svg }} />
      <figcaption>{caption}</figcaption>
    </figure>
  );
}

/** `2026-11-22 18:25:19`: the page says once that all times are UTC. */
export function moment(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}
