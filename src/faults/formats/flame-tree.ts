/** Stacks as a tree for a flame graph: each node counts what it and all nodes below it have copied. Pure. */
import { FAULT_CAUSE_NAMES } from '../profile/causes.ts';
import { type Bucket, emptyBucket, type Profile } from '../profile/profile.ts';

export interface FlameNode {
  /** An index into the profile's frames; -1 for the root. */
  readonly frame: number;
  readonly children: readonly FlameNode[];
  readonly faults: number;
  readonly causes: Bucket;
}

interface Growing {
  readonly frame: number;
  readonly children: Map<number, Growing>;
  faults: number;
  readonly causes: Bucket;
}

/** Leaves out nodes with less than `smallestPart` of all faults, so that a page stays small. */
export function flameTree(profile: Profile, smallestPart = 0.0001): FlameNode {
  const root = growing(-1);
  for (const { frames, cause, count } of profile.stacks) {
    let node = root;
    add(node, cause, count);
    for (const frame of frames) {
      let child = node.children.get(frame);
      if (child === undefined) {
        child = growing(frame);
        node.children.set(frame, child);
      }
      add(child, cause, count);
      node = child;
    }
  }
  return finished(root, root.faults * smallestPart);
}

function growing(frame: number): Growing {
  return { frame, children: new Map(), faults: 0, causes: emptyBucket() };
}

function add(node: Growing, cause: keyof Bucket, count: number): void {
  node.faults += count;
  node.causes[cause] += count;
}

function finished(node: Growing, least: number): FlameNode {
  const children = [...node.children.values()]
    .filter(({ faults }) => faults >= least)
    .toSorted((a, b) => b.faults - a.faults);
  return {
    frame: node.frame,
    faults: node.faults,
    causes: node.causes,
    children: children.map((child) => finished(child, least)),
  };
}

/** The cause of most faults, as an index into the list of causes. */
export function mainCause(causes: Bucket): number {
  let main = 0;
  for (const [index, name] of FAULT_CAUSE_NAMES.entries()) {
    if (causes[name] > causes[FAULT_CAUSE_NAMES[main] ?? name]) main = index;
  }
  return main;
}
