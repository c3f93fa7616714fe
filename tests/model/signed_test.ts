/** Mixtures over a whole vocabulary: what is multiplied with the table. */

import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { DENSE, encodeGraph } from "@moi/moi/graph";
import type { Mixture } from "@moi/moi/model";
import { createSession } from "@moi/moi/runtime";
import { isDense, listedPart, openDenseMixtures } from "../../lib/model/dense.ts";
import { seeded } from "../_random.ts";

const V = 1100, D = 2, random = seeded(5);
const TABLE = Float32Array.from({ length: V * D }, () => random.normal());
/** The uniform distribution. */
const UNIFORM = Float32Array.from({ length: V }, () => 1 / V);

/** The embeddings of mixtures, what is listed apart included. */
async function embedded(mixtures: readonly Mixture[]): Promise<number[]> {
  const dims = { type: "float32" } as const;
  const data = new Uint8Array(TABLE.buffer);
  await using session = await createSession(encodeGraph({
    nodes: [{
      op: "MatMul",
      domain: "",
      inputs: [DENSE.weights, "table"],
      outputs: [DENSE.embeddings],
      attributes: {},
    }],
    initializers: [{ name: "table", dims: [V, D], type: "float32", data }],
    inputs: [{ name: DENSE.weights, ...dims, dims: ["n", V] }],
    outputs: [{ name: DENSE.embeddings, ...dims, dims: ["n", D] }],
  }));
  using whole = openDenseMixtures(
    { session: () => Promise.resolve(session), [Symbol.asyncDispose]: () => Promise.resolve() },
    V,
    D,
  );
  const target = new Float32Array(mixtures.length * D);
  await whole.embed(mixtures, mixtures.map((_, i) => i), target);
  return mixtures.flatMap((mixture, i) => {
    const { ids, weights } = listedPart(mixture) as Mixture;
    return [0, 1].map((d) =>
      Array.from(ids).reduce(
        (sum, id, k) => sum + weights[k]! * TABLE[id * D + d]!,
        target[i * D + d]!,
      )
    );
  });
}

/** Σ w · e in float64. */
function expected({ ids, weights, dense }: Mixture): number[] {
  return [0, 1].map((d) => {
    let sum = 0;
    for (let k = 0; k < ids.length; k++) sum += weights[k]! * TABLE[ids[k]! * D + d]!;
    for (let id = 0; dense && id < V; id++) {
      sum += dense.weight * dense.probabilities[id]! * TABLE[id * D + d]!;
    }
    return sum;
  });
}

const long = (of: (id: number) => number): Pick<Mixture, "ids" | "weights"> => ({
  ids: Array.from({ length: V }, (_, id) => id),
  weights: Array.from({ length: V }, (_, id) => of(id)),
});

Deno.test("mixtures over a whole vocabulary are weighted sums, signed ones too", async () => {
  const mixtures: Mixture[] = [
    { ids: [3], weights: [0.4], dense: { probabilities: UNIFORM, weight: 0.6 } },
    { ids: [3], weights: [-0.5], dense: { probabilities: UNIFORM, weight: 1.5 }, signed: true },
    { ids: [3], weights: [1.5], dense: { probabilities: UNIFORM, weight: -0.5 }, signed: true },
    long((id) => id / 1e6),
    { ...long((id) => (id - 500) / 1e6), signed: true },
  ];
  for (const mixture of mixtures) assertEquals(isDense(mixture), true);
  const actual = await embedded(mixtures), wanted = mixtures.flatMap(expected);
  wanted.forEach((value, i) => assertAlmostEquals(actual[i]!, value, 1e-5));
});

Deno.test("mixtures over a whole vocabulary are refused with a negative weight that is not meant", async () => {
  const refused: [Mixture, string][] = [
    [{ ids: [3], weights: [2], dense: { probabilities: UNIFORM, weight: -1 } }, "at least 0"],
    [long((id) => (id - 500) / 1e6), "at least 0"],
    [
      { ...long((id) => id === 7 ? -Infinity : 0), signed: true },
      "be finite: current value is -Inf",
    ],
    [{ ...long((id) => id === 7 ? NaN : 0), signed: true }, "be finite: current value is NaN"],
  ];
  for (const [mixture, message] of refused) {
    await assertRejects(() => embedded([mixture]), RangeError, message);
  }
});
