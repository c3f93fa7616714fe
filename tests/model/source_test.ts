import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  type Checkpoint,
  checkpointSource,
  forward,
  loadModel,
  type ModelFiles,
  openSource,
  type Source,
} from "@moi/moi/model";
import type { Weight } from "@moi/moi/graph";
import { mapFile } from "@moi/moi/runtime";
import { temporaryFolder } from "../_temporary.ts";
import { maxDifference, QWEN3, qwen3Weights } from "../golden/golden.ts";

/** A format of a test: a line of JSON that says where tensors lie, then their numbers, negated. */
async function toyFile(path: string): Promise<void> {
  const table: Record<string, { dims: readonly number[]; offset: number; length: number }> = {};
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let offset = 4096;
  for (const [name, { shape, data }] of Object.entries(await qwen3Weights())) {
    const numbers = Float32Array.from(data as Float32Array, (value) => -value);
    const length = numbers.byteLength;
    table[name] = { dims: shape, offset, length };
    parts.push(new Uint8Array(numbers.buffer));
    offset += length;
  }
  const header = new TextEncoder().encode(JSON.stringify(table).padEnd(4096));
  await Deno.writeFile(path, new Uint8Array(await new Blob([header, ...parts]).arrayBuffer()));
}

/** All that the format needs. */
function toySource(path: string, config: Record<string, unknown>): Source {
  const json: ModelFiles["json"] = (name) =>
    Promise.resolve(name === "config.json" ? config : undefined);
  const text: ModelFiles["text"] = () => Promise.resolve(undefined);
  const open = (): Checkpoint => {
    const file = mapFile(path);
    const header = new TextDecoder().decode(new Uint8Array(file.buffer, 0, 4096));
    const entries = Object.entries<Omit<Weight, "type" | "location">>(JSON.parse(header));
    const encoded = entries.map(([name, { offset, length }]) => {
      const widen = (bytes: Uint8Array<ArrayBuffer>, into: Float32Array) =>
        into.set(new Float32Array(bytes.buffer).map((value) => -value));
      return [name, { type: "negated", location: "toy", offset, length, widen }] as const;
    });
    return {
      files: { toy: file },
      tensors: new Map(entries.map(([name, place]) => [
        name,
        { ...place, type: "float32", location: "toy" },
      ])),
      encoded: new Map(encoded),
      [Symbol.dispose]: () => file[Symbol.dispose](),
    };
  };
  return checkpointSource(path, { text, json }, JSON.stringify(config), open);
}

Deno.test("a file format of one's own is a source: loadModel() loads it in every number format", async () => {
  await using folder = await temporaryFolder();
  const config = JSON.parse(await Deno.readTextFile(new URL("config.json", QWEN3)));
  const path = `${folder.path}/model.toy`, cacheDir = folder.path, ids = [1, 2, 3];
  await toyFile(path);
  for (const dtype of ["fp32", "int8"] as const) {
    await using expected = await loadModel(QWEN3, { dtype, cacheDir });
    await using model = await loadModel(toySource(path, config), { dtype, cacheDir });
    assertEquals([model.id, model.dtype], [path, dtype]);
    const [theirs, ours] = [await forward(expected, ids), await forward(model, ids)];
    for (const [i, row] of theirs.entries()) assertEquals(maxDifference(ours[i]!, row), 0);
    assertEquals(model.embeddings!([5]), expected.embeddings!([5]));
  }
});

Deno.test("openSource() tells a folder's shape before its weights are opened", async () => {
  await using folder = await temporaryFolder({
    "config.json": await Deno.readFile(new URL("config.json", QWEN3)),
  });
  using source = await openSource(folder.path);
  assertEquals([source.config.vocabularySize, source.stored], [384, undefined]);
  const error = await assertRejects(() => loadModel(source), Deno.errors.NotFound);
  assertStringIncludes(error.message, "model.safetensors cannot be read");
});
