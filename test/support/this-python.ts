/** The abilities of the checkout's interpreter, by its version. Expectations of a herd follow from them. */
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

/** Its minor version, as in 3.MINOR. */
export const MINOR = minor;
/** The policies that it can have, lowest first. */
export const AVAILABLE = ['stock', 'instagram', 'freeze', ...(minor >= 12 ? ['immortal'] : [])];
/** The policy that `auto` chooses. */
export const BEST = minor >= 12 ? 'immortal' : 'freeze';

/** For `needs`. */
export const IMMORTAL_NEEDED = where(minor >= 12, 'needs CPython 3.12 or newer, for immortal objects');
/** Whether it can give perf the names of Python functions. */
export const NAMES_FUNCTIONS = minor >= 12;
/** Debian's interpreter is stripped: perf can't say which of its functions wrote, and so not why. */
export const HAS_SYMBOLS = symbols === 1;
