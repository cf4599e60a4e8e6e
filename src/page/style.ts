/** Of the report alone: it opens without a network, on a dark screen and on paper. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --line: #d1d9e0; --ground: #ffffff; --raised: #f6f8fa;
  --good: #1a7f37; --bad: #cf222e; --unclear: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --line: #3d444d; --ground: #0d1117;
  --raised: #151b23; --good: #3fb950; --bad: #f85149; --unclear: #d29922; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 72rem; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
p { margin: .25rem 0 .75rem; }
.soft { color: var(--soft); }
.good { color: var(--good); } .bad { color: var(--bad); } .unclear { color: var(--unclear); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .75rem; margin: 1rem 0; }
.figure { border: 1px solid var(--line); border-radius: .4rem; background: var(--raised); padding: .6rem .8rem; }
.figure strong { display: block; font-size: 1.4rem; line-height: 1.3; }
.scroll { overflow-x: auto; margin: .5rem 0 1rem; }
table { border-collapse: collapse; width: 100%; font-size: .87rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
th.number { text-align: right; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.moment { white-space: nowrap; font-variant-numeric: tabular-nums; }
td.text { min-width: 14rem; overflow-wrap: anywhere; white-space: pre-line; }
code { font: .85em/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
details { margin: .5rem 0; }
summary { cursor: pointer; }
figure { margin: 1rem 0; }
figcaption { color: var(--soft); font-size: .87rem; }
svg { max-width: 100%; height: auto; display: block; }
ul { padding-left: 1.2rem; margin: .25rem 0 1rem; }
@media print {
  body { max-width: none; padding: 0; font-size: 11px; }
  table { font-size: 10px; }
  th, td { padding-right: .4rem; }
  th, td.moment, td.number { white-space: normal; }
  td, td.text { min-width: 0; overflow-wrap: anywhere; }
  details::details-content { content-visibility: visible; display: block; }
  h2, h3, figure, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .scroll { overflow: visible; }
}
`;
