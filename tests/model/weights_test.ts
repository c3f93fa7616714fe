import { assertEquals, assertLess, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { forward, loadModel } from "@moi/moi/model";
import { openWeights, parseIndex } from "../../lib/model/weights.ts";
import { temporaryFolder } from "../_temporary.ts";
import {
  checkpoint,
  encodeSafetensors,
  QWEN3,
  qwen3Weights,
  type StoredTensor,
} from "../golden/golden.ts";

const INDEX = "model.safetensors.index.json";
const shard = (i: number, of: number) =>
  `model-${String(i + 1).padStart(5, "0")}-of-${String(of).padStart(5, "0")}.safetensors`;

/** The golden checkpoint in several files. */
async function sharded(count: number) {
  const groups: Record<string, StoredTensor>[] = Array.from({ length: count }, () => ({}));
  const map: Record<string, string> = {};
  for (const [i, [name, value]] of Object.entries(await qwen3Weights()).entries()) {
    groups[i % count]![name] = value;
    map[name] = shard(i % count, count);
  }
  const files = Object.fromEntries(
    groups.map((group, i) => [shard(i, count), encodeSafetensors(group)]),
  );
  return { groups, map, files };
}

/** A folder with an index and files, and no model.safetensors. */
async function folderOf(map: unknown, files: Record<string, string | Uint8Array>) {
  const index = typeof map === "string" ? map : JSON.stringify({ metadata: {}, weight_map: map });
  const folder = await checkpoint({}, { ...files, [INDEX]: index });
  await Deno.remove(`${folder.path}/model.safetensors`);
  return folder;
}

Deno.test("a checkpoint in shards is the one in a single file", async () => {
  await using golden = await loadModel(QWEN3);
  const expected = await forward(golden, [1, 2, 3]);
  for (const count of [1, 2, 5]) {
    const { map, files } = await sharded(count);
    await using folder = await folderOf(map, files);
    await using model = await loadModel(folder.path);
    assertEquals(await forward(model, [1, 2, 3]), expected);
    assertEquals(model.memory, golden.memory);
  }
});

Deno.test("shards may be symbolic links that leave the folder, as in the Hugging Face cache", async () => {
  const { map, files } = await sharded(2);
  await using blobs = await temporaryFolder(files);
  await using folder = await folderOf(map, {});
  for (const file of Object.keys(files)) {
    await Deno.symlink(`${blobs.path}/${file}`, `${folder.path}/${file}`);
  }
  await using model = await loadModel(folder.path);
  assertEquals((await forward(model, [1])).length, 1);
});

Deno.test("a single file goes before an index", async () => {
  await using folder = await checkpoint({}, { [INDEX]: "{" });
  await using model = await loadModel(folder.path);
  assertEquals(model.config.vocabularySize, 384);
});

Deno.test("openWeights() keeps the shards apart by name", async () => {
  const { map, files } = await sharded(3);
  await using folder = await folderOf(map, files);
  using opened = await openWeights(folder.path);
  assertEquals(Object.keys(opened.files).sort(), Object.keys(files).sort());
  for (const [name, { location }] of opened.tensors) assertEquals(location, map[name]);
});

const NAMES = [
  "../a.safetensors",
  "..",
  ".",
  "",
  "/etc/passwd",
  "/a.safetensors",
  "a/b.safetensors",
  "a\\b.safetensors",
  "..\\a.safetensors",
  "C:a.safetensors",
  "C:\\a.safetensors",
  "a.safetensors/../../b.safetensors",
  "a.safetensors\u0000",
  "a\u0000.safetensors",
  "a\n.safetensors",
  "file:///etc/a.safetensors",
  "http://example.com/a.safetensors",
  "pytorch_model.bin",
  "model.safetensors.index.json",
  "a.SAFETENSORS",
  "a.safetensors ",
  `${"a".repeat(300)}.safetensors`,
  null,
  1,
  true,
  [],
  ["a.safetensors"],
  {},
];
for (const name of NAMES) {
  Deno.test(`parseIndex() refuses the file name ${JSON.stringify(name)?.slice(0, 60)}`, () => {
    const index = JSON.stringify({ weight_map: { ok: "a.safetensors", "x.weight": name } });
    assertThrows(() => parseIndex(index), SyntaxError, `tensor "x.weight" must lie in`);
  });
}

const TEXTS = [
  "",
  " ",
  "{",
  "null",
  "[]",
  "1",
  '"a"',
  "{}",
  '{"weight_map":null}',
  '{"weight_map":[]}',
  '{"weight_map":["a.safetensors"]}',
  '{"weight_map":"a.safetensors"}',
  '{"weight_map":1}',
  '{"weight_map":{}}',
  '{"weight_maps":{"a":"a.safetensors"}}',
  '{"__proto__":{"weight_map":{"a":"a.safetensors"}}}',
  '{"weight_map":{"a":"a.safetensors"}',
  '{"weight_map":{"a":"a.safetensors",}}',
  "[".repeat(100_000),
  '{"weight_map":'.repeat(50_000),
];
for (const text of TEXTS) {
  Deno.test(`parseIndex() refuses ${JSON.stringify(text.slice(0, 50))}`, () => {
    const start = performance.now();
    const { message } = assertThrows(() => parseIndex(text), SyntaxError);
    assertMatch(message, /^Cannot (read|load the model as) model\.safetensors\.index\.json /);
    assertLess(performance.now() - start, 1000);
  });
}

Deno.test("parseIndex() takes tensors with names of any kind", () => {
  const map = parseIndex('{"weight_map":{"__proto__":"a.safetensors","":"größe.safetensors"}}');
  assertEquals([...map], [["__proto__", "a.safetensors"], ["", "größe.safetensors"]]);
});

Deno.test("loadModel() refuses a missing shard by its path", async () => {
  const { map, files } = await sharded(3);
  delete files[shard(1, 3)];
  await using folder = await folderOf(map, files);
  await assertRejects(
    () => loadModel(folder.path),
    Deno.errors.NotFound,
    `${shard(1, 3)} cannot be read`,
  );
});

Deno.test("loadModel() refuses indexes that contradict the shards, by tensor", async () => {
  const { map, files, groups } = await sharded(2);
  const norm = "model.norm.weight",
    where = map[norm]!,
    other = shard(0, 2) === where ? shard(1, 2) : shard(0, 2);
  const both = { ...groups[other === shard(0, 2) ? 0 : 1]!, [norm]: (await qwen3Weights())[norm]! };
  const cases: [unknown, Record<string, Uint8Array>, string][] = [
    [{ ...map, [norm]: other }, files, `"${norm}" must be in ${other}: it is in ${where}`],
    [{ ...map, ghost: where }, files, `"ghost" is not in ${where}`],
    [map, { ...files, [other]: encodeSafetensors(both) }, `"${norm}"`],
    ["{", files, "not valid JSON"],
  ];
  for (const [changed, all, message] of cases) {
    await using folder = await folderOf(changed, all);
    const start = performance.now();
    await assertRejects(() => loadModel(folder.path), SyntaxError, message);
    assertLess(performance.now() - start, 1000);
  }
});

Deno.test("loadModel() refuses a tensor that two shards hold and neither is listed for", async () => {
  const { map, groups } = await sharded(2);
  const extra = (await qwen3Weights())["model.norm.weight"]!;
  const files = Object.fromEntries(
    groups.map((group, i) => [shard(i, 2), encodeSafetensors({ ...group, extra })]),
  );
  await using folder = await folderOf(map, files);
  await assertRejects(() => loadModel(folder.path), SyntaxError, `"extra" is in both`);
});

Deno.test("loadModel() takes tensors that a shard holds and the index does not list", async () => {
  const { map, groups } = await sharded(2);
  const extra = (await qwen3Weights())["model.norm.weight"]!;
  const files = {
    [shard(0, 2)]: encodeSafetensors({ ...groups[0]!, extra }),
    [shard(1, 2)]: encodeSafetensors(groups[1]!),
  };
  await using folder = await folderOf(map, files);
  await using model = await loadModel(folder.path);
  assertEquals(model.config.layers > 0, true);
});

Deno.test("loadModel() refuses damaged shards by name, and maps nothing afterwards", async () => {
  const { map, files } = await sharded(2);
  for (
    const change of [
      (f: Uint8Array) => f.slice(0, -1),
      (f: Uint8Array) => f.slice(0, 20),
      () => new Uint8Array(100),
    ]
  ) {
    await using folder = await folderOf(map, {
      ...files,
      [shard(1, 2)]: change(files[shard(1, 2)]!),
    });
    await assertRejects(() => loadModel(folder.path), SyntaxError, `Cannot read ${shard(1, 2)}`);
    if (Deno.build.os !== "linux") continue;
    assertEquals(Deno.readTextFileSync("/proc/self/maps").includes(folder.path), false);
  }
});

Deno.test("a mapped file that forgets is read again", async () => {
  const { mapFile } = await import("@moi/moi/runtime");
  await using folder = await temporaryFolder({ "a.bin": new Uint8Array(100_000).fill(7) });
  const file = mapFile(`${folder.path}/a.bin`), bytes = new Uint8Array(file.buffer);
  for (let i = 0; i < 3; i++) {
    assertEquals(bytes.every((byte) => byte === 7), true);
    file.forget();
  }
  file[Symbol.dispose]();
  file.forget(); // of no effect
});
