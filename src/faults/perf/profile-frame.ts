/** A function on a stack, as profiles and formats have it. */
export interface ProfileFrame {
  readonly name: string;
  /** The program or library; of a Python function its source file. May be empty. */
  readonly file: string;
  readonly language: 'native' | 'python';
}
