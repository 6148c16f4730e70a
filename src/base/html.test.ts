import { expect, test } from 'vitest';
import { escapeHtml, offlinePage } from './html.ts';

const EVIL = '</script><img src=x>\u001B]0;PWN\u0007\u202Egpj\u2028&"';
const parts = { title: EVIL, style: '', header: '', main: escapeHtml(EVIL), data: { [EVIL]: [EVIL, 1] }, script: '' };

test('foreign text closes no element, controls no terminal that shows the page, and reverses no reading order', () => {
  const page = offlinePage(parts);
  expect(page).not.toMatch(/[^\P{C}\n]|[\u2028\u2029]/u);
  expect(page).not.toContain('<img');
  expect(page.match(/<\/script>/g)?.length).toBe(2);
  expect(page.split(String.raw`\x1b]0;PWN\x07\u{202e}gpj`).length - 1).toBe(3);
});

test('the data of a page is unchanged apart from escapes', () => {
  const json = /<script type="application\/json" id="data">(.*)<\/script>/.exec(offlinePage(parts))?.[1];
  const shown = String.raw`</script><img src=x>\x1b]0;PWN\x07\u{202e}gpj\u{2028}&"`;
  expect(JSON.parse(json ?? '')).toEqual({ [shown]: [shown, 1] });
});
