/** The style of the page that `cowherd why --html` writes. */
export const WHY_PAGE_STYLE = `
:root { color-scheme: light dark; --ink: #1c1f23; --ground: #fff; --soft: #666d76; --line: #d9dde2; --panel: #f5f6f8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --ground: #16181b; --soft: #98a0aa; --line: #32363c; --panel: #1f2226; } }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; } h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
header p { color: var(--soft); margin: .25rem 0; } .problem { color: #b3541e; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } th, td { padding: .2rem .75rem .2rem 0; text-align: right; vertical-align: top; border-bottom: 1px solid var(--line); }
th[scope=row], thead th:first-child, .text { text-align: left; } th[scope=row] { font-weight: 600; white-space: nowrap; } td.text { color: var(--soft); }
.swatch { display: inline-block; width: .8em; height: .8em; margin-right: .5em; border-radius: 2px; vertical-align: -.05em; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin-bottom: .5rem; color: var(--soft); }
.region { margin: 0 0 .75rem; } .region figcaption { font: 12px/1.6 ui-monospace, monospace; color: var(--soft); }
code { font: 13px ui-monospace, monospace; background: var(--panel); padding: 0 .25em; border-radius: 3px; }
canvas { display: block; background: var(--panel); border-radius: 3px; cursor: crosshair; }
#tip { position: fixed; z-index: 1; max-width: 26rem; padding: .4rem .6rem; border-radius: 4px; font-size: 13px; background: var(--ink); color: var(--ground); pointer-events: none; }
`;
