/** Damaged GGUF files: none ends the process in which llama.cpp loads it, our checks coming first. */

import { assert, assertEquals } from "@std/assert";
import { caseOf, tensorsOf } from "../golden/architectures.ts";
import { ggufOf } from "../model/gguf/_convert.ts";
import { damagedFiles, putTogether, takeApart } from "../model/gguf/_damaged.ts";
import { deno } from "../_process.ts";
import { temporaryFolder } from "../_temporary.ts";

/** The npm package that has llama.cpp's libraries for this platform. */
const PACKAGE = "npm:@node-llama-cpp/linux-x64@3.21.1";
const isThere = Deno.build.os === "linux" && Deno.build.arch === "x86_64";

/** How each file went, and those that ended the process. */
async function attempts(paths: readonly string[], folder: string, checks: string) {
  const ends: string[] = [], died: string[] = [];
  while (ends.length < paths.length) {
    const left = paths.slice(ends.length);
    const { stdout, stderr } = await deno(
      ["run", "-A", "--quiet", "tests/llama/_try.ts", folder, checks],
      { stdin: left.map((path) => `${path}\n`).join(""), env: { GGML_NO_BACKTRACE: "1" } },
    );
    const said = stdout.split("\n").filter((line) => line !== "");
    ends.push(...said);
    if (said.length === left.length) break;
    died.push(`${left[said.length]}: ${stderr.trim().split("\n").at(-1)}`);
    ends.push("DIED");
  }
  return { ends, died };
}

const BASES = ["llama, llama3", "qwen3", "phi3, half rotated"];

Deno.test({
  name: "no damaged file ends the process",
  ignore: !isThere,
  async fn() {
    const { getBinsDir } = await import(PACKAGE);
    const libraries = `${getBinsDir().binsDir}/linux-x64`;
    const bases = BASES.map(caseOf).map((value) => ggufOf(value.config, tensorsOf(value)));
    const files = bases.flatMap((bytes, i) => [...damagedFiles(bytes, 120, i)]);
    const all = [...bases.map((bytes, i) => ({ name: BASES[i]!, bytes })), ...files];
    await using folder = await temporaryFolder(
      Object.fromEntries(all.map(({ bytes }, i) => [`${i}.gguf`, bytes])),
    );
    const paths = all.map((_, i) => `${folder.path}/${i}.gguf`);
    const { ends, died } = await attempts(paths, libraries, "yes");
    assertEquals(died, []);
    const count = (how: string) => ends.slice(BASES.length).filter((end) => end.startsWith(how));
    assert(ends.slice(0, BASES.length).every((end) => end.startsWith("LOADED")), `${ends}`);
    assert(count("OURS").length > 50 && count("THEIRS").length > 20, `${ends.length}`);
    assert(count("LOADED").length > 50, `${ends.length}`);
    // what the checks are for: without them, one does
    const raw = takeApart(bases[0]!), key = new TextEncoder().encode("llama.block_count");
    const zero = raw.entries.map((entry) =>
      `${entry.key}` === `${key}` ? { ...entry, value: new Uint8Array(4) } : entry
    );
    await Deno.writeFile(paths[0]!, putTogether({ ...raw, entries: zero }));
    assertEquals((await attempts(paths.slice(0, 1), libraries, "none")).ends, ["DIED"]);
    const [end] = (await attempts(paths.slice(0, 1), libraries, "yes")).ends;
    assert(end!.startsWith("OURS Cannot load the GGUF file as 'llama.block_count' must be from 1"));
  },
});
