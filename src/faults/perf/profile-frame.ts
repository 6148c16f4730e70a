/** A function on a stack, for profiles and formats. */
export interface ProfileFrame {
  readonly name: string;
  /** The program or library; for a Python function its source file. May be empty. */
  readonly file: string;
  readonly language: 'native' | 'python';
}
