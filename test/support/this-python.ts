/** What the checkout's interpreter can do, by its version: what is expected of a herd follows from that. */
import { execFileSync } from 'node:child_process';
import { PYTHON } from './cowherd.ts';
import { where } from './needs.ts';

const ABOUT = `
import re, sys
maps = open("/proc/self/maps").read()
files = set(re.findall(r"/\\S*/(?:lib)?python3[^/\\s]*$", maps, re.MULTILINE))
print(sys.version_info[1], int(any(b".symtab" in open(file, "rb").read() for file in files)))
`;
const [minor = 0, symbols = 0] = execFileSync(PYTHON, ['-c', ABOUT], { encoding: 'utf8' }).split(' ').map(Number);

/** Of its version, 3.MINOR. */
export const MINOR = minor;
/** The policies that it can have, the lowest first. */
export const AVAILABLE = ['stock', 'instagram', 'freeze', ...(minor >= 12 ? ['immortal'] : [])];
/** What `auto` takes. */
export const BEST = minor >= 12 ? 'immortal' : 'freeze';

/** For `needs`. */
export const IMMORTAL_NEEDED = where(minor >= 12, 'needs CPython 3.12 or newer, for immortal objects');
/** For perf. */
export const NAMES_FUNCTIONS = minor >= 12;
/** Debian's is stripped of them: perf can't say which function of the interpreter wrote, and so not why. */
export const HAS_SYMBOLS = symbols === 1;
