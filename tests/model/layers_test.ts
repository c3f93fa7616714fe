/** What stands inside the layers: against transformers, against the model itself, and what is refused. */

import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import {
  forward,
  type Input,
  loadModel,
  logitLens,
  type Mixture,
  type Model,
} from "@moi/moi/model";
import { CASES, checkpointOf } from "../golden/architectures.ts";
import { maxDifference, QWEN3, wideCheckpoint } from "../golden/golden.ts";
import { pickedOf, storedNumbers, STREAMS } from "../golden/streams.ts";
import { exportFiles, makeExport } from "../graph/_exports.ts";
import { mockModel } from "../_mock_model.ts";
import { needing, REAL_MODEL } from "../_needing.ts";
import { temporaryFolder } from "../_temporary.ts";

const TOLERANCE = 2e-4;

/** Tokens of a model, and a mixture among them. */
function inputsOf({ config: { vocabularySize } }: Model, count: number): Input[] {
  const ids = Array.from({ length: count }, (_, i) => (7 * i + 3) % vocabularySize);
  const mixed: Mixture = { ids: [2, 5, 11], weights: [0.5, 0.25, 0.25] };
  return ids.map((id, i) => i === Math.floor(count / 2) ? mixed : id);
}

/** softmax in float64, rounded once. */
function softmax(logits: Float32Array): Float32Array {
  const best = logits.reduce((a, b) => Math.max(a, b)), all = Array.from(logits);
  const sum = all.reduce((sum, own) => sum + Math.exp(own - best), 0);
  return Float32Array.from(all, (own) => Math.exp(own - best) / sum);
}

/**
 * What must hold of every model, to the bit: logits are those of a call without a look inside, the lens of the last
 * layer is what the model says, what is replaced by itself changes nothing, and a whole column of the last layer from
 * another run gives that run's logits.
 */
async function checkInside(model: Model, count: number): Promise<void> {
  const inputs = inputsOf(model, count), layer = model.config.layers;
  const { logits, layers } = await forward(model, inputs, { layers: true });
  assertEquals(logits, await forward(model, inputs));
  assertEquals(layers.map((streams) => streams.length), Array(layer + 1).fill(count));
  const [last] = await logitLens(model, [layers[layer]!]);
  assertEquals(last, logits.map(softmax));

  const middle = Math.floor(layer / 2), position = Math.floor(count / 2);
  const same = layers.map((streams, layer) => ({ layer, position, stream: streams[position]! }));
  const again = await forward(model, inputs, { layers: [middle], patches: same });
  assertEquals(again, { logits, layers: [layers[middle]!] });

  const others = inputs.toReversed(), all = layers[layer]!;
  const column = all.map((stream, position) => ({ layer, position, stream }));
  assertEquals((await forward(model, others, { layers: [], patches: column })).logits, logits);
  const [patch] = [{ layer: middle, position, stream: layers[middle]![position]! }];
  const one = await forward(model, others, { layers: [middle], patches: [patch!] });
  assertEquals(one.layers[0]![position], patch!.stream);
  const plain = await forward(model, others);
  assertEquals(one.logits.slice(0, position), plain.slice(0, position)); // it is causal
  assert(maxDifference(one.logits[position]!, plain[position]!) > 0);
}

for (const value of CASES) {
  const { name, input_ids: ids, max_length: maxLength } = value;
  Deno.test(`${name}: residual streams are those of transformers`, async () => {
    await using folder = await checkpointOf(value);
    await using model = await loadModel(folder.path, { maxLength });
    const { layers } = await forward(model, ids, { layers: true });
    const expected = storedNumbers(STREAMS.cases[name]!);
    assertLess(maxDifference(pickedOf(layers), expected), TOLERANCE);
    await checkInside(model, ids.length);
  });
}

Deno.test("a look inside holds in every number format of weights, keys and values", async () => {
  for (const dtype of ["fp32", "fp16", "int8", "int4"] as const) {
    for (const kv of ["fp32", "fp16", "int8"] as const) {
      await using model = await loadModel(QWEN3, { dtype, kv, maxLength: 64 });
      await checkInside(model, 24);
    }
  }
});

Deno.test("a large vocabulary: prompts of several runs, mixtures over all tokens", async () => {
  await using folder = await wideCheckpoint(40_000);
  await using model = await loadModel(folder.path, { maxLength: 300 });
  const { vocabularySize } = model.config;
  await checkInside(model, 210);
  const probabilities = new Float32Array(vocabularySize).fill(1 / vocabularySize);
  const dense = { ids: [3], weights: [0.5], dense: { probabilities, weight: 0.5 } };
  const inputs: Input[] = [1, dense, 2];
  const { logits } = await forward(model, inputs, { layers: [0] });
  assertEquals(logits, await forward(model, inputs));
});

Deno.test("the stream of a mixture begins as the mixture of the tokens' streams", async () => {
  await using model = await loadModel("votes-tiny");
  const [a, b] = [3, 4];
  const first = async (input: Input) =>
    (await forward(model, [input], { layers: [0] })).layers[0]![0]!;
  const mixed = await first({ ids: [a, b], weights: [0.75, 0.25] });
  const [own, other] = [await first(a), await first(b)];
  assertLess(maxDifference(mixed, own.map((x, d) => 0.75 * x + 0.25 * other[d]!)), 1e-6);
});

Deno.test("layers are told in the order that is asked for", async () => {
  await using model = await loadModel("votes-tiny");
  const { layers: all } = await forward(model, [1, 26], { layers: true });
  const { layers } = await forward(model, [1, 26], { layers: [2, 0] });
  assertEquals(layers, [all[2]!, all[0]!]);
  assertEquals((await forward(model, [1], { layers: [] })).layers, []);
});

Deno.test("what cannot be looked into is refused, and says what can be", async () => {
  await using folder = await temporaryFolder(exportFiles(makeExport()));
  await using exported = await loadModel(folder.path);
  for (const model of [exported, mockModel()]) {
    await assertRejects(
      () => forward(model, [1], { layers: true }),
      TypeError,
      "does not tell its layers: checkpoints in Hugging Face's format and GGUF files do",
    );
    await assertRejects(() => logitLens(model, []), TypeError, "does not tell its layers");
  }
});

Deno.test("layers, streams and patches that there are not are refused", async () => {
  await using model = await loadModel("votes-tiny");
  const stream = new Float32Array(model.config.hiddenSize), L = model.config.layers;
  const inside = (options: unknown) => () =>
    forward(model, [1, 26], options as Parameters<typeof forward>[2]);
  for (const layer of [-1, L + 1, 0.5, NaN]) {
    await assertRejects(inside({ layers: [layer] }), RangeError, "'layers' must be an integer");
    const patches = [{ layer, position: 0, stream }];
    await assertRejects(inside({ layers: [], patches }), RangeError, "'patches[0].layer' must be");
  }
  for (const layers of [3, "all", false, null]) {
    await assertRejects(inside({ layers }), TypeError, "'layers' must be true or a list of layers");
  }
  for (const position of [-1, 2, 0.5]) {
    const patches = [{ layer: 0, position: 1, stream }, { layer: 0, position, stream }];
    await assertRejects(inside({ layers: [], patches }), RangeError, "'patches[1].position'");
  }
  await assertRejects(() => logitLens(model, [stream] as never), TypeError, "'layers'");
  await assertRejects(inside({ layers: [], patches: [null] }), TypeError, "'patches[0]'");
  for (const wrong of [stream.slice(1), [...stream], undefined]) {
    const patches = [{ layer: 0, position: 1, stream: wrong }];
    await assertRejects(inside({ layers: [], patches }), TypeError, "be a Float32Array of");
    await assertRejects(() => logitLens(model, [[wrong as Float32Array]]), TypeError, "'layers'");
  }
  const twice = Array(2).fill({ layer: 1, position: 1, stream });
  await assertRejects(inside({ layers: [], patches: twice }), RangeError, "only one of its place");
  await assertRejects(inside({ patches: twice }), TypeError, "'layers' must be given");
  await assertRejects(inside({ layer: [1] }), TypeError, "known options are layers, patches");
});

Deno.test("a disposed model is not looked into", async () => {
  const model = await loadModel("votes-tiny");
  const { layers } = await forward(model, [1], { layers: true });
  await model[Symbol.asyncDispose]();
  await assertRejects(() => forward(model, [1], { layers: true }), Error, "the model is disposed");
  await assertRejects(() => logitLens(model, layers), Error, "the model is disposed");
  const unseen = await loadModel("votes-tiny");
  await unseen[Symbol.asyncDispose]();
  await assertRejects(() => logitLens(unseen, layers), Error, "the model is disposed");
});

needing(REAL_MODEL)("residual streams of a real model are those of transformers", async () => {
  const folder = Deno.env.get("MOI_REAL_MODEL");
  await using model = await loadModel(`${folder}/smollm2-135m-instruct.Q4_1.gguf`, {
    ...{ cacheDir: `${folder}/cache`, dtype: "fp32", maxLength: 64 },
  });
  const { numbers, smollm2: { input_ids, streams } } = STREAMS;
  const { layers } = await forward(model, input_ids, { layers: true });
  assertLess(maxDifference(pickedOf(layers, numbers), storedNumbers(streams)), TOLERANCE);
  await checkInside(model, 12);
});
