import { assertEquals, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { keepFile, replaceFile } from "../lib/_cache_home.ts";
import { temporaryFolder } from "./_temporary.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const namesIn = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();

Deno.test("replaceFile() leaves what was there, and nothing else, where making fails", async () => {
  await using folder = await temporaryFolder({ "a.txt": "before" });
  const path = `${folder.path}/a.txt`;
  await assertRejects(() =>
    replaceFile(path, async (part) => {
      await Deno.writeTextFile(part, "half");
      throw new Error("cut");
    })
  );
  assertEquals([await Deno.readTextFile(path), await namesIn(folder.path)], ["before", ["a.txt"]]);
  await replaceFile(path, (part) => Deno.writeTextFile(part, "after"));
  assertEquals([await Deno.readTextFile(path), await namesIn(folder.path)], ["after", ["a.txt"]]);
});

Deno.test("keepFile() fetches what is missing or other, once, and keeps only the right bytes", async () => {
  await using folder = await temporaryFolder({ "b.txt": "tampered" });
  const sum = createHash("sha256").update("right").digest("hex"), asked: boolean[] = [];
  const keep = (name: string, fetched: string | undefined) =>
    keepFile(`${folder.path}/${name}`, sum, (isOther) => {
      asked.push(isOther);
      return Promise.resolve(fetched === undefined ? undefined : bytesOf(fetched));
    });
  assertEquals([await keep("a.txt", undefined), await keep("a.txt", "wrong")], [false, false]);
  assertEquals(await namesIn(folder.path), ["b.txt"]);
  assertEquals([await keep("a.txt", "right"), await keep("a.txt", "unasked")], [true, true]);
  assertEquals([await keep("b.txt", "right"), asked], [true, [false, false, false, true]]);
  assertEquals(await Deno.readTextFile(`${folder.path}/b.txt`), "right");
});
