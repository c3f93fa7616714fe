/**
 * Loads files with llama.cpp in the order in which their paths come in, one a line, decodes four tokens
 * and four rows of embeddings, and says how each went: "OURS" refused by our checks, "THEIRS" by
 * llama.cpp, "LOADED". Where the process dies, the first path without an answer is the one.
 *
 * Arguments: the folder of llama.cpp's libraries; "none" leaves our checks out, "parse" runs the first.
 */

import { parseGguf } from "../../lib/model/gguf/parse.ts";
import { canTokenize, checkSound } from "../../lib/model/gguf/sound.ts";

const [folder, checks = "yes"] = Deno.args as [string, string?];
const p = "pointer", i = "i32", u = "u32", f = "f32", b = "bool", z = "usize", buf = "buffer";
const MODEL = { struct: [p, p, i, i, i, i, i, p, p, p, p, b, b, b, b, b, b] } as const;
const CONTEXT = {
  struct: [
    ...[u, u, u, u, u, u, u, i, i, i, i, i, i, i] as const,
    ...[f, f, f, f, f, f, u, f, p, p, i, i, p, p, b, b, b, b, b, b, p, z, p] as const,
  ],
} as const;
const BATCH = { struct: [i, p, p, p, p, p, p] } as const;
const nameOf = (stem: string) =>
  [...Deno.readDirSync(folder)].map(({ name }) => `${folder}/${name}`)
    .find((name) => new RegExp(`/(lib)?${stem}(\\.v[\\d.]+)?\\.(so|dylib|dll)$`).test(name))!;
Deno.dlopen(nameOf("ggml-base"), {});
const ggml = Deno.dlopen(nameOf("ggml"), {
  ggml_backend_load_all_from_path: { parameters: [buf], result: "void" },
}).symbols;
const llama = Deno.dlopen(nameOf("llama"), {
  llama_backend_init: { parameters: [], result: "void" },
  llama_log_set: { parameters: [p, p], result: "void" },
  llama_model_default_params: { parameters: [], result: MODEL },
  llama_context_default_params: { parameters: [], result: CONTEXT },
  llama_model_load_from_file: { parameters: [buf, MODEL], result: p },
  llama_model_free: { parameters: [p], result: "void" },
  llama_init_from_model: { parameters: [p, CONTEXT], result: p },
  llama_free: { parameters: [p], result: "void" },
  llama_model_get_vocab: { parameters: [p], result: p },
  llama_vocab_n_tokens: { parameters: [p], result: i },
  llama_model_n_embd_inp: { parameters: [p], result: i },
  llama_get_memory: { parameters: [p], result: p },
  llama_n_batch: { parameters: [p], result: u },
  llama_n_ctx_seq: { parameters: [p], result: u },
  llama_model_n_ctx_train: { parameters: [p], result: i },
  llama_model_has_encoder: { parameters: [p], result: b },
  llama_decode: { parameters: [p, BATCH], result: i },
  llama_tokenize: { parameters: [p, buf, i, buf, i, b, b], result: i },
  llama_detokenize: { parameters: [p, buf, i, buf, i, b, b], result: i },
}).symbols;
const c = (text: string) => new TextEncoder().encode(`${text}\0`);
const said: string[] = [];
const log = new Deno.UnsafeCallback(
  { parameters: [i, p, p], result: "void" },
  (level, message) => {
    if (level >= 4) said.push(Deno.UnsafePointerView.getCString(message!).trim());
  },
);
llama.llama_log_set(log.pointer, null);
ggml.ggml_backend_load_all_from_path(c(folder));
llama.llama_backend_init();

const address = (array: ArrayBufferView<ArrayBuffer>) =>
  Deno.UnsafePointer.value(Deno.UnsafePointer.of(array));

function decode(
  context: Deno.PointerValue,
  tokens: Int32Array<ArrayBuffer> | undefined,
  rows: Float32Array<ArrayBuffer> | undefined,
  from: number,
): number {
  const n = 4, struct = new Uint8Array(56), view = new DataView(struct.buffer);
  const pos = Int32Array.from({ length: 4 * n }, (_, k) => k < 3 * n ? from + k % n : 0),
    count = new Int32Array(n).fill(1);
  const seq = new Int32Array(n), logits = new Int8Array(n).fill(1);
  const seqs = BigUint64Array.from({ length: n }, (_, k) => address(seq) + BigInt(4 * k));
  view.setInt32(0, n, true);
  [tokens, rows, pos, count, seqs, logits].forEach((array, k) => {
    if (array) view.setBigUint64(8 + 8 * k, address(array), true);
  });
  return llama.llama_decode(context, struct);
}

/** The one place that loads a file. */
function attempt(path: string): string {
  let isTokenized = checks === "none";
  if (checks !== "none") {
    try {
      const gguf = parseGguf(Deno.readFileSync(path));
      if (checks === "yes") {
        checkSound(gguf);
        isTokenized = canTokenize(gguf);
      }
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return `OURS ${error.message}`;
    }
  }
  const params = llama.llama_model_default_params();
  new DataView(params.buffer).setInt32(16, 0, true);
  const model = llama.llama_model_load_from_file(c(path), params);
  if (model === null) return `THEIRS ${said.slice(0, 2).join(" | ")}`;
  try {
    if (llama.llama_model_has_encoder(model)) return "THEIRS LATER an encoder";
    const contextParams = llama.llama_context_default_params();
    const view = new DataView(contextParams.buffer), train = llama.llama_model_n_ctx_train(model);
    const slot = Math.max(1, Math.min(train, 64));
    [2 * slot, 64, 64, 2].forEach((value, k) => view.setUint32(4 * k, value, true));
    [28, 32].forEach((at) => view.setInt32(at, 1, true));
    view.setInt32(52, 0, true); // no flash attention
    view.setUint8(133, 0); // no unified cache
    const context = llama.llama_init_from_model(model, contextParams);
    if (context === null) return `THEIRS LATER no context ${said.slice(0, 1)}`;
    if (llama.llama_get_memory(context) === null) {
      llama.llama_free(context);
      return "THEIRS LATER no cache";
    }
    if (llama.llama_n_batch(context) < 4 || llama.llama_n_ctx_seq(context) < 8) {
      llama.llama_free(context);
      return "THEIRS LATER no room";
    }
    const vocab = llama.llama_model_get_vocab(model), size = llama.llama_vocab_n_tokens(vocab);
    const width = llama.llama_model_n_embd_inp(model);
    const text = new TextEncoder().encode("Hello 12, wörld!\n a_b"), ids = new Int32Array(256);
    const count = isTokenized
      ? llama.llama_tokenize(vocab, text, text.length, ids, 256, true, true)
      : 0;
    const some = Int32Array.from({ length: 4 }, (_, k) => Math.min(k + 1, size - 1));
    if (size < 1) return "THEIRS LATER no vocabulary";
    const back = new Uint8Array(4096);
    llama.llama_detokenize(vocab, some, 4, back, 4096, false, true);
    if (count > 0) llama.llama_detokenize(vocab, ids, count, back, 4096, false, true);
    const first = decode(context, some, undefined, 0);
    const second = decode(context, undefined, new Float32Array(4 * width).fill(0.1), 4);
    llama.llama_free(context);
    return first || second ? `THEIRS LATER decode ${first} ${second}` : `LOADED ${size} ${width}`;
  } finally {
    llama.llama_model_free(model);
  }
}

const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
let rest = "";
for await (const chunk of lines) {
  const [...paths] = (rest + chunk).split("\n");
  rest = paths.pop()!;
  for (const path of paths) {
    said.length = 0;
    const how = attempt(path);
    const line = `${how.replaceAll(/\s+/g, " ").slice(0, 300)}\n`;
    Deno.stdout.writeSync(new TextEncoder().encode(line));
  }
}
log.close();
