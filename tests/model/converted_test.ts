import { assert, assertEquals, assertLess, assertNotEquals, assertRejects } from "@std/assert";
import { fileURLToPath } from "node:url";
import { forward, loadModel, type Progress, quality } from "@moi/moi/model";
import { CASES, checkpointOf } from "../golden/architectures.ts";
import { temporaryFolder } from "../_temporary.ts";
import {
  checkpoint,
  encodeSafetensors,
  QWEN3,
  qwen3Weights,
  randomNumbers,
} from "../golden/golden.ts";
import { deno } from "../_process.ts";

const FOLDER = fileURLToPath(QWEN3);
const names = (cacheDir: string) =>
  [...Deno.readDirSync(`${cacheDir}/converted`)].map(({ name }) => name).sort();
const logits = async (cacheDir: string, id = FOLDER, dtype: "int4" | "int8" = "int4") => {
  await using model = await loadModel(id, { dtype, cacheDir });
  return await forward(model, [1, 2, 3]);
};

Deno.test("a second load maps what the first one wrote", async () => {
  await using cache = await temporaryFolder();
  const first = await logits(cache.path), [file] = names(cache.path);
  assertEquals(names(cache.path).length, 1);
  const path = `${cache.path}/converted/${file}`, { mtime } = await Deno.stat(path);
  const reports: Progress[] = [];
  await using model = await loadModel(FOLDER, {
    dtype: "int4",
    cacheDir: cache.path,
    onProgress: (p) => reports.push(p),
  });
  assertEquals(await forward(model, [1, 2, 3]), first);
  assertEquals((await Deno.stat(path)).mtime, mtime);
  assert(reports.every(({ label }) => label.startsWith("load ")));
});

Deno.test("dtypes and checkpoints have a file each", async () => {
  await using cache = await temporaryFolder();
  await logits(cache.path);
  await logits(cache.path, FOLDER, "int8");
  const weights = await qwen3Weights();
  (weights["model.layers.0.mlp.up_proj.weight"]!.data as Float32Array)[1234]! += 0.5;
  await using other = await checkpoint({}, { "model.safetensors": encodeSafetensors(weights) });
  assertNotEquals(await logits(cache.path, other.path), await logits(cache.path));
  assertEquals(names(cache.path).length, 3);
});

Deno.test("a checkpoint that is changed in place is converted again", async () => {
  await using cache = await temporaryFolder();
  await using folder = await checkpoint();
  const before = await logits(cache.path, folder.path);
  const path = `${folder.path}/model.safetensors`, file = await Deno.readFile(path);
  const view = new DataView(file.buffer);
  for (let at = file.length - 4 * 3000; at < file.length; at += 4) view.setFloat32(at, 0.5, true);
  await Deno.writeFile(path, file);
  await Deno.utime(path, new Date(), new Date(Date.now() + 5000));
  assertNotEquals(await logits(cache.path, folder.path), before);
});

Deno.test("conversion reports the bytes that are done, up to all", async () => {
  await using cache = await temporaryFolder();
  const reports: Progress[] = [];
  await using _ = await loadModel(FOLDER, {
    dtype: "int8",
    cacheDir: cache.path,
    onProgress: (p) => reports.push(p),
  });
  const own = reports.filter(({ label }) => label === `convert ${FOLDER}`);
  assertEquals([own[0]!.done, own.at(-1)!.done], [0, own[0]!.total]);
  for (let i = 1; i < own.length; i++) assert(own[i]!.done >= own[i - 1]!.done);
  const weights = Object.entries(await qwen3Weights());
  const matrices = weights.filter(([, { shape }]) => shape.length === 2);
  assertEquals(
    own[0]!.total <= matrices.reduce((sum, [, { data }]) => sum + data.byteLength, 0),
    true,
  );
});

Deno.test("an aborted conversion throws the signal's reason and leaves nothing", async () => {
  await using cache = await temporaryFolder();
  for (const after of [0, 1, 5, 12]) {
    const controller = new AbortController();
    let count = 0;
    const onProgress = ({ label }: Progress) => {
      if (label.startsWith("convert") && count++ === after) controller.abort(new Error("enough"));
    };
    const { signal } = controller;
    await assertRejects(
      () => loadModel(FOLDER, { dtype: "int4", cacheDir: cache.path, onProgress, signal }),
      Error,
      "enough",
    );
    assertEquals(names(cache.path), []);
  }
});

Deno.test("a damaged copy is found out and made again", async () => {
  await using cache = await temporaryFolder();
  const expected = await logits(cache.path), [file] = names(cache.path);
  const path = `${cache.path}/converted/${file}`, good = await Deno.readFile(path);
  const start = new DataView(good.buffer).getUint32(0, true) + 8;
  const random = randomNumbers(1);
  const cut = Array.from({ length: 12 }, () => Math.floor(random() * good.length));
  const header = new TextDecoder().decode(good.subarray(8, start));
  const withHeader = (text: string) => {
    const bytes = good.slice();
    bytes.set(new TextEncoder().encode(text.slice(0, header.length).padEnd(header.length)), 8);
    return bytes;
  };
  const copies: Uint8Array[] = [
    new Uint8Array(0),
    new Uint8Array(100),
    Uint8Array.of(...good.subarray(0, 8)),
    new Uint8Array([...good, 0]),
    good.slice(0, -1),
    ...cut.map((length) => good.slice(0, length)),
    withHeader("{}"),
    withHeader("[]"),
    withHeader(header.replace("#scales", "#scalez")),
    withHeader(header.replace("U8", "I8")),
    withHeader(header.replace('"F32"', '"I32"')),
    withHeader(header.replace("#int4", "#int8")),
    withHeader(header.replace("[0,", "[1,")),
    withHeader(header.replace(/"shape":\[(\d+),(\d+),(\d+)\]/, '"shape":[$2,$1,$3]')),
    ...Array.from({ length: 20 }, () => {
      const bytes = good.slice(); // any byte of the header's length or first entries
      bytes[Math.floor(random() * 8)]! ^= 1 << Math.floor(random() * 8);
      return bytes;
    }),
  ];
  for (const copy of copies) {
    await Deno.writeFile(path, copy);
    const begin = performance.now();
    assertEquals(await logits(cache.path), expected);
    assertLess(performance.now() - begin, 2000);
    assertEquals(await Deno.readFile(path), good);
  }
  assert(copies.length >= 40);
});

Deno.test("loads that convert at the same time end with one good file", async () => {
  await using cache = await temporaryFolder();
  const all = await Promise.all(Array.from({ length: 5 }, () => logits(cache.path)));
  for (const found of all) assertEquals(found, all[0]!);
  assertEquals(names(cache.path).length, 1);
});

Deno.test("processes that convert at the same time do no harm", async () => {
  await using cache = await temporaryFolder();
  const code = `import { forward, loadModel } from "${new URL(
    "../../lib/model/mod.ts",
    import.meta.url,
  )}";
    await using model = await loadModel(${JSON.stringify(FOLDER)}, { dtype: "int4", cacheDir: ${
    JSON.stringify(cache.path)
  } });
    console.log((await forward(model, [1, 2, 3]))[2].join());`;
  await Deno.writeTextFile(`${cache.path}/load.ts`, code);
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  const args = ["run", "-A", "--no-check", "--config", config, `${cache.path}/load.ts`];
  const runs = await Promise.all([0, 1, 2].map(() => deno(args)));
  const expected = (await logits(cache.path))[2]!.join();
  for (const { stdout, stderr } of runs) assertEquals(stdout.trim(), expected, stderr);
  assertEquals(names(cache.path).length, 1);
});

Deno.test("what a killed process left behind is removed after a day", async () => {
  await using cache = await temporaryFolder();
  await Deno.mkdir(`${cache.path}/converted`);
  const old = `${cache.path}/converted/x.safetensors.1.part`,
    young = `${cache.path}/converted/y.safetensors.1.part`;
  for (const path of [old, young]) await Deno.writeTextFile(path, "half");
  const days = new Date(Date.now() - 2 * 24 * 3600e3);
  await Deno.utime(old, days, days);
  await logits(cache.path);
  assertEquals(names(cache.path).filter((name) => name.endsWith(".part")), [
    "y.safetensors.1.part",
  ]);
});

Deno.test("a cache folder that cannot be written is an error that names it", async () => {
  await using cache = await temporaryFolder({ converted: "a file" });
  await assertRejects(() => logits(cache.path), Error, `${cache.path}/converted/`);
});

Deno.test({
  name: "a disposed quantised model leaves no memory mapped",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using cache = await temporaryFolder();
    await logits(cache.path);
    assertEquals(Deno.readTextFileSync("/proc/self/maps").includes(cache.path), false);
  },
});

Deno.test("a checkpoint at odd addresses is converted like any other", async () => {
  const weights = await qwen3Weights();
  const shift = { pad: { dtype: "U8", shape: [3], data: new Uint8Array(3) } };
  await using odd = await checkpoint({}, {
    "model.safetensors": encodeSafetensors({ ...shift, ...weights }),
  });
  await using cache = await temporaryFolder();
  assertEquals(await logits(cache.path, odd.path), await logits(cache.path));
});

for (const value of CASES) {
  Deno.test(`${value.name}: all linear layers are quantised, and the logits stay near`, async () => {
    await using folder = await checkpointOf(value);
    await using cache = await temporaryFolder();
    const options = { maxLength: value.max_length, cacheDir: cache.path };
    await using exact = await loadModel(folder.path, { ...options, dtype: "fp32" });
    await using model = await loadModel(folder.path, { ...options, dtype: "int8" });
    const { meanKl } = await quality(model, exact, [value.input_ids]);
    // where rounding changes a router's choice, an expert of a random model is another random network
    assertLess(meanKl, value.config.model_type === "qwen3_moe" ? 0.3 : 0.02);
    // what is left in float32: vectors, routers, embedding rows
    const copy = await Deno.readFile(`${cache.path}/converted/${names(cache.path)[0]}`);
    const header = new TextDecoder().decode(copy.subarray(8, 8 + copy[0]! + 256 * copy[1]!));
    const quantised = new Set([...header.matchAll(/"([^"]+)#int8"/g)].map(([, name]) => name));
    const kept = value.tensors.filter(([name, shape]) => shape.length > 1 && !quantised.has(name));
    const allowed = /embed_tokens\.weight$|\.mlp\.gate\.weight$|vision|multi_modal/;
    assertEquals(kept.map(([name]) => name).filter((name) => !allowed.test(name)), []);

    const isMixture = value.config.model_type === "qwen3_moe";
    for (const [dtype, bound] of [["fp16", 1e-4], ["int4", isMixture ? 1.5 : 0.8]] as const) {
      await using other = await loadModel(folder.path, { ...options, dtype });
      assertLess((await quality(other, exact, [value.input_ids])).meanKl, bound, dtype);
    }
  });
}
