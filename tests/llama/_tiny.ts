/** Tiny models of the goldens, opened by the binding alone. */

import { openLlama } from "../../lib/llama/library.ts";
import { type LlamaModel, loadLlamaModel } from "../../lib/llama/model.ts";
import { startThreads } from "../../lib/model/llama/threads.ts";
import { pathOf } from "../golden/llama.ts";

/** A model on the processor, with one thread. */
export async function tiny(name = "falcon"): Promise<LlamaModel> {
  const llama = await openLlama("cpu");
  return await loadLlamaModel(llama, pathOf(name), { threads: startThreads(llama, 1) });
}
