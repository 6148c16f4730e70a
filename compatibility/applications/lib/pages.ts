/** Reads a page like a visitor: the links to follow, and the forms with their values. Pure. */
import { DomUtils, parseDocument } from 'htmlparser2';

/** The paths and queries of the same site that a page links to, in order, each once. */
export function linksOf(html: string, pagePath: string, host: string): string[] {
  const base = new URL(pagePath, `http://${host}`);
  const found = DomUtils.getElementsByTagName(() => true, parseDocument(html)).flatMap((element) => {
    if (element.name === 'a') return element.attribs['href'] ?? [];
    if (element.name === 'link' && /stylesheet|icon/.test(element.attribs['rel'] ?? ''))
      return element.attribs['href'] ?? [];
    if (element.name === 'script' || element.name === 'img') return element.attribs['src'] ?? [];
    return [];
  });
  const paths = found.flatMap((link) => {
    const target = URL.canParse(link, base.href) ? new URL(link, base) : null;
    return target !== null && target.protocol === 'http:' && target.host === host
      ? target.pathname + target.search
      : [];
  });
  return [...new Set(paths)];
}

export interface Form {
  readonly method: 'GET' | 'POST';
  /** Path and query that it is sent to. */
  readonly action: string;
  /** Names and values as filled in by the page, without those of buttons. */
  readonly values: Readonly<Record<string, string>>;
}

/** The forms of a page. */
export function formsOf(html: string, pagePath: string, host: string): Form[] {
  const base = new URL(pagePath, `http://${host}`);
  return DomUtils.getElementsByTagName('form', parseDocument(html)).map((form) => {
    const action = new URL(form.attribs['action'] ?? '', base);
    const values: Record<string, string> = {};
    for (const field of DomUtils.getElementsByTagName((name) => FIELDS.has(name), form)) {
      const { name, type = 'text', value = '', checked, disabled } = field.attribs;
      if (name === undefined || disabled !== undefined) continue;
      if (field.name === 'textarea') values[name] = DomUtils.textContent(field);
      else if (field.name === 'select') values[name] = selectedOf(field);
      else if (type === 'checkbox' || type === 'radio') {
        if (checked !== undefined) values[name] = value === '' ? 'on' : value;
      } else if (!BUTTONS.has(type)) values[name] = value;
    }
    return {
      method: (form.attribs['method'] ?? '').toUpperCase() === 'POST' ? 'POST' : 'GET',
      action: action.pathname + action.search,
      values,
    };
  });
}

const FIELDS = new Set(['input', 'textarea', 'select']);
const BUTTONS = new Set(['submit', 'button', 'image', 'reset', 'file']);

/** The value of the selected option: the one marked as selected, else the first. */
function selectedOf(select: Parameters<typeof DomUtils.textContent>[0]): string {
  const options = DomUtils.getElementsByTagName('option', select);
  const chosen = options.find((option) => option.attribs['selected'] !== undefined) ?? options[0];
  return chosen === undefined ? '' : (chosen.attribs['value'] ?? DomUtils.textContent(chosen));
}
