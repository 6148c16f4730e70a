/**
 * What is to be known of an application: what to install, how its site is filled once, how it is served, and what a
 * visitor does there. One file says it for each application: `APPLICATION/application.ts`.
 */
import type { Visitor } from './visitor.ts';

export type ServiceName = 'postgresql' | 'redis' | 'collector';

/** One site of an application: its folder, which is its home too, and what it is served with. */
export interface Site {
  /** The current folder of its commands and of the server, and their HOME. */
  readonly folder: string;
  /** The port on 127.0.0.1 that it is served on: the same for each server, so that addresses in answers are alike. */
  readonly port: number;
  /** A program of its environment, by name. */
  readonly program: (name: string) => string;
  /** The folder of its packages, `site-packages`. */
  readonly packages: string;
  /** Its own database: user `postgres`, no password, on 127.0.0.1. Present where `services` has `postgresql`. */
  readonly postgresql: { readonly port: number; readonly database: string } | null;
  /** A server of its own run, on 127.0.0.1. Present where `services` has `redis`. */
  readonly redis: { readonly port: number } | null;
  /** A collector of traces. Every request to the server is to be one span there. Where `services` has `collector`. */
  readonly collector: { readonly port: number } | null;
}

/** A command of the filling; it runs in the site's folder. */
export type FillCommand = readonly [program: string, ...args: string[]];

export interface Application {
  /** Of its folder, of its environment and of its database. */
  readonly name: string;
  /** As its makers write it. */
  readonly title: string;
  /** The CPython to use, such as `3.13`: the newest release of it that the machine has. */
  readonly python: string;
  /** For `pip install`; the first is the application. */
  readonly requirements: readonly string[];
  readonly services: readonly ServiceName[];
  readonly environment: (site: Site) => Readonly<Record<string, string>>;
  /** Makes the database and all that is in it. Runs once; each server then starts from a copy. */
  readonly filling: (site: Site) => readonly FillCommand[];
  /** As gunicorn takes it: `module:name`. */
  readonly module: string;
  /** For gunicorn and Cowherd alike: worker class, threads. */
  readonly serverArguments: readonly string[];
  readonly workers: number;
  /** In front of the server's command, for gunicorn and Cowherd alike: a launcher of the environment. */
  readonly launcher?: string;
  /** A page that answers as soon as the application can, whoever asks. */
  readonly readyPath: string;
  /** Sent with each request, beside what a browser sends. */
  readonly requestHeaders?: Readonly<Record<string, string>>;
  readonly logIn?: (visitor: Visitor, site: Site) => Promise<void>;
  /** The crawl starts here; what has no links (an API) is listed. */
  readonly startPaths: readonly string[];
  readonly crawlLimit: number;
  /** Addresses that the crawl leaves out, by path and query, each with the reason. */
  readonly leftOut?: readonly AddressRule[];
  /**
   * Answers whose entries stand in an order that each start of the application throws dice for, by path, each with the
   * reason. Their lines are compared in any order: what they say is compared, and how often.
   */
  readonly inAnyOrder?: readonly (AddressRule & {
    /** Words that follow from the same chance: they are not compared. */
    readonly varying?: RegExp;
  })[];
  /** Requests with consequences, in their order: POSTs, and looks at what came of them. */
  readonly act: (visitor: Visitor, site: Site) => Promise<void>;
  /** The same for the second look, which Cowherd's workers answer after a reload and a refork. */
  readonly actAgain?: (visitor: Visitor, site: Site) => Promise<void>;
  /** Addresses that the steady load leaves out, since asking for them changes what later answers say. */
  readonly notUnderLoad?: RegExp;
  /** How many requests a second the steady load sends. */
  readonly loadPerSecond: number;
}

export interface AddressRule {
  readonly pattern: RegExp;
  readonly because: string;
}
