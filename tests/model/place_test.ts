import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { fileURLToPath } from "node:url";
import { forward, loadModel } from "@moi/moi/model";
import { placeOf } from "../../lib/model/place.ts";
import { exportForHub } from "../../scripts/bench/export.ts";
import { temporaryFolder } from "../_temporary.ts";
import { QWEN3 } from "../golden/golden.ts";
import { COMMIT, goldenFiles, startHub } from "./_hub.ts";

const FOLDER = fileURLToPath(QWEN3);

function endpoint(address: string): Disposable {
  const before = Deno.env.get("HF_ENDPOINT");
  Deno.env.set("HF_ENDPOINT", address);
  return {
    [Symbol.dispose]() {
      if (before === undefined) Deno.env.delete("HF_ENDPOINT");
      else Deno.env.set("HF_ENDPOINT", before);
    },
  };
}

Deno.test("placeOf() takes folders and file URLs as they are", async () => {
  for (const id of [FOLDER, QWEN3, QWEN3.href]) assertEquals(await placeOf(id, {}), FOLDER);
});

Deno.test("placeOf() refuses a revision of what has none", async () => {
  for (const id of ["votes-tiny", FOLDER, QWEN3, QWEN3.href]) {
    await assertRejects(
      () => placeOf(id, { revision: "main" }),
      RangeError,
      "'revision' must be left out for a local model",
    );
  }
});

Deno.test("placeOf() refuses what is neither folder nor name", async () => {
  for (const id of ["no/such/x.txt", "x.gguf", "a/b/c", "no-such-model", "..x", "a/b.git"]) {
    await assertRejects(
      () => placeOf(id, { offline: true }),
      Deno.errors.NotFound,
      "or 'org/name' or 'org/name/file.gguf' on the Hugging Face Hub",
    );
  }
  for (const id of [null, undefined, 5, {}]) {
    await assertRejects(() => loadModel(id as unknown as string), TypeError, "'id' must be a name");
  }
});

Deno.test("placeOf() takes a GGUF file by path, and one of a repository by its name", async () => {
  await using folder = await temporaryFolder({ "x.gguf": "GGUF, but no more" });
  const path = `${folder.path}/x.gguf`;
  assertEquals([await placeOf(path, {}), await placeOf(folder.path, {})], [path, path]);
  await assertRejects(() => loadModel(path), SyntaxError, "Cannot read the GGUF file");
  await using hub = startHub({ files: { "q/a.gguf": "also none", "config.json": "{}" } });
  using _ = endpoint(hub.endpoint);
  const load = () => loadModel("org/name/q/a.gguf", { cacheDir: folder.path });
  await assertRejects(load, SyntaxError, "does not begin with GGUF");
  assertEquals(hub.seen.map(({ what }) => what), ["list", "q/a.gguf"]);
});

Deno.test("all parts of a split GGUF file of a repository are fetched, whichever is named", async () => {
  const [first, second] = ["q/a-00001-of-00002.gguf", "q/a-00002-of-00002.gguf"] as const;
  for (const named of [first, second]) {
    await using folder = await temporaryFolder();
    await using hub = startHub({ files: { [first]: "one", [second]: "two" } });
    using _ = endpoint(hub.endpoint);
    const load = () => loadModel(`org/name/${named}`, { cacheDir: folder.path });
    await assertRejects(load, SyntaxError, "does not begin with GGUF");
    assertEquals(hub.seen.map(({ what }) => what), ["list", first, second]);
  }
});

Deno.test("loadModel() loads org/name from the hub, pinned and again without a request", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({ files: await goldenFiles() });
  using _ = endpoint(hub.endpoint);
  const labels = new Set<string>();
  const options = {
    revision: COMMIT,
    token: "hf_x",
    cacheDir: cache.path,
    offline: false,
    onProgress: ({ label }: { label: string }) => labels.add(label),
  };
  {
    await using model = await loadModel("org/name", options);
    assertEquals([model.id, model.config.vocabularySize], ["org/name", 384]);
  }
  assertEquals([...labels].slice(0, 2), ["load org/name", "download org/name"]);
  assertEquals(hub.seen[0]!.authorization, "Bearer hf_x");
  const count = hub.seen.length;
  await using again = await loadModel("org/name", options);
  assertEquals([again.config.vocabularySize, hub.seen.length], [384, count]);
});

Deno.test("a folder org/name wins over the hub", async () => {
  await using place = await temporaryFolder();
  await using hub = startHub({ files: {} });
  using _ = endpoint(hub.endpoint);
  await Deno.mkdir(`${place.path}/org/name`, { recursive: true });
  const before = Deno.cwd();
  try {
    Deno.chdir(place.path);
    assertEquals(await placeOf("org/name", {}), "org/name");
  } finally {
    Deno.chdir(before);
  }
  assertEquals(hub.seen, []);
});

Deno.test("a model that is nowhere is refused with both places", async () => {
  await using cache = await temporaryFolder();
  await assertRejects(
    () => loadModel("org/name", { cacheDir: cache.path, offline: true }),
    Deno.errors.NotFound,
    "Cannot load the model as there is no folder org/name, and from the hub: Cannot download",
  );
});

Deno.test("loadModel() takes an ONNX export of the hub where there are no safetensors", async () => {
  await using made = await temporaryFolder();
  const source = fileURLToPath(new URL("../../lib/model/embedded/countdown-tiny", import.meta.url));
  await exportForHub(source, made.path);
  const graph = await Deno.readFile(`${made.path}/onnx/model.onnx`);
  const files = {
    "config.json": await Deno.readFile(`${source}/config.json`),
    "onnx/model.onnx": graph,
    "onnx/model_q4.onnx": new Uint8Array(9),
    "pytorch_model.bin": new Uint8Array(9),
  };
  await using cache = await temporaryFolder();
  await using hub = startHub({ files });
  using _ = endpoint(hub.endpoint);
  const options = { cacheDir: cache.path };
  await using model = await loadModel("org/export", options);
  await using golden = await loadModel("countdown-tiny");
  const [found, expected] = [await forward(model, [5, 6, 7]), await forward(golden, [5, 6, 7])];
  found.forEach((row, i) =>
    row.forEach((value, j) => assertAlmostEquals(value, expected[i]![j]!, 1e-4))
  );
  assertEquals(hub.seen.map(({ what }) => what).filter((what) => /q4|bin/.test(what)), []);
  await using again = await loadModel("org/export", { ...options, offline: true });
  assertEquals(again.fingerprint, model.fingerprint);
});
