/** `cowherd doctor`: what this machine and this project can do, and how to get what is missing. */
import pc from 'picocolors';
import { printableIn, printableJson } from '../../base/printable.ts';
import { bytes, formatMiB } from '../../base/units.ts';
import { type DoctorReport, examine, type InterpreterReport } from './doctor-report.ts';
import { plainTable } from '../shared/plain-table.ts';

export interface DoctorOptions {
  python?: string;
  chdir?: string;
  json?: boolean;
}

/** @returns 0 if `cowherd serve` would start here, else the exit status that it would have */
export async function runDoctor(options: DoctorOptions): Promise<number> {
  const report = await examine({
    python: options.python ?? null,
    chdir: options.chdir ?? null,
    cwd: process.cwd(),
    env: process.env,
  });
  process.stdout.write(options.json === true ? `${printableJson(report, 2)}\n` : formatDoctor(report));
  return report.problems[0]?.exit_status ?? 0;
}

export function formatDoctor(raw: DoctorReport): string {
  const report = printableIn(raw);
  const sections = [
    ['This machine', machineLines(report)],
    ['This project', projectLines(report)],
    ['Interpreters', interpreterLines(report)],
    ['Features', featureLines(report)],
    [report.problems.length === 0 ? 'Ready to serve' : 'In the way of serving', problemLines(report)],
  ] as const;
  return `${sections.map(([title, lines]) => [pc.bold(title), ...lines].join('\n')).join('\n\n')}\n`;
}

function machineLines({ machine }: DoctorReport): string[] {
  const memory = `${formatMiB(bytes(machine.memory_total))} of memory, ${formatMiB(bytes(machine.memory_available))} available`;
  return [`Linux ${machine.kernel}, ${machine.cpus} CPUs, ${memory}, Node ${machine.node}`];
}

function projectLines({ project }: DoctorReport): string[] {
  const { interpreter } = project;
  if (interpreter === null) return [project.folder, 'no interpreter to serve with'];
  return [
    project.folder,
    `${interpreter.name}: ${interpreter.path} (${project.why ?? ''})`,
    `gunicorn ${interpreter.gunicorn ?? 'is not installed'}`,
    ...Object.entries(interpreter.unavailable).map(([policy, reason]) => `no ${policy}: ${reason}`),
  ];
}

function interpreterLines({ interpreters }: DoctorReport): string[] {
  if (interpreters.length === 0) return ['none found'];
  const row = (interpreter: InterpreterReport): string[] => [
    interpreter.path,
    interpreter.name,
    interpreter.gunicorn ?? '-',
    interpreter.policies.join(', ') || 'too old',
  ];
  return [plainTable(['path', 'is', 'gunicorn', 'heap policies'], interpreters.map(row), 4)];
}

function featureLines({ checks }: DoctorReport): string[] {
  const paints = { ok: pc.green, limited: pc.yellow, missing: pc.red };
  const rows = checks.map((check) => [
    check.name,
    { text: check.state, paint: paints[check.state] },
    check.purpose,
    check.found,
  ]);
  const lines = plainTable(['feature', 'state', 'for', 'found'], rows, 4).split('\n');
  const advice = checks.flatMap((check) => (check.advice === null ? [] : [`${check.name}: ${check.advice}`]));
  return advice.length === 0 ? lines : [...lines, '', ...advice];
}

function problemLines({ problems }: DoctorReport): string[] {
  if (problems.length === 0) return ['cowherd serve MODULE:APPLICATION'];
  return problems.flatMap(({ code, text, advice }) => [`${pc.red(code)}: ${text}`, `  ${advice}`]);
}
