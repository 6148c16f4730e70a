/** One HTML file, readable offline: its frame, and the text and data in it. */
import { printable, printableIn } from './printable.ts';

/** Text of an element. It can't reverse the reading order, or control a terminal that shows the page's source. */
export function escapeHtml(text: string): string {
  return printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** JSON inside of a script element, which nothing in it can close. */
function embeddedJson(data: unknown): string {
  return JSON.stringify(printableIn(data)).replaceAll('<', String.raw`\u003c`);
}

export interface PageParts {
  readonly title: string;
  readonly style: string;
  /** HTML before, in and after the main part. */
  readonly header: string;
  readonly main: string;
  readonly footer?: string;
  /** The script's input. */
  readonly data: unknown;
  readonly script: string;
}

/** A page that loads nothing, and is not allowed to. */
export function offlinePage({ title, style, header, main, footer = '', data, script }: PageParts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${escapeHtml(title)}</h1>
${header}
</header>
<main>
${main}
</main>
${footer}
<script type="application/json" id="data">${embeddedJson(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}
