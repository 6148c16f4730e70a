/** The script of the page that `cowherd why --html` writes. Draws the maps and describes the page under the pointer. */
export const WHY_PAGE_SCRIPT = String.raw`
'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const tip = document.getElementById('tip');
const CELL = 5, GAP = 1, STEP = CELL + GAP;
const decode = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

for (const legend of document.querySelectorAll('[data-legend]')) {
  for (const { name, color, meaning } of data.codes.slice(1)) {
    const item = document.createElement('span');
    item.title = meaning;
    const swatch = document.createElement('span');
    swatch.className = 'swatch';
    swatch.style.background = color;
    item.append(swatch, name);
    legend.append(item);
  }
}

for (const holder of document.querySelectorAll('[data-worker]')) {
  const worker = data.workers[Number(holder.dataset.worker)];
  for (const region of worker.regions) {
    const codes = decode(region.codes);
    const owners = new Int16Array(decode(region.owners).buffer);
    const figure = document.createElement('figure');
    figure.className = 'region';
    const caption = document.createElement('figcaption');
    const mib = (codes.length * data.pageBytes / 1048576).toFixed(1);
    caption.textContent = region.name + '  from 0x' + region.start + ', ' + mib + ' MiB';
    const canvas = document.createElement('canvas');
    figure.append(caption, canvas);
    holder.append(figure);
    draw(canvas, codes);
    canvas.addEventListener('pointermove', (event) => show(event, canvas, region, codes, owners, worker.owners));
    canvas.addEventListener('pointerleave', () => { tip.hidden = true; });
  }
}

function columnsOf(canvas) {
  return Math.max(16, Math.floor(canvas.parentElement.clientWidth / STEP));
}

function draw(canvas, codes) {
  const columns = Math.min(columnsOf(canvas), codes.length);
  const rows = Math.ceil(codes.length / columns);
  const scale = window.devicePixelRatio || 1;
  canvas.dataset.columns = columns;
  canvas.width = columns * STEP * scale;
  canvas.height = rows * STEP * scale;
  canvas.style.width = columns * STEP + 'px';
  canvas.style.height = rows * STEP + 'px';
  const context = canvas.getContext('2d');
  context.scale(scale, scale);
  for (let page = 0; page < codes.length; page += 1) {
    if (codes[page] === 0) continue;
    context.fillStyle = data.codes[codes[page]].color;
    context.fillRect((page % columns) * STEP, Math.floor(page / columns) * STEP, CELL, CELL);
  }
}

function show(event, canvas, region, codes, owners, names) {
  const columns = Number(canvas.dataset.columns);
  const page = Math.floor(event.offsetY / STEP) * columns + Math.floor(event.offsetX / STEP);
  const code = data.codes[codes[page]];
  if (code === undefined) { tip.hidden = true; return; }
  const address = (BigInt('0x' + region.start) + BigInt(page) * BigInt(data.pageBytes)).toString(16);
  const owner = names[owners[page]];
  tip.textContent = '0x' + address + ': ' + code.name + (owner === undefined ? '' : ', ' + owner) + '. ' + code.meaning;
  tip.hidden = false;
  tip.style.left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8) + 'px';
  tip.style.top = Math.min(event.clientY + 14, window.innerHeight - tip.offsetHeight - 8) + 'px';
}
`;
