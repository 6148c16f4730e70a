/**
 * Takes the census of one process from outside, in a process of its own, and compares it with the process's own census.
 *
 *     node one-census.ts PID MINOR CENSUS
 *
 * Prints a line of JSON: the seconds and the peak memory of the census from outside, and how much both agree.
 */
import { takeCensus, type CensusTiming } from '../../src/forensics/census/take-census.ts';
import { presence } from '../../src/forensics/heap/heap-chunks.ts';
import { openSubject } from '../../src/forensics/look/open-subject.ts';
import { readCensus } from '../../src/forensics/owners/read-census.ts';
import { settingFrom } from '../lib/settings.ts';
import { agreementOf } from './census-comparison.ts';

const [pid, minor, file = ''] = process.argv.slice(2);
const PAGE_BYTES = 4096;
const mostBytes = settingFrom(process.env, 'CENSUS_MIB', 64) * 2 ** 20;
const started = performance.now();
const subject = openSubject(Number(pid), PAGE_BYTES);
let timing: CensusTiming | undefined;
const census = takeCensus(subject, { minor: Number(minor), version: `3.${minor}` }, PAGE_BYTES, mostBytes, (taken) => {
  timing = taken;
});
const seconds = (performance.now() - started) / 1000;
const mib = process.resourceUsage().maxRSS / 1024;
const own = readCensus(file, subject.mappings);
const isThere = presence(subject, PAGE_BYTES);
const agreement = agreementOf(own, census, isThere);
console.log(
  JSON.stringify({
    seconds,
    mib,
    timing,
    objects: census.facts.objects,
    bytes: census.facts.bytes,
    agreement,
    own: own.facts,
  }),
);
