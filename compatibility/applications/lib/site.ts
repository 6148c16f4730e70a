/** An application's site: filled once, and restored to that state for each server. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { freePort } from '../../../bench/lib/free-port.ts';
import type { Application, Site } from './description.ts';
import type { Environment } from './installing.ts';
import { filledOf, logsOf, siteOf, sourcesOf } from './places.ts';
import type { Postgresql } from './postgresql.ts';
import { Collector } from './collector.ts';
import { Redis } from './redis.ts';
import { run } from './running.ts';
import { environmentFor } from './servers.ts';

const STAMP = 'filled.sha256';

export class PreparedSite {
  readonly site: Site;
  readonly #application: Application;
  readonly #postgresql: Postgresql | null;
  #redis: Redis | null = null;
  #collector: Collector | null = null;

  constructor(application: Application, site: Site, postgresql: Postgresql | null) {
    this.#application = application;
    this.site = site;
    this.#postgresql = postgresql;
  }

  static async of(
    application: Application,
    environment: Environment,
    postgresql: Postgresql | null,
  ): Promise<PreparedSite> {
    const site: Site = {
      folder: siteOf(application.name),
      port: await freePort(),
      program: (name) => path.join(environment.folder, 'bin', name),
      packages: environment.packages,
      postgresql:
        postgresql === null ? null : { port: postgresql.port, database: application.name.replaceAll('-', '_') },
      redis: application.services.includes('redis') ? { port: await freePort() } : null,
      collector: application.services.includes('collector') ? { port: await freePort() } : null,
    };
    const prepared = new PreparedSite(application, site, postgresql);
    try {
      if (!prepared.#isFilled(environment)) await prepared.#fill(environment);
    } finally {
      await prepared.endServices();
    }
    return prepared;
  }

  /** Restores the freshly filled site, and starts empty services. */
  async putBack(): Promise<void> {
    await this.endServices();
    rmSync(this.site.folder, { recursive: true, force: true });
    cpSync(filledOf(this.#application.name), this.site.folder, { recursive: true, preserveTimestamps: true });
    const { postgresql } = this.site;
    if (postgresql !== null) this.#postgresql?.make(postgresql.database, templateOf(postgresql.database));
    await this.#startServices();
  }

  /** Number of spans of requests that have reached the collector; null without a collector. */
  get spans(): number | null {
    return this.#collector?.spansOfServer ?? null;
  }

  async #startServices(): Promise<void> {
    const { redis, collector } = this.site;
    if (redis !== null) this.#redis = await Redis.start(redis.port);
    if (collector !== null) this.#collector = await Collector.start(collector.port);
  }

  async endServices(): Promise<void> {
    await this.#redis?.stop();
    this.#redis = null;
    await this.#collector?.stop();
    this.#collector = null;
  }

  #isFilled(environment: Environment): boolean {
    const stamp = path.join(filledOf(this.#application.name), STAMP);
    const { postgresql } = this.site;
    return (
      existsSync(stamp) &&
      readFileSync(stamp, 'utf8') === this.#stamp(environment) &&
      (postgresql === null || this.#postgresql?.has(templateOf(postgresql.database)) === true)
    );
  }

  /** Identifies the site's content: it changes with versions and with the way of filling. */
  #stamp(environment: Environment): string {
    const { postgresql, redis, collector } = this.site;
    const sample: Site = {
      ...this.site,
      port: 0,
      postgresql: postgresql && { ...postgresql, port: 0 },
      redis: redis && { port: 0 },
      collector: collector && { port: 0 },
    };
    const commands = this.#application.filling(sample);
    const variables = this.#application.environment(sample);
    const files = readdirSync(sourcesOf(this.#application.name)).filter((file) => file.endsWith('.py'));
    const contents = files.map((file) => readFileSync(path.join(sourcesOf(this.#application.name), file), 'utf8'));
    return createHash('sha256')
      .update(JSON.stringify([this.site.folder, [...environment.versions], commands, variables, contents]))
      .digest('hex');
  }

  async #fill(environment: Environment): Promise<void> {
    const { name } = this.#application;
    const { folder, postgresql } = this.site;
    for (const each of [folder, filledOf(name)]) rmSync(each, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    this.#copySources();
    if (postgresql !== null) this.#postgresql?.make(postgresql.database);
    await this.#startServices();
    const log = path.join(logsOf(name), 'fill.log');
    rmSync(log, { force: true });
    for (const [program, ...args] of this.#application.filling(this.site)) {
      await run(this.site.program(program), args, {
        cwd: folder,
        environment: environmentFor(this.#application, this.site),
        log,
      });
    }
    await this.endServices();
    cpSync(folder, filledOf(name), { recursive: true, preserveTimestamps: true });
    if (postgresql !== null) this.#postgresql?.rename(postgresql.database, templateOf(postgresql.database));
    writeFileSync(path.join(filledOf(name), STAMP), this.#stamp(environment));
  }

  /** Copies the application's own Python files and settings to the folder in which its commands run. */
  #copySources(): void {
    cpSync(sourcesOf(this.#application.name), this.site.folder, {
      recursive: true,
      filter: (source) => !source.endsWith('.ts') && !source.endsWith('__pycache__'),
    });
  }
}

const templateOf = (database: string): string => `${database}_filled`;
