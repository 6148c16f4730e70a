import { expect, test } from 'vitest';
import { formsOf, linksOf } from './pages.ts';

test('links of the same site, each once, with their entities resolved', () => {
  const html = `<a href="/a?x=1&amp;y=2">a</a> <a href="b">b</a> <a href="b#top">b</a> <a href="https://example.com/">away</a>
    <a href="mailto:a@example.com">mail</a> <a>none</a> <a href="//127.0.0.1:9/other">other port</a>
    <script src="/s.js"></script><link rel="stylesheet" href="/s.css"><link rel="canonical" href="/c"><img src="i.png">`;
  expect(linksOf(html, '/folder/page', '127.0.0.1:8000')).toEqual([
    '/a?x=1&y=2',
    '/folder/b',
    '/s.js',
    '/s.css',
    '/folder/i.png',
  ]);
});

test('a form has what the page has filled in, as a browser sends it', () => {
  const html = `<form method="post" action="save?now=1"><input type="hidden" name="csrf" value="t">
    <input name="title" value="A &amp; B"><input type="checkbox" name="on" checked><input type="checkbox" name="off" value="1">
    <input type="radio" name="kind" value="x"><input type="radio" name="kind" value="y" checked><input name="no" disabled>
    <select name="pick"><option value="1">one<option value="2" selected>two</select><select name="first"><option>three</select>
    <textarea name="text">long &lt;text&gt;</textarea><input type="file" name="file"><input type="submit" name="go" value="Go"></form>
    <form><input name="q"></form>`;
  expect(formsOf(html, '/admin/add/', '127.0.0.1:8000')).toEqual([
    {
      method: 'POST',
      action: '/admin/add/save?now=1',
      values: { csrf: 't', title: 'A & B', on: 'on', kind: 'y', pick: '2', first: 'three', text: 'long <text>' },
    },
    { method: 'GET', action: '/admin/add/', values: { q: '' } },
  ]);
});
