/** The style of the page that `cowherd record --html` writes. */
export const FLAME_PAGE_STYLE = `
:root { color-scheme: light dark; --ink: #1c1f23; --ground: #fff; --soft: #666d76; --line: #d9dde2; --panel: #f5f6f8; --found: #7d3cc2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --ground: #16181b; --soft: #98a0aa; --line: #32363c; --panel: #1f2226; --found: #9a5fe0; } }
body { margin: 0 auto; max-width: 90rem; padding: 1.5rem; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); }
h1 { font-size: 1.4rem; margin: 0; } header p { color: var(--soft); margin: .25rem 0; } header .remark { color: #b3541e; }
.columns { display: flex; flex-wrap: wrap; gap: 1.5rem 3rem; align-items: flex-start; margin: 1.25rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } th, td { padding: .2rem .75rem .2rem 0; text-align: right; vertical-align: top; border-bottom: 1px solid var(--line); }
th[scope=row], thead th:first-child, .text { text-align: left; } th[scope=row] { font-weight: 600; white-space: nowrap; } td.text { color: var(--soft); max-width: 26rem; }
.swatch { display: inline-block; width: .8em; height: .8em; margin-right: .5em; border-radius: 2px; vertical-align: -.05em; }
figure { margin: 0; flex: 1 1 20rem; max-width: 36rem; } svg { display: block; width: 100%; height: 96px; background: var(--panel); border-radius: 3px; }
figcaption { display: flex; justify-content: space-between; font-size: 12px; color: var(--soft); }
.tools { display: flex; gap: .75rem; align-items: center; margin-bottom: .5rem; min-height: 2.2rem; }
input, button { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: 4px; padding: .25rem .6rem; } input { width: 20rem; max-width: 100%; }
#found, #told { color: var(--soft); } #told { min-height: 3em; margin: .5rem 0 0; overflow-wrap: anywhere; }
#graph { position: relative; background: var(--panel); border-radius: 3px; overflow: hidden; font-size: 12px; }
#graph div { position: absolute; box-sizing: border-box; height: 19px; padding: 0 4px; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; line-height: 19px; color: #fff; border-radius: 2px; border-right: 1px solid var(--panel); cursor: pointer; }
#graph div.python { font-style: italic; } #graph div.above { opacity: .55; } #graph div.dim { opacity: .3; } #graph div.hit { background: var(--found) !important; }
#graph div:hover, #graph div:focus-visible { outline: 2px solid var(--ink); outline-offset: -2px; }
`;
