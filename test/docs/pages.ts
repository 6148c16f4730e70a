/** The pages whose commands are run, and what a person has done before each of their blocks. */
import type { Block } from './blocks.ts';

export const PAGES = [
  'README.md',
  'docs/install.md',
  'docs/from-gunicorn.md',
  'docs/from-uwsgi.md',
  'docs/from-unit.md',
  'docs/reverse-proxies.md',
  'docs/systemd.md',
  'docs/containers.md',
  'docs/prepare.md',
  'docs/upgrading.md',
  'docs/glossary.md',
  'docs/why-node.md',
  'docs/commands.md',
] as const;

type Page = (typeof PAGES)[number];

const HERDS = `
[ -n "$(command cowherd list --json | jq -r '.herds[] | select(.folder == "/srv/shop" and .runtime_directory != "/run/cowherd/shop") | .pid')" ] ||
  command cowherd serve shop:app --daemon --bind 127.0.0.1:8000
mkdir -p /run/cowherd
`;
const SECOND_HERD = `
[ -S /run/cowherd/shop/control.sock ] || (mkdir -p /srv/other && cp -r /srv/shop/shop /srv/other/ && cd /srv/other &&
  command cowherd serve shop:app --daemon --bind 127.0.0.1:8001 --runtime-dir /run/cowherd/shop)
`;
const GUNICORN = `gunicorn shop:app --preload --workers 2 --bind 127.0.0.1:8002`;
const REGISTRY = `(cd /srv/registry && exec python3 -m http.server --bind 127.0.0.1 4873 >/dev/null 2>&1) & command sleep 1`;

/** Lines of bash, by page and by the heading that the block is under. */
const BEFORE: Partial<Record<Page, Readonly<Record<string, string>>>> = {
  'docs/install.md': {
    pip: 'deactivate; rm -rf .venv',
    uv: 'activate',
    pipx: 'activate',
    npm: `deactivate; ${REGISTRY}`,
    'Which Python serves': 'activate',
    Upgrade: 'python3 -m venv --clear .venv; .venv/bin/pip install --quiet cowherd-server',
  },
  'docs/commands.md': {
    'cowherd demo': '',
    'cowherd status': HERDS,
    'cowherd stop': HERDS + SECOND_HERD,
    'cowherd reload': HERDS + SECOND_HERD,
    'cowherd rollback': HERDS + SECOND_HERD,
    'cowherd refork': HERDS + SECOND_HERD,
    'cowherd scale': HERDS,
    'cowherd list': HERDS,
    'cowherd history': HERDS,
    'cowherd why': HERDS + GUNICORN,
    'cowherd record': HERDS + GUNICORN,
  },
};

/** What a person has done before the first block that is under these headings. */
export function before(page: string, block: Block, seen: Set<string>): string {
  const headings = BEFORE[page as Page] ?? {};
  const fresh = block.headings.filter((heading) => !seen.has(heading));
  for (const heading of fresh) seen.add(heading);
  return fresh.map((heading) => headings[heading] ?? '').join('\n');
}
