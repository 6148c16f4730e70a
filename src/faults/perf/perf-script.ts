/**
 * Parses the text that `perf script` prints, as it arrives.
 *
 * A sample is a head line, a line for each frame from the innermost outwards, and an empty line. The first example has
 * the fields that we ask for, the second one the fields that perf prints by default:
 *
 *     python 4711/4711  1938.987908123: page-faults:u:      7f86c75070b0
 *     	          13c261 _PyDict_LoadGlobal+0x81 (/usr/lib/libpython3.13.so.1.0)
 *     python 4711 [001]  1938.987908:          1 exceptions:page_fault_user: address=0x7f86 ip=0x13c2 error_code=0x7
 *
 * Sources: tools/perf/builtin-script.c (process_event, perf_sample__fprintf_start), tools/perf/util/evsel_fprintf.c
 * (sample__fprintf_callchain), perf-script(1). Names of processes, symbols and files may contain blanks and
 * parentheses.
 */

export interface Frame {
  /** Null if there is no symbol. */
  readonly name: string | null;
  /** Hexadecimal; an address in the file for mapped files, in the process for other memory. */
  readonly address: string;
  /** Distance from the symbol's start; null if it was not printed. */
  readonly offset: number | null;
  /** The file, or a name in brackets. Null for an inlined function, whose file is that of the next frame. */
  readonly module: string | null;
}

export interface Sample {
  /** The name of the thread. */
  readonly command: string;
  readonly pid: number;
  /** By perf's clock. */
  readonly seconds: number;
  readonly event: string;
  /** The address that faulted; null if it was not recorded. */
  readonly faultAddress: number | null;
  /** Known for a tracepoint whose fields were printed; else null. */
  readonly errorCode: number | null;
  /** Innermost first. */
  readonly frames: readonly Frame[];
}

export interface ScriptReader {
  readonly onSample: (sample: Sample) => void;
  /** `count` samples were lost before the next one, or in total. */
  readonly onLost: (count: number, kind: 'ring' | 'total') => void;
  /** Called for a line that perf does not print. */
  readonly onUnreadable: (line: string, number: number) => void;
}

/** perf prints no longer line: the kernel cuts names, and perf cuts symbols. */
const LONGEST_LINE = 64 * 1024;
/** perf_event_max_stack is 127; inlined functions come on top. */
const MOST_FRAMES = 1024;

const HEAD =
  /^ *(.{0,64}?) *(\d{1,10})(?:\/(-?\d{1,10}))? +(?:\[\d{1,6}\] +)?(?:[A-Za-z.]{4,5} +)?(\d{1,12}\.\d{1,9}): +(?:(\d{1,20}) +)?(\S{1,200}?):(?:\s+(.*))?$/s;
const LOST = /\bPERF_RECORD_LOST(_SAMPLES)? lost (\d{1,15})/;
const FRAME = /^\t\s*([0-9a-f]+)\s(.*)$/s;
/** The start of the module. Names may contain " (" themselves, and paths may end with " (deleted)". */
const MODULE = / \((?=\/|\[|inlined\)|anon_inode|memfd)/g;
const OTHER_RECORD = /: PERF_RECORD_[A-Z0-9_]+/;

/** A sample that may still get more lines. */
type OpenSample = Sample & { readonly frames: Frame[] };

export class PerfScriptParser {
  readonly #reader: ScriptReader;
  #pending = '';
  #tooLong = false;
  #open: OpenSample | null = null;
  /** The part of its head line after the event. */
  #headRest = '';
  #lineNumber = 0;

  constructor(reader: ScriptReader) {
    this.#reader = reader;
  }

  push(text: string): void {
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      this.#finishLine(text.slice(start, end));
      start = end + 1;
    }
    const rest = text.slice(start);
    if (this.#pending.length + rest.length > LONGEST_LINE) {
      this.#tooLong = true;
      this.#pending = this.#pending.slice(0, LONGEST_LINE);
    } else {
      this.#pending += rest;
    }
  }

  /** @returns whether the text ended at the end of a line */
  end(): boolean {
    const whole = this.#pending === '' && !this.#tooLong;
    if (!whole) this.#finishLine('');
    this.#close();
    return whole;
  }

  #finishLine(text: string): void {
    const line = this.#pending + text;
    const tooLong = this.#tooLong || line.length > LONGEST_LINE;
    this.#pending = '';
    this.#tooLong = false;
    this.#lineNumber += 1;
    if (tooLong) this.#reader.onUnreadable(line.slice(0, 100), this.#lineNumber);
    else this.#line(line.endsWith('\r') ? line.slice(0, -1) : line);
  }

  #line(line: string): void {
    if (line === '') {
      this.#close();
      return;
    }
    if (line.startsWith('\t') && this.#open !== null) {
      const frame = parseFrame(line);
      if (frame === null) this.#reader.onUnreadable(line, this.#lineNumber);
      else if (this.#open.frames.length < MOST_FRAMES) this.#open.frames.push(frame);
      return;
    }
    this.#close();
    if (line.startsWith('#')) return;
    const lost = LOST.exec(line);
    if (lost !== null) {
      this.#reader.onLost(Number(lost[2]), lost[1] === undefined ? 'ring' : 'total');
      return;
    }
    if (OTHER_RECORD.test(line)) return;
    const head = HEAD.exec(line);
    this.#open = head === null ? null : openSample(head);
    this.#headRest = head?.[7] ?? '';
    if (this.#open === null) this.#reader.onUnreadable(line, this.#lineNumber);
  }

  #close(): void {
    const sample = this.#open;
    this.#open = null;
    if (sample === null) return;
    // Without callers, perf prints the only frame on the head line.
    const only = sample.frames.length === 0 ? parseFrame(`\t${this.#headRest}`) : null;
    if (only !== null) sample.frames.push(only);
    this.#reader.onSample(sample);
  }
}

function openSample(head: RegExpExecArray): OpenSample {
  const [, command = '', pid, , time, , event = '', rest = ''] = head;
  const traced = /\baddress=(?:0x)?([0-9a-f]+)/.exec(rest)?.[1];
  const plain = /^([0-9a-f]+)\b/.exec(rest)?.[1];
  const code = /\berror_code=(0x[0-9a-f]+|\d+)/.exec(rest)?.[1];
  const address = Number.parseInt(traced ?? plain ?? '', 16);
  return {
    command,
    pid: Number(pid),
    seconds: Number(time),
    event,
    // For a tracepoint, which has no address, perf prints 0.
    faultAddress: Number.isNaN(address) || address === 0 ? null : address,
    errorCode: code === undefined ? null : Number(code),
    frames: [],
  };
}

function parseFrame(line: string): Frame | null {
  const match = FRAME.exec(line);
  const [, address = '', rest = ''] = match ?? [];
  if (match === null || !rest.endsWith(')')) return null;
  const at = moduleStart(rest);
  if (at < 0) return null;
  const symbol = rest.slice(0, at);
  const module = rest.slice(at + 2, -1);
  const offset = /\+0x([0-9a-f]+)$/.exec(symbol);
  const name = offset === null ? symbol : symbol.slice(0, offset.index);
  return {
    name: name === '[unknown]' || name === '' ? null : name,
    address,
    offset: offset === null ? null : Number.parseInt(offset[1] ?? '', 16),
    module: module === 'inlined' ? null : module,
  };
}

function moduleStart(rest: string): number {
  let last = -1;
  for (const { index } of rest.matchAll(MODULE)) last = index;
  return last >= 0 ? last : rest.lastIndexOf(' (');
}
