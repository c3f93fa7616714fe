/** What llama.cpp logs is told where something is refused, and printed nowhere. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { openLlama } from "../../lib/llama/library.ts";
import { loadLlamaModel } from "../../lib/llama/model.ts";
import { startThreads } from "../../lib/model/llama/threads.ts";
import { pathOf } from "../golden/llama.ts";
import { deno } from "../_process.ts";
import { temporaryFolder } from "../_temporary.ts";

const load = async (path: string) => {
  const llama = await openLlama("cpu");
  return await loadLlamaModel(llama, path, { threads: startThreads(llama, 1) });
};

Deno.test("what a load is refused for is told in one line", async () => {
  const bytes = await Deno.readFile(pathOf("falcon"));
  await using folder = await temporaryFolder({
    "text.gguf": "once upon a time",
    "empty.gguf": "",
    "cut.gguf": bytes.slice(0, bytes.length - 1000),
    "named \x1b[31m\n.gguf": "red blue",
  });
  for (
    const [name, words] of [
      ["text.gguf", "invalid magic"],
      ["empty.gguf", ""],
      ["cut.gguf", "data is not within the file bounds"],
      ["none.gguf", "No such file"],
      ["named \x1b[31m\n.gguf", "invalid magic characters: 'red '"],
    ] as const
  ) {
    const error = await assertRejects(() => load(`${folder.path}/${name}`), SyntaxError);
    const reason = (error as Error).message.slice(`Cannot load`.length + folder.path.length);
    assert(reason.includes(words), reason);
    // deno-lint-ignore no-control-regex
    const said = reason.slice(reason.indexOf(".gguf:")), marks = /[\x00-\x1f\x7f]/;
    assert(!marks.test(said), said);
  }
});

Deno.test("loads at the same time are told their own errors", async () => {
  await using folder = await temporaryFolder({ "text.gguf": "once upon a time" });
  const ended = await Promise.allSettled([
    load(`${folder.path}/text.gguf`),
    load(pathOf("falcon")),
    load(`${folder.path}/none.gguf`),
  ]);
  assertEquals(ended.map(({ status }) => status), ["rejected", "fulfilled", "rejected"]);
  const [text, model, none] = ended;
  const reasonOf = (one: typeof text) => String((one as PromiseRejectedResult).reason);
  assert(!reasonOf(text!).includes("No such file") && !reasonOf(none!).includes("magic"));
  (model as PromiseFulfilledResult<Disposable>).value[Symbol.dispose]();
});

Deno.test("a process that loads, is refused and decodes prints nothing", async () => {
  const code = `
    import { forward, loadModel } from "@moi/moi/model";
    await loadModel(Deno.args[1], { engine: "llama.cpp" }).catch(() => {});
    await using model = await loadModel(Deno.args[0], { engine: "llama.cpp", device: "cpu" });
    await forward(model, [5, 6, 7]);`;
  await using folder = await temporaryFolder({ "text.gguf": "once upon a time" });
  const args = ["eval", "--quiet", code, pathOf("falcon"), `${folder.path}/text.gguf`];
  assertEquals(await deno(args), { code: 0, signal: null, stdout: "", stderr: "" });
});

Deno.test("workers load and are refused at the same time, and their process ends", async () => {
  await using folder = await temporaryFolder({ "text.gguf": "once upon a time" });
  const paths = JSON.stringify([pathOf("falcon"), `${folder.path}/text.gguf`]);
  const code = (parts: string) => `
    import { openLlama } from "${parts}library.ts";
    import { loadLlamaModel } from "${parts}model.ts";
    import { startThreads } from "${parts}../model/llama/threads.ts";
    const llama = await openLlama("cpu"), threads = startThreads(llama, 1), [good, bad] = ${paths};
    for (let round = 0; round < 60; round++) {
      (await loadLlamaModel(llama, good, { threads }))[Symbol.dispose]();
      if (round % 8 === 0) await loadLlamaModel(llama, bad, { threads }).catch(() => {});
    }
    postMessage("ended");
    close();`;
  const text = JSON.stringify(code(import.meta.resolve("../../lib/llama/")));
  const start = `
    const url = URL.createObjectURL(new Blob([${text}], { type: "text/javascript" }));
    const ended = [0, 1, 2].map(() => new Promise((end) => {
      const worker = new Worker(url, { type: "module" });
      worker.onerror = ({ message }) => end(message);
      worker.onmessage = ({ data }) => end(data);
    }));
    console.log(...await Promise.all(ended));`;
  const stdout = "ended ended ended\n";
  assertEquals(await deno(["eval", "--quiet", start]), {
    ...{ code: 0, signal: null, stdout, stderr: "" },
  });
});
