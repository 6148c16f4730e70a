/**
 * Which folder of src/ may import which. `make check` runs it; the README of each folder says what the folder is for.
 *
 * No import makes a circle, between files or between folders. Imports of types count.
 */

/** For each folder, the other folders that it may import. A folder stands for what is under it, too. */
const MAY_IMPORT = {
  base: [],
  procfs: ['base'],
  cpython: ['base'],
  agent: ['base'],

  'supervisor/rules': ['base'],
  'supervisor/herd': ['base', 'agent', 'supervisor/rules'],
  'supervisor/runtime-directory': ['base', 'agent', 'supervisor/rules', 'supervisor/herd'],
  'supervisor/decisions': ['base', 'agent', 'supervisor/rules', 'supervisor/herd', 'supervisor/runtime-directory'],
  'supervisor/sampling': ['base', 'procfs', 'supervisor/herd'],
  'supervisor/ksm': ['base', 'procfs', 'supervisor/rules', 'supervisor/herd'],
  'supervisor/restarts': ['base', 'agent', 'procfs', 'supervisor/herd', 'supervisor/runtime-directory'],
  'supervisor/service-manager': ['base', 'agent', 'supervisor/herd'],
  'supervisor/metrics': ['base', 'agent', 'procfs', 'supervisor/herd', 'supervisor/rules', 'supervisor/control'],
  'supervisor/control': ['base', 'agent', 'supervisor/rules', 'supervisor/herd', 'supervisor/runtime-directory'],
  'supervisor/gunicorn': ['base', 'agent', 'supervisor/herd', 'supervisor/decisions', 'supervisor/control'],
  supervisor: ['base', 'agent', 'procfs'],

  'forensics/pages': ['base', 'procfs'],
  'forensics/heap': ['base', 'procfs', 'cpython', 'forensics/pages'],
  'forensics/owners': ['base', 'procfs', 'cpython', 'forensics/pages', 'forensics/heap'],
  'forensics/census': ['base', 'procfs', 'cpython', 'forensics/pages', 'forensics/owners'],
  'forensics/compare': ['base', 'procfs', 'cpython', 'forensics/pages', 'forensics/heap', 'forensics/owners'],
  'forensics/answer': ['base', 'forensics/pages', 'forensics/owners', 'forensics/compare'],
  forensics: ['base', 'procfs', 'cpython'],

  'faults/perf': ['base', 'procfs'],
  'faults/profile': ['base', 'procfs', 'faults/perf'],
  'faults/recording': ['base', 'procfs', 'faults/perf', 'faults/profile'],
  'faults/formats': ['base', 'faults/perf', 'faults/profile', 'faults/recording'],

  'cli/shared': ['base'],
  'cli/herd': ['base', 'agent', 'procfs', 'forensics', 'supervisor', 'cli/shared'],
  'cli/why': ['base', 'procfs', 'forensics', 'supervisor', 'cli/shared', 'cli/herd'],
  'cli/record': ['base', 'procfs', 'faults', 'cli/shared', 'cli/herd'],
  'cli/heal': ['base', 'procfs', 'supervisor', 'cli/shared', 'cli/herd'],
  'cli/control': ['base', 'agent', 'procfs', 'supervisor', 'cli/shared', 'cli/herd', 'cli/heal'],
  'cli/doctor': ['base', 'procfs', 'cpython', 'supervisor', 'cli/shared', 'cli/heal'],
  'cli/serve': ['base', 'agent', 'cpython', 'supervisor', 'cli/shared', 'cli/herd'],
  'cli/completion': ['base', 'cli/shared', 'cli/serve'],
  'cli/manual': ['base', 'cli/shared'],
  'cli/demo': ['base', 'cpython', 'supervisor', 'cli/shared', 'cli/herd'],
  cli: ['base', 'agent', 'procfs', 'cpython', 'supervisor', 'forensics', 'faults'],
};

const under = (folder) => `^src/${folder}/`;

export default {
  forbidden: [
    {
      name: 'no-circle-of-files',
      comment: 'Put what two files share into a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-circle-of-folders',
      comment: 'Folders have a direction: move what is shared to the lower one.',
      severity: 'error',
      scope: 'folder',
      from: {},
      to: { circular: true },
    },
    ...Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
      name: `imports-of-${folder.replaceAll('/', '-')}`,
      comment: `src/${folder} may import ${allowed.length === 0 ? 'nothing of ours' : allowed.join(', ')}.`,
      severity: 'error',
      from: { path: under(folder) },
      to: { path: '^src/', pathNot: [folder, ...allowed].map(under) },
    })),
    {
      name: 'every-folder-has-a-rule',
      comment: 'Add the folder to MAY_IMPORT.',
      severity: 'error',
      from: { path: '^src/', pathNot: Object.keys(MAY_IMPORT).map(under) },
      to: { path: '^src/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Tests and what only they use may import all.
    exclude: { path: '\\.test\\.ts$|/samples/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
  },
};
