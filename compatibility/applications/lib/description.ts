/**
 * The description of an application: what to install, how its site is filled once, how it is served, and what a visitor
 * does there. Each application has one in its file `APPLICATION/application.ts`.
 */
import type { Visitor } from './visitor.ts';

export type ServiceName = 'postgresql' | 'redis' | 'collector';

/** The site of an application: its folder, which is also its home, and its services. */
export interface Site {
  /** The current folder and HOME of its commands and of the server. */
  readonly folder: string;
  /** The port on 127.0.0.1. Every server uses the same one, so that addresses in answers agree. */
  readonly port: number;
  /** The path of a program of its environment, by name. */
  readonly program: (name: string) => string;
  /** The folder of its packages, `site-packages`. */
  readonly packages: string;
  /** Its database: user `postgres`, no password, on 127.0.0.1. Present if `services` has `postgresql`. */
  readonly postgresql: { readonly port: number; readonly database: string } | null;
  /** Its Redis server, on 127.0.0.1. Present if `services` has `redis`. */
  readonly redis: { readonly port: number } | null;
  /** A collector of traces, where every request must arrive as one span. Present if `services` has `collector`. */
  readonly collector: { readonly port: number } | null;
}

/** A command that fills the site; it runs in the site's folder. */
export type FillCommand = readonly [program: string, ...args: string[]];

export interface Application {
  /** The name of its folder, its environment and its database. */
  readonly name: string;
  /** Its name as its makers write it. */
  readonly title: string;
  /** The CPython to use, such as `3.13`, in its newest release on the machine. */
  readonly python: string;
  /** Requirements for `pip install`; the first is the application. */
  readonly requirements: readonly string[];
  readonly services: readonly ServiceName[];
  readonly environment: (site: Site) => Readonly<Record<string, string>>;
  /** Makes and fills the database. Runs once; each server then starts from a copy. */
  readonly filling: (site: Site) => readonly FillCommand[];
  /** The application in gunicorn's notation, `module:name`. */
  readonly module: string;
  /** Arguments for both gunicorn and Cowherd: worker class, threads. */
  readonly serverArguments: readonly string[];
  readonly workers: number;
  /** A program of the environment that launches the server, both gunicorn and Cowherd. */
  readonly launcher?: string;
  /** A page that answers as soon as the application can, without a login. */
  readonly readyPath: string;
  /** Headers sent with each request, in addition to a browser's. */
  readonly requestHeaders?: Readonly<Record<string, string>>;
  readonly logIn?: (visitor: Visitor, site: Site) => Promise<void>;
  /** The crawl starts here. Pages without links to them (an API) have to be listed. */
  readonly startPaths: readonly string[];
  readonly crawlLimit: number;
  /** Addresses that the crawl leaves out, by path and query, each with the reason. */
  readonly leftOut?: readonly AddressRule[];
  /**
   * Answers whose entries come in a random order after each start of the application, by path, each with the reason.
   * Their lines are compared in any order: what they say and how often.
   */
  readonly inAnyOrder?: readonly (AddressRule & {
    /** Words that depend on the same order; they are not compared. */
    readonly varying?: RegExp;
  })[];
  /** Requests with consequences, in order: POSTs, and GETs that show their effects. */
  readonly act: (visitor: Visitor, site: Site) => Promise<void>;
  /** The same for the second visit, which Cowherd's workers answer after a reload and a refork. */
  readonly actAgain?: (visitor: Visitor, site: Site) => Promise<void>;
  /** Addresses that the steady load leaves out, because requesting them changes later answers. */
  readonly notUnderLoad?: RegExp;
  /** Requests per second of the steady load. */
  readonly loadPerSecond: number;
}

export interface AddressRule {
  readonly pattern: RegExp;
  readonly because: string;
}
