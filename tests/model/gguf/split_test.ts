/** GGUF files in parts. */

import { assertEquals, assertRejects } from "@std/assert";
import { forward, loadModel } from "@moi/moi/model";
import { partNames } from "../../../lib/model/gguf/split.ts";
import { caseOf, tensorsOf } from "../../golden/architectures.ts";
import { temporaryFolder } from "../../_temporary.ts";
import { contentsOf, partsOf } from "./_convert.ts";
import { type Entry, gguf, type Tensor } from "./_file.ts";

const CASE = caseOf("llama, llama3"),
  [METADATA, TENSORS] = contentsOf(CASE.config, tensorsOf(CASE));

/** Tensors in turn in so many parts. */
function dealt(count: number): Record<string, Tensor>[] {
  const parts = Array.from({ length: count }, (): Record<string, Tensor> => ({}));
  Object.entries(TENSORS).forEach(([name, tensor], i) => parts[i % count]![name] = tensor);
  return parts;
}

/** Files of a split model by name. */
function filesOf(parts: Record<string, Tensor>[], changed?: Parameters<typeof partsOf>[2]) {
  const names = partNames(`m-00001-of-${String(parts.length).padStart(5, "0")}.gguf`);
  return Object.fromEntries(
    partsOf(METADATA, parts, changed).map((file, i) => [names[i]!, file]),
  );
}

async function logitsOf(place: string) {
  await using cache = await temporaryFolder();
  await using model = await loadModel(place, { cacheDir: cache.path });
  return await forward(model, CASE.input_ids);
}

Deno.test("a split file is the whole one, whichever part is named, or the folder", async () => {
  await using whole = await temporaryFolder({ "m.gguf": gguf(METADATA, TENSORS) });
  const expected = await logitsOf(`${whole.path}/m.gguf`);
  for (const parts of [dealt(1), dealt(2), dealt(5), [{}, ...dealt(2)], [...dealt(2), {}]]) {
    const files = filesOf(parts);
    await using folder = await temporaryFolder({ ...files, "README.md": "parts" });
    assertEquals(await logitsOf(folder.path), expected);
    for (const name of Object.keys(files)) {
      assertEquals(await logitsOf(`${folder.path}/${name}`), expected);
    }
  }
});

Deno.test("a part that is missing, another's, or no part at all is refused by name", async () => {
  const second = "m-00002-of-00003.gguf", files = filesOf(dealt(3));
  const { [second]: _, ...missing } = files;
  const text = (words: string) => new TextEncoder().encode(words);
  const pointer = text("version https://git-lfs.github.com/spec/v1\nsize 5\n");
  const own = (no: number, entries: Record<string, Entry>) => (part: number) =>
    part === no ? entries : {};
  const other = filesOf(dealt(3), own(1, { "split.count": { u32: 4 } }));
  const renamed = { "m-00001-of-00004.gguf": files["m-00001-of-00003.gguf"]! };
  const twice = dealt(3);
  Object.assign(twice[1]!, twice[0]);
  const cases: [Record<string, Uint8Array>, string, string][] = [
    [missing, "m-00001-of-00003.gguf", `${second} cannot be read`],
    [missing, "m-00003-of-00003.gguf", `${second} cannot be read`],
    [{ ...files, [second]: pointer }, second, `${second} is a Git LFS pointer`],
    [{ ...files, [second]: text("<html>") }, second, `${second} is a page of HTML`],
    [{ ...files, [second]: new Uint8Array(0) }, second, "the file is empty: download"],
    [{ ...files, [second]: files[second]!.slice(0, -200) }, second, "goes beyond its end"],
    [{ ...files, [second]: files["m-00003-of-00003.gguf"]! }, second, "must have 1 as 'split.no'"],
    [other, second, "must have 3 as 'split.count': current value is 4"],
    [renamed, "m-00001-of-00004.gguf", "must be one of as many parts, 3"],
    [{ "m.gguf": files["m-00001-of-00003.gguf"]! }, "m.gguf", "must be one of as many parts, 3"],
    [filesOf(twice), second, "as a part before"],
    [
      filesOf(dealt(3), own(0, { "split.tensors.count": { u32: 99 } })),
      second,
      "must hold 99 tensors",
    ],
  ];
  for (const [files, name, message] of cases) {
    await using folder = await temporaryFolder(files);
    await assertRejects(() => loadModel(`${folder.path}/${name}`), Error, message);
    if (Deno.build.os !== "linux") continue;
    assertEquals(Deno.readTextFileSync("/proc/self/maps").includes(folder.path), false);
  }
  await using two = await temporaryFolder({ ...files, "other.gguf": gguf(METADATA, TENSORS) });
  await assertRejects(() => loadModel(two.path), RangeError, "name one of the .gguf files");
});

Deno.test("partNames() takes the names of gguf-split alone", () => {
  assertEquals(partNames("a-00002-of-00003.gguf").length, 3);
  for (
    const name of [
      ...["a.gguf", "a-1-of-2.gguf", "a-00001-of-00002.bin", "a-00003-of-00002.gguf"],
      ...["a-00000-of-00002.gguf", "00001-of-00002.gguf"],
    ]
  ) {
    assertEquals(partNames(name), [name]);
  }
});
