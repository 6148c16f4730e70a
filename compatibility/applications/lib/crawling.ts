/** Follows the links of an application's pages, and returns the addresses. */
import type { Application } from './description.ts';
import { header } from './exchange.ts';
import { linksOf } from './pages.ts';
import { Frontier } from './shapes.ts';
import type { Visitor } from './visitor.ts';

const PER_SHAPE = 3;

export interface Crawl {
  /** In the order of the requests. */
  readonly paths: readonly string[];
  /** Numbers of addresses that were found but not requested, by the reason. */
  readonly leftOut: Readonly<Record<string, number>>;
}

/** Crawls breadth first from the start paths, all of which are requested. */
export async function crawl(application: Application, visitor: Visitor): Promise<Crawl> {
  const frontier = new Frontier(PER_SHAPE);
  const leftOut: Record<string, number> = {};
  const seen = new Set<string>();
  const paths: string[] = [];
  const visit = async (path: string): Promise<void> => {
    paths.push(path);
    const answer = await visitor.get(path);
    const found = (header(answer, 'content-type') ?? '').startsWith('text/html')
      ? linksOf(answer.body.toString(), path, visitor.host)
      : [];
    const location = header(answer, 'location');
    if (location !== null && URL.canParse(location, `http://${visitor.host}${path}`)) {
      const target = new URL(location, `http://${visitor.host}${path}`);
      if (target.host === visitor.host) found.push(target.pathname + target.search);
    }
    for (const link of found) {
      if (seen.has(link)) continue;
      seen.add(link);
      const reason = application.leftOut?.find(({ pattern }) => pattern.test(link))?.because;
      if (reason === undefined) frontier.add(link);
      else leftOut[reason] = (leftOut[reason] ?? 0) + 1;
    }
  };
  for (const path of application.startPaths) {
    seen.add(path);
    await visit(path);
  }
  for (
    let path = frontier.next();
    path !== undefined && paths.length < application.crawlLimit;
    path = frontier.next()
  ) {
    await visit(path);
  }
  return { paths, leftOut };
}
