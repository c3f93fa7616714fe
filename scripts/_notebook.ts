/** Jupyter from scripts and tests: a Python that can run notebooks, and a kernel that is this Deno. */

import { fileURLToPath } from "node:url";

/**
 * Environment in which Jupyter finds the kernel "deno" that is this very Deno, and a place for its files:
 * those of studies, too, so that what is executed begins anew and leaves nothing beside the notebooks.
 */
export async function kernelEnvironment(): Promise<{ env: Record<string, string>; dir: string }> {
  const dir = await Deno.makeTempDir({ prefix: "moi-jupyter-" });
  await Deno.mkdir(`${dir}/tmp`);
  await Deno.mkdir(`${dir}/kernels/deno`, { recursive: true });
  const spec = {
    argv: [Deno.execPath(), "jupyter", "--kernel", "--conn", "{connection_file}"],
    display_name: "Deno",
    language: "typescript",
  };
  await Deno.writeTextFile(`${dir}/kernels/deno/kernel.json`, JSON.stringify(spec));
  return { env: { JUPYTER_PATH: dir, TMPDIR: `${dir}/tmp`, MOI_RUNS: `${dir}/runs` }, dir };
}

/** A Python with these modules, or undefined where there is none. */
export async function findPython(
  modules = "nbclient, nbformat, jupyter_client",
): Promise<string | undefined> {
  for (const python of ["python3", "/usr/bin/python3", "python"]) {
    const command = new Deno.Command(python, {
      args: ["-c", `import ${modules}`],
      stdout: "null",
      stderr: "null",
    });
    try {
      if ((await command.output()).success) return python;
    } catch {
      // not there
    }
  }
  return undefined;
}

/** Runs a Python script of this repository with the kernel at hand. */
export async function runPython(
  python: string,
  script: URL,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { env, dir } = await kernelEnvironment();
  try {
    const command = new Deno.Command(python, {
      args: [fileURLToPath(script), ...args],
      env: { ...env, ...more },
    });
    const { code, stdout, stderr } = await command.output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Executes notebooks with `run_notebook.py`. */
export const executeNotebooks = (
  python: string,
  args: readonly string[],
  more?: Readonly<Record<string, string>>,
) => runPython(python, new URL("run_notebook.py", import.meta.url), args, more);
