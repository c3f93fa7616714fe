/** Files of other types, made of a GGUF file by llama.cpp itself. */

import { openLlama, packageOf } from "../../../lib/llama/library.ts";
import { cString } from "../../../lib/runtime/api.ts";

/** Types by their number in `llama_ftype`. */
export const FILE_TYPES = { F16: 1, Q4_0: 2, Q8_0: 7, Q4_K_M: 15 } as const;

/** A type of a file. */
export type FileType = keyof typeof FILE_TYPES;

/** `llama_model_quantize_params`: as words of 8 bytes. */
const PARAMS = { struct: Array.from({ length: 9 }, () => "u64" as const) } as const;

async function libraryPath(): Promise<string> {
  const { getBinsDir } = await import(`npm:${packageOf("cpu")}`);
  const { binsDir } = getBinsDir();
  const [folder] = [...Deno.readDirSync(binsDir)].filter(({ isDirectory }) => isDirectory);
  const path = folder ? `${binsDir}/${folder.name}` : binsDir;
  const file = [...Deno.readDirSync(path)].find(({ name }) => name.startsWith("libllama."));
  return `${path}/${file!.name}`;
}

/** Writes a file of another type. */
export async function quantize(from: string, to: string, type: FileType): Promise<void> {
  await openLlama("cpu"); // which silences the log
  const library = Deno.dlopen(await libraryPath(), {
    llama_model_quantize_default_params: { parameters: [], result: PARAMS },
    llama_model_quantize: {
      ...{ parameters: ["buffer", "buffer", "buffer"], result: "u32", nonblocking: true },
    },
  });
  const { llama_model_quantize_default_params, llama_model_quantize } = library.symbols;
  const params = llama_model_quantize_default_params().slice(), view = new DataView(params.buffer);
  view.setInt32(0, 2, true); // threads
  view.setInt32(4, FILE_TYPES[type], true);
  view.setUint8(16, 1); // blocks may be made of blocks
  const code = await llama_model_quantize(cString(from), cString(to), params);
  library.close();
  if (code !== 0) throw new Error(`internal: llama_model_quantize gives ${code}`);
}
