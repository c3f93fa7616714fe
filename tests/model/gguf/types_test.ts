/** The types of tensors, held to llama.cpp's own table. */

import { assertEquals, assertThrows } from "@std/assert";
import { GGUF_TENSOR_TYPES, readableType } from "../../../lib/model/gguf/parse.ts";

/** The npm package that has llama.cpp's libraries for this platform. */
const PACKAGE = `npm:@node-llama-cpp/linux-x64@3.21.1`;
const isThere = Deno.build.os === "linux" && Deno.build.arch === "x86_64";

Deno.test({
  name: "the types of tensors, their blocks and bytes are llama.cpp's",
  ignore: !isThere,
  async fn() {
    const { getBinsDir } = await import(PACKAGE),
      folder: string = `${getBinsDir().binsDir}/linux-x64`;
    using scope = new DisposableStack();
    const library = Deno.dlopen(`${folder}/libggml-base.so`, {
      ggml_type_name: { parameters: ["i32"], result: "pointer" },
      ggml_blck_size: { parameters: ["i32"], result: "i64" },
      ggml_type_size: { parameters: ["i32"], result: "usize" },
    });
    scope.defer(() => library.close());
    const { ggml_type_name, ggml_blck_size, ggml_type_size } = library.symbols;
    const nameOf = (id: number) => Deno.UnsafePointerView.getCString(ggml_type_name(id)!);
    const theirs = Array.from({ length: 43 }, (_, id) => ({
      ...{ id, name: nameOf(id).toUpperCase() },
      ...{ bytes: Number(ggml_type_size(id)), numbers: Number(ggml_blck_size(id)) },
    })).filter(({ numbers }) => numbers > 0); // others were removed
    const ours = Object.entries(GGUF_TENSOR_TYPES).map(([name, type]) => ({ name, ...type }));
    assertEquals(ours.toSorted((a, b) => a.id - b.id), theirs);
  },
});

Deno.test("a tensor whose numbers cannot be read is refused by name and type", () => {
  assertEquals(readableType("t", "Q4_K"), "Q4_K");
  for (const type of ["IQ4_XS", "TQ1_0", "MXFP4", "I32"] as const) {
    const message = `t is of type ${type}: those that can be read are F32, F16, Q4_0`;
    assertThrows(() => readableType("t", type), SyntaxError, message);
  }
});
