/** The script of the page that `cowherd record --html` writes. Draws the graph, zooms and searches. */
export const FLAME_PAGE_SCRIPT = String.raw`
'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const graph = document.getElementById('graph');
const told = document.getElementById('told');
const found = document.getElementById('found');
const search = document.getElementById('search');
const out = document.getElementById('out');
const ROW = 20, NARROWEST = 0.0005;
const hint = told.textContent;

// The nodes, each with its parent, its children, and where it begins.
const nodes = [];
const path = [];
for (let index = 0; index < data.nodes.length; index += 4) {
  const [depth, frame, faults, cause] = data.nodes.slice(index, index + 4);
  const parent = path[depth - 1] ?? null;
  const node = { depth, faults, cause, parent, children: [], start: parent === null ? 0 : parent.start + parent.used, used: 0 };
  const [name, file, python] = frame < 0 ? ['all', '', 0] : data.frames[frame];
  Object.assign(node, { name, file, python: python === 1, text: (name + ' ' + file).toLowerCase() });
  if (parent !== null) {
    parent.used += faults;
    parent.children.push(node);
  }
  path[depth] = node;
  nodes.push(node);
}
const root = nodes[0];
let zoomed = root;
let wanted = '';

function draw() {
  const above = [];
  for (let node = zoomed.parent; node !== null; node = node.parent) above.push(node);
  const items = [];
  let deepest = zoomed.depth;
  const walk = (node) => {
    const width = node.faults / zoomed.faults;
    if (width < NARROWEST) return;
    deepest = Math.max(deepest, node.depth);
    items.push(item(node, (node.start - zoomed.start) / zoomed.faults, width, false));
    node.children.forEach(walk);
  };
  for (const node of above) items.push(item(node, 0, 1, true));
  if (root.faults > 0) walk(zoomed);
  graph.style.height = (deepest + 1) * ROW + 'px';
  graph.replaceChildren(...items);
  out.hidden = zoomed === root;
}

function item(node, left, width, isAbove) {
  const element = document.createElement('div');
  element.style.left = left * 100 + '%';
  element.style.width = width * 100 + '%';
  element.style.top = node.depth * ROW + 'px';
  element.style.background = data.causes[node.cause].color;
  element.textContent = width < 0.01 ? '' : node.name;
  element.tabIndex = 0;
  element.setAttribute('role', 'treeitem');
  element.setAttribute('aria-label', describe(node));
  element.classList.toggle('python', node.python);
  element.classList.toggle('above', isAbove);
  if (wanted !== '') element.classList.add(node.text.includes(wanted) ? 'hit' : 'dim');
  const zoom = () => {
    zoomed = node;
    draw();
  };
  element.addEventListener('click', zoom);
  element.addEventListener('keydown', (event) => { if (event.key === 'Enter') zoom(); });
  for (const type of ['pointerenter', 'focus']) element.addEventListener(type, () => { told.textContent = describe(node); });
  return element;
}

function describe(node) {
  const mib = (node.faults * data.pageBytes / 1048576).toFixed(1);
  const part = (100 * node.faults / root.faults).toFixed(2);
  const file = node.file === '' ? '' : ' (' + node.file + ')';
  return node.name + file + ': ' + node.faults.toLocaleString('en') + ' faults, ' + mib + ' MiB, ' + part + '%; mostly ' + data.causes[node.cause].name;
}

// A match below another one is counted once.
function faultsFound(node) {
  if (node !== root && node.text.includes(wanted)) return node.faults;
  return node.children.reduce((sum, child) => sum + faultsFound(child), 0);
}

graph.addEventListener('pointerleave', () => { told.textContent = hint; });
out.addEventListener('click', () => { zoomed = root; draw(); });
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  zoomed = root;
  draw();
});
search.addEventListener('input', () => {
  wanted = search.value.trim().toLowerCase();
  found.textContent = wanted === '' ? '' : (100 * faultsFound(root) / Math.max(1, root.faults)).toFixed(1) + '% of all faults';
  draw();
});
draw();
`;
