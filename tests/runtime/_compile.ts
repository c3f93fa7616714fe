/** Stand-ins for libraries of drivers, written in C. */

const name = ["cc", "gcc", "clang"].find((name) =>
  Deno.env.get("PATH")?.split(":").some((folder) => {
    try {
      return Deno.statSync(`${folder}/${name}`).isFile;
    } catch {
      return false;
    }
  })
);

/** A C compiler for Linux; undefined where there is none. */
export const compiler: string | undefined = Deno.build.os === "linux" ? name : undefined;

/** What a test's name says where there is none. */
export const withoutCompiler: string = compiler ? "" : " (skipped: no C compiler for the stand-in)";

/** Compiles a file of this folder into a shared library. */
export async function compile(source: string, library: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(compiler!, {
    args: ["-shared", "-fPIC", "-o", library, `tests/runtime/${source}`],
  }).output();
  if (!success) throw new Error(`internal: ${new TextDecoder().decode(stderr)}`);
}
