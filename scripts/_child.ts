/** What may end its process is tried in one of its own. */

/** What a run of this Deno is given. */
export interface ChildOptions {
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs this Deno with these arguments; what it prints is passed on. Where it ends with 1 it has said why, and so does
 * this process then.
 *
 * @throws {Error} Where it did not end by itself: the signal, or the code.
 */
export async function tryInChild(
  args: readonly string[],
  { env = {} }: ChildOptions = {},
): Promise<void> {
  const { code, signal } = await new Deno.Command(Deno.execPath(), {
    ...{ args: [...args], env, stdin: "null", stdout: "inherit", stderr: "inherit" },
  }).spawn().status;
  if (code === 1 && signal === null) Deno.exitCode = 1;
  else if (code !== 0) {
    throw new Error(
      `Cannot load the model as llama.cpp ended the process that tried it, by ${
        signal ?? `code ${code}`
      }: the file is damaged, or says what llama.cpp does not allow for, and would end any process that loads it`,
    );
  }
}
