/**
 * Standard greedy decoding against transformers.js on the same int4 weights, as an ONNX export in the hub's
 * layout: steps at three context lengths, and a batch of requests of different lengths.
 */

import { join } from "node:path";
import type { Bench } from "../bench.ts";
import { type Contender, start } from "../contender.ts";
import { exportQuantized } from "../export.ts";
import { spreadLengths } from "../prompts.ts";
import { openQuantized } from "../quantized_copy.ts";
import { paired, times } from "../rows.ts";

const suite = "peers";

/** What a decode comparison needs. */
interface Decode {
  readonly suite: string;
  readonly model: string;
  readonly context: number;
  /** Tokens of a round. */
  readonly tokens: number;
  /** What the ratio should be. */
  readonly atLeast: number;
}

/** Position of the first difference; the length where there is none. */
function agreed(a: readonly number[], b: readonly number[]): number {
  const first = a.findIndex((token, i) => token !== b[i]);
  return first < 0 ? a.length : first;
}

/** Compares steps of one sequence: both go on with what they opened, in turns. */
async function compareDecode(
  bench: Bench,
  name: string,
  ours: Contender,
  other: Contender,
  { tokens, atLeast, ...place }: Decode,
): Promise<void> {
  const said: number[][] = [[], []];
  const open = async (contender: Contender, who: number) =>
    said[who]!.push(...(await contender.run({ do: "open", context: place.context })).tokens[0]!);
  const more = (contender: Contender, who: number) => async () => {
    const timing = await contender.run({ do: "more", tokens });
    said[who]!.push(...timing.tokens[0]!);
    return timing.ms / tokens;
  };
  await open(ours, 0);
  await open(other, 1);
  const pair = await paired(bench.rounds, more(ours, 0), more(other, 1));
  const same = agreed(said[0]!, said[1]!);
  bench.row({
    ...{ what: `${name} / this, decode`, unit: "×", dtype: "int4", batch: 1 },
    ...place,
    ...pair.ratio,
    target: { atLeast },
    detail: `${times(pair)}, same tokens: first ${same} of ${said[0]!.length}`,
  });
}

/** Against transformers.js. */
export async function peers(bench: Bench): Promise<void> {
  const { name: model, folder, cacheDir } = await bench.checkpoint("qwen3-0.6b");
  const target = join(bench.folder, `${model}-onnx`);
  {
    using copy = await openQuantized(folder, cacheDir);
    await exportQuantized(folder, copy, target);
  }
  await using ours = await start("ours.ts", [folder, "int4", cacheDir]);
  await using transformers = await start("transformers_js.ts", [target, "q4"]);
  const name = "transformers.js";
  const decodes = [[64, 16, 1.6], [1024, 8, 2.5], [4096, 4, 4]] as const;
  for (const [context, tokens, atLeast] of bench.quick ? decodes.slice(0, 1) : decodes) {
    const what = { suite, model, context, tokens, atLeast };
    await compareDecode(bench, name, ours, transformers, what);
  }

  const batch = bench.quick ? 4 : 32, most = { prompt: 128, tokens: bench.quick ? 8 : 32 };
  const requests = spreadLengths(batch, most), job = { do: "whole", requests } as const;
  const said: number[][][] = [];
  const whole = (contender: Contender, who: number) => async () => {
    const timing = await contender.run(job);
    said[who] = [...timing.tokens];
    return timing.ms;
  };
  const pair = await paired(bench.rounds, whole(ours, 0), whole(transformers, 1), false);
  const same = said[0]!.filter((tokens, row) => String(tokens) === String(said[1]![row])).length;
  bench.row({
    ...{ suite, what: `${name} / this, a batch of all lengths`, model, dtype: "int4", batch },
    ...{ context: most.prompt, unit: "×", ...pair.ratio },
    target: { atLeast: 4 },
    detail: `${times(pair)}, same answers: ${same} of ${batch} (peer pads on the left)`,
  });
}
