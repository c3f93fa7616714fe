/**
 * What the sandbox and its process say to each other.
 *
 * @module
 */

/** A program. */
export interface Program {
  /** Python source. */
  readonly code: string;
  /** What it reads on stdin. Default: nothing. */
  readonly stdin?: string;
  /** Whether it starts with new globals, or with those that the program before it left. Default: true. */
  readonly fresh?: boolean;
  /** Python source that is run in its globals before it. Default: none. */
  readonly preamble?: string;
  /** Its `__name__`. Default: "__main__". */
  readonly name?: string;
  /**
   * Whether it is judged by what it prints: it may then end by exiting with code 0, its threads run where
   * they are started, one after the other, and printing more than 16 MiB is a verdict. Default: false.
   */
  readonly program?: boolean;
  /**
   * Whether text after it that is no Python is left out: the longest beginning that compiles is run, cut
   * before an unindented line. Default: false.
   */
  readonly prefix?: boolean;
  /**
   * Names that are not left out so: where that would leave none of those that its text defines, the text
   * stays whole, with its syntax error. Default: none.
   */
  readonly defines?: readonly string[];
  /** Whether, of a `prefix`, a statement that is cut at the end of the text is left out. Default: false. */
  readonly cut?: boolean;
}

/** What the process is sent first. */
export interface Start {
  readonly token: string;
  readonly runner: string;
  readonly packages: readonly string[];
  /** Address of Pyodide's module. */
  readonly pyodide: string;
}

/** What it is sent for each program. */
export interface Request extends Required<Program> {
  /** Bytes of its output that are kept. */
  readonly limit: number;
}

/** What the process answers. */
export interface Answer {
  readonly ready?: true;
  readonly output?: string;
  readonly stderr?: string;
  readonly kind?: string;
  readonly error?: string;
  readonly exit?: number;
  readonly missing?: readonly [string, boolean];
  readonly over?: true;
  /** The sandbox itself has failed, with this error. */
  readonly failed?: string;
}
