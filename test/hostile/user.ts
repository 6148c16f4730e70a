/** A user of the machine who attacks: runs Python as that user, in separate processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';

const SCRIPT = path.join(import.meta.dirname, 'user.py');

export type Facts = Readonly<Record<string, unknown>>;

export class User {
  readonly uid: number;
  /** Readable for others, as homes are. */
  readonly home: string;
  readonly #python: string;
  readonly #weapons: Weapon[] = [];

  constructor(name: string, uid: number, python: string) {
    this.uid = uid;
    this.home = `/tmp/home-of-${name}`;
    this.#python = python;
    mkdirSync(this.home, { mode: 0o755 });
    chownSync(this.home, uid, uid);
  }

  /** Runs lines of Python in user.py, and returns at their first line of output. */
  async begin(lines: string, facts: Facts = {}): Promise<Weapon> {
    const weapon = new Weapon(
      this.#python,
      [SCRIPT, `${this.uid}`, JSON.stringify({ HOME: this.home, ...facts })],
      lines,
    );
    this.#weapons.push(weapon);
    await weapon.hears();
    return weapon;
  }

  /** Runs lines of Python to their end, and returns their output. */
  async run(lines: string, facts: Facts = {}): Promise<string> {
    const weapon = await this.begin(`${lines}\ntell("")\n`, facts);
    await weapon.ended;
    return weapon.said.join('\n').trim();
  }

  /** Ends all processes that still run. */
  async rest(): Promise<void> {
    await Promise.all(this.#weapons.splice(0).map((weapon) => weapon.end()));
  }
}

export class Weapon {
  /** Its output, line by line. */
  readonly said: string[] = [];
  readonly ended: Promise<unknown>;
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  #errors = '';

  constructor(python: string, words: readonly string[], lines: string) {
    this.#child = spawn(python, words, { cwd: '/', env: { LANG: 'C.UTF-8' }, stdio: 'pipe' });
    const { stdin, stdout, stderr } = this.#child;
    if (stdin === null || stdout === null || stderr === null) throw new Error('pipes are asked for');
    stdin.on('error', () => {}).end(lines);
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    this.#lines = createInterface(stdout).on('line', (line) => this.said.push(line));
    this.ended = once(this.#child, 'close');
  }

  /** Waits for the first line of output. Throws if it ends without one: then the attack itself is broken. */
  async hears(): Promise<void> {
    await Promise.race([once(this.#lines, 'line'), this.ended]);
    if (this.said.length === 0) throw new Error(`it told nothing: ${this.#errors.trim()}`);
  }

  /** The first line of its output. */
  get first(): string {
    return this.said[0] ?? '';
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}
