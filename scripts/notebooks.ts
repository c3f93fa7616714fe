/** `deno task notebooks`: executes notebooks in a real Deno kernel, in place. */

import { fileURLToPath } from "node:url";
import { command, print } from "./_cli.ts";
import { executeNotebooks, findPython } from "./_notebook.ts";

const USAGE = `
Executes notebooks in place, in a Deno kernel, keeping their outputs.

usage: deno task notebooks [FILE.ipynb…] [options]

Needs Jupyter's nbclient (Debian: apt-get install python3-nbclient; or pip install nbclient).

  --output DIR   writes the executed notebooks there and leaves the originals
  -h, --help     this text
`;

async function committed(): Promise<string[]> {
  const folder = fileURLToPath(new URL("../notebooks/", import.meta.url));
  const names = await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name);
  return names.filter((name) => name.endsWith(".ipynb")).sort().map((name) => `${folder}${name}`);
}

await command(USAGE, { values: ["output"], words: true }, async (args) => {
  const python = await findPython();
  if (python === undefined) {
    throw new Error(
      "Cannot run notebooks as no Python with nbclient was found; pip install nbclient",
    );
  }
  const files = args.rest.length > 0 ? args.rest : await committed();
  for (const file of files) {
    if (!file.endsWith(".ipynb")) {
      throw new TypeError(`Cannot run notebooks as ${file} must be a file named ….ipynb`);
    }
    await Deno.stat(file); // a missing one is told in a line
  }
  const output = args.value("output");
  if (output !== undefined) await Deno.mkdir(output, { recursive: true });
  const { code, stdout, stderr } = await executeNotebooks(python, [
    ...(output === undefined ? [] : ["--output", output]),
    ...files,
  ]);
  if (code !== 0) throw new Error(`Cannot run the notebooks: ${stderr.slice(-2000)}`);
  print(`${stdout}${files.map((file) => `executed ${file}\n`).join("")}`);
});
