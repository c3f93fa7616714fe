/** Which engine a file gets, and options that one of them does not take. */

import { assert, assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { generate, moi } from "@moi/moi/decode";
import { forward, loadModel, type LoadOptions, logitLens, type Progress } from "@moi/moi/model";
import { LLAMA_VERSION } from "../../../lib/llama/mod.ts";
import { caseOf, pathOf } from "../../golden/llama.ts";
import { checkpoint, maxDifference } from "../../golden/golden.ts";
import { temporaryFolder } from "../../_temporary.ts";

const ENGINE = { engine: "llama.cpp", device: "cpu", threads: 1 } as const;

Deno.test("a file that ONNX Runtime reads gets it, another llama.cpp, and attempts say why", async () => {
  await using folder = await temporaryFolder();
  const cacheDir = folder.path;
  {
    await using model = await loadModel(pathOf("gemma3"), { cacheDir });
    assertEquals(model.versions?.["llama.cpp"], undefined);
    assertEquals(model.device, "cpu");
  }
  for (const device of ["auto", "cpu"] as const) {
    await using model = await loadModel(pathOf("falcon"), { cacheDir, device });
    assertEquals(model.versions, { "llama.cpp": LLAMA_VERSION });
    assertEquals([model.device, model.dtype, model.kv], ["cpu", "native", "fp16"]);
    assertEquals(model.checked, { chunk: 128, isBatchExact: true });
    const [first, ...others] = model.attempts!;
    assertEquals([first!.engine, first!.device], ["onnxruntime", device]);
    assertMatch(first!.why!, /'general.architecture' must be .* current value is "falcon"$/);
    assertEquals(others.at(-1), { engine: "llama.cpp", device: "cpu" });
    if (device === "auto") assertMatch(others[0]!.why!, /^the model is small$/);
  }
  await using model = await loadModel(pathOf("gemma3"), ENGINE);
  assertEquals(model.versions, { "llama.cpp": LLAMA_VERSION });
  await assertRejects(
    () => loadModel(pathOf("falcon"), { engine: "onnxruntime", cacheDir }),
    SyntaxError,
    "'general.architecture' must be",
  );
});

Deno.test("both engines give nearly the same of one file, mixtures and texts too", async () => {
  await using folder = await temporaryFolder();
  const { ids, mixtures } = caseOf("gemma3"), options = { kv: "fp32", threads: 1 } as const;
  const path = pathOf("gemma3");
  await using llama = await loadModel(path, { ...options, ...ENGINE });
  await using onnx = await loadModel(path, { ...options, cacheDir: folder.path });
  const mixed = [...ids, ...mixtures.map(({ ids, weights }) => ({ ids, weights }))];
  const [a, b] = [await forward(llama, mixed), await forward(onnx, mixed)];
  // GELU in float16 moves logits by up to 3.9e-3
  for (const [i, row] of a.entries()) assertLess(maxDifference(row, b[i]!), 1e-2);
  assertEquals(llama.embeddings!([5, 70]), onnx.embeddings!([5, 70]));
  assertEquals(llama.config.vocabularySize, onnx.config.vocabularySize);
  assertEquals(llama.tokenizer.eosTokenIds, onnx.tokenizer.eosTokenIds);
  assertEquals(llama.maxLength, onnx.maxLength);
  const request = { method: moi(), seed: 1, maxNewTokens: 20, ignoreEos: true };
  const [one, other] = [await generate(llama, ids, request), await generate(onnx, ids, request)];
  assertEquals(one.tokens.slice(0, 8), other.tokens.slice(0, 8));
});

Deno.test("options that llama.cpp does not take are refused by name", async () => {
  const path = pathOf("falcon");
  const refuses = (options: LoadOptions, message: string, kind: typeof Error = RangeError) =>
    assertRejects(() => loadModel(path, options), kind, message);
  for (const dtype of ["int4", "int8", "fp16", "fp32"] as const) {
    await refuses({ ...ENGINE, dtype }, "'dtype' must be 'auto' or 'native' with llama.cpp");
  }
  await refuses({ ...ENGINE, kv: "int8" }, "'kv' must be 'fp16' or 'fp32' with llama.cpp");
  await refuses({ ...ENGINE, device: "webgpu" }, "'device' must be 'auto', 'cpu', 'vulkan'");
  for (const spinning of [true, false]) {
    await refuses({ ...ENGINE, spinning }, "'spinning' must be left out with llama.cpp");
  }
  for (const threads of [navigator.hardwareConcurrency + 1, 1024]) {
    await refuses({ ...ENGINE, threads }, "'threads' must be at most");
  }
  await refuses({ engine: "onnxruntime", device: "vulkan" }, "'device' must be 'auto', 'cpu',");
  await refuses({ engine: "onnxruntime", device: "metal" }, "with ONNX Runtime");
  await refuses({ ...ENGINE, device: "metal" }, "there is no library for it on");
  await refuses({ ...ENGINE, maxLength: 65 }, "'maxLength' must be at most 64");
  await refuses({ ...ENGINE, maxLength: 0 }, "'maxLength' must be");
  await refuses({ ...ENGINE, threads: 0 }, "'threads' must be");
  await refuses({ engine: "gguf" as "auto" }, "'engine' must be 'auto', 'onnxruntime' or");
  await using model = await loadModel(path, { ...ENGINE, dtype: "native", maxLength: 63 });
  assertEquals(model.maxLength, 63);
});

Deno.test("what is no GGUF file is refused by llama.cpp, by its option or its device", async () => {
  await using folder = await checkpoint();
  await using empty = await temporaryFolder({ "model.gguf": "", "text.gguf": "GGUF\x03" });
  const words = "'engine' must be 'onnxruntime' for what is no GGUF file";
  for (const id of [folder.path, "votes-tiny"]) {
    await assertRejects(() => loadModel(id, ENGINE), RangeError, words);
    const device = "'device' must be 'auto', 'cpu', 'webgpu' or 'cuda' for what is no GGUF file";
    await assertRejects(() => loadModel(id, { device: "vulkan" }), RangeError, device);
  }
  for (const name of ["model.gguf", "text.gguf"]) {
    await assertRejects(() => loadModel(`${empty.path}/${name}`, ENGINE), Error, "Cannot ");
  }
  await assertRejects(() => loadModel(`${empty.path}/none.gguf`, ENGINE), Deno.errors.NotFound);
});

Deno.test("a folder with one GGUF file and nothing else is that file", async () => {
  await using folder = await temporaryFolder({
    "model.gguf": await Deno.readFile(pathOf("falcon")),
  });
  await using model = await loadModel(folder.path, ENGINE);
  await using same = await loadModel(pathOf("falcon"), ENGINE);
  assertEquals(model.fingerprint, same.fingerprint);
  assertEquals(await forward(model, [5, 6]), await forward(same, [5, 6]));
});

Deno.test("what stands inside the layers cannot be told, and says so", async () => {
  await using model = await loadModel(pathOf("falcon"), ENGINE);
  assertEquals(model.layers, undefined);
  for (const layers of [true, [0], []] as const) {
    const error = await assertRejects(() => forward(model, [5], { layers }), TypeError);
    assertMatch((error as Error).message, /^Cannot run the model as .*falcon/);
  }
  await assertRejects(() => logitLens(model, [[new Float32Array(32)]]), TypeError, "Cannot look");
});

Deno.test("a load tells how far it is, ends by a signal, and throws what a report throws", async () => {
  const path = pathOf("granite"), done: number[] = [];
  await using model = await loadModel(path, {
    ...ENGINE,
    onProgress(report) {
      assertEquals(report.label, `load ${path}`);
      done.push(report.done / report.total);
    },
  });
  assertEquals(model.maxLength, 64);
  assertEquals(done, done.toSorted((a, b) => a - b));
  assertEquals([done[0], done.at(-1)], [0, 1]);
  assert(done.length > 2);
  for (const at of [0, done[2]!, 0.99]) {
    const gone = new AbortController(), isThere = (one: Progress) => one.done / one.total >= at;
    const onProgress = (one: Progress) => isThere(one) && gone.abort(new Error("enough"));
    const options = { ...ENGINE, signal: gone.signal, onProgress };
    await assertRejects(() => loadModel(path, options), Error, "enough");
    const failing = (one: Progress) => {
      if (isThere(one)) throw new RangeError("mine");
    };
    const { message } = await assertRejects(
      () => loadModel(path, { ...ENGINE, onProgress: failing }),
      RangeError,
    ) as Error;
    assertEquals(message, "mine");
  }
  const signal = AbortSignal.abort(new Error("before"));
  await assertRejects(() => loadModel(path, { ...ENGINE, signal }), Error, "before");
});
