/** Runs a graph once. */
import { encodeGraph, type Graph } from "@moi/moi/graph";
import { createSession, elements, type Memory, tensor, type TensorData } from "@moi/moi/runtime";

/** An array and its shape. */
export type Shaped = readonly [data: TensorData, dims: readonly number[]];

/**
 * Runs a graph.
 *
 * @param inputs Arrays by name.
 * @param outputs Shapes of the float32 outputs by name; an array instead is bound in place.
 */
export async function evaluate<Name extends string>(
  graph: Graph,
  inputs: Readonly<Record<string, Shaped>>,
  outputs: Readonly<Record<Name, readonly number[] | Shaped>>,
  externalData: Readonly<Record<string, Memory>> = {},
): Promise<Record<Name, Float32Array>> {
  using session = await createSession(encodeGraph(graph), { externalData });
  using scope = new DisposableStack();
  const bound = Object.fromEntries(
    Object.entries(inputs).map(([name, [data, dims]]) => [name, scope.use(tensor(data, dims))]),
  );
  const results: Record<string, Float32Array> = {};
  const out = Object.fromEntries(
    Object.entries<readonly number[] | Shaped>(outputs).map(([name, value]) => {
      const [data, dims] = typeof value[0] === "object"
        ? value as readonly [Float32Array<ArrayBuffer>, readonly number[]]
        : [new Float32Array(elements(value as number[])), value as number[]] as const;
      results[name] = data;
      return [name, scope.use(tensor(data, dims))];
    }),
  );
  scope.use(session.bind(bound, out)).run();
  return results;
}
