/** The engine on command lines: files that llama.cpp alone reads, and what does not go together. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { packageOf } from "@moi/moi/llama";
import manifest from "../../deno.json" with { type: "json" };
import { tryInChild } from "../../scripts/_child.ts";
import { deno, script } from "../_process.ts";
import { temporaryFolder } from "../_temporary.ts";

/** A file that ONNX Runtime's side does not know, and one that llama.cpp cannot step. */
const FALCON = "tests/golden/llama/falcon.gguf", MAMBA = "tests/golden/llama/mamba.gguf";

/** Runs a command with what its task grants. */
const task = (name: "generate" | "inspect" | "sweep", ...args: string[]) => {
  const [, ...command] = manifest.tasks[name].command.split(" ");
  return deno([...command.slice(0, 1), "--no-prompt", "--quiet", ...command.slice(1), ...args]);
};

for (const name of ["sweep", "generate", "serve", "play", "inspect"]) {
  Deno.test(`${name} --help tells of engines and their devices`, async () => {
    const { stdout } = await script(name, ["--help"]);
    assertMatch(stdout, /--engine NAME +auto, onnxruntime, llama\.cpp/);
    assertMatch(stdout, /--device NAME +auto, cpu, webgpu, cuda, vulkan, metal/);
  });
}

Deno.test("generate and sweep take a file that llama.cpp alone reads, with what their tasks grant", async () => {
  const asked = ["hello", "--raw", "--model", FALCON, "--max-new-tokens", "4", "--beta", "1"];
  const found = await task("generate", ...asked, "--json");
  assertEquals(found.code, 0, found.stderr);
  const { device, dtype, versions, tokens } = JSON.parse(found.stdout);
  assertEquals([device, dtype, Object.hasOwn(versions, "llama.cpp")], ["cpu", "native", true]);
  const named = await task("generate", ...asked, "--json", "--engine", "llama.cpp");
  assertEquals(JSON.parse(named.stdout).tokens, tokens);

  await using folder = await temporaryFolder();
  const size = ["--task", "addition", "--problems", "2", "--max-new-tokens", "3"];
  const methods = ["--methods", "moi-1", "--out", folder.path];
  const swept = await task("sweep", "--model", FALCON, ...size, ...methods);
  assertEquals(swept.code, 0, swept.stderr);
  assertMatch(swept.stderr, /^\S*falcon\.gguf: native on cpu by llama\.cpp \d/m);
  assertMatch(swept.stdout, /falcon\.gguf on addition\nmethod .*\nstandard .*\nmoi-1 \* /);
});

const BAD: readonly (readonly [args: string[], message: string])[] = [
  [["--engine", "llamacpp", "--model", FALCON], '(did you mean "llama.cpp"?)'],
  [["--engine", "onnxruntime", "--model", FALCON], "with ONNX Runtime (llama.cpp reads others)"],
  [
    ["--engine", "onnxruntime", "--device", "vulkan", "--model", FALCON],
    "'cuda' with ONNX Runtime",
  ],
  [["--engine", "llama.cpp", "--device", "webgpu", "--model", FALCON], "'cuda' with llama.cpp"],
  [["--engine", "llama.cpp", "--model", "votes-tiny"], "for what is no GGUF file: llama.cpp reads"],
  [["--device", "vulkan", "--model", "votes-tiny"], "'device' must be 'auto', 'cpu', 'webgpu' or"],
  [["--dtype", "int4", "--model", FALCON], "'dtype' must be 'auto' or 'native' with llama.cpp"],
  [["--kv", "int8", "--model", FALCON], "'kv' must be 'fp16' or 'fp32' with llama.cpp"],
  [["--model", MAMBA], "by llama.cpp as it keeps a recurrent state"],
  [["--engine", "llama.cpp", "--server", "http://127.0.0.1:9"], "--engine with --server"],
];

for (const [args, message] of BAD) {
  Deno.test(`generate ${args.join(" ")} fails with one clear line`, async () => {
    const { code, stdout, stderr } = await script("generate", ["hello", "--raw", ...args]);
    assertEquals([code, stdout], [1, ""], stderr);
    assertStringIncludes(stderr, message);
    assertEquals(stderr.match(/^error: /gm)?.length, 1, stderr);
  });
}

Deno.test("generate says that a file of llama.cpp has no chat template", async () => {
  const { code, stderr } = await script("generate", ["hello", "--model", FALCON]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "has no chat template: --raw continues a text as it is");
});

Deno.test("sweep --dry-run tells the bytes of a file that llama.cpp reads as they are", async () => {
  const rowsOf = async (...args: string[]) => {
    const asked = ["--dry-run", "--task", "addition", "--bandwidth", "10", ...args];
    const { code, stdout, stderr } = await script("sweep", asked);
    assertEquals(code, 0, stderr);
    return stdout.split("\n").filter((line) => /^(native|fp32|int8|int4) /.test(line));
  };
  for (const args of [[], ["--engine", "llama.cpp"], ["--device", "vulkan"]]) {
    assertMatch((await rowsOf("--model", FALCON, ...args)).join(), /^native +0\.0 GiB[^,]*$/);
  }
  const gemma = ["--model", "tests/golden/llama/gemma3.gguf"]; // both engines read it
  assertEquals((await rowsOf(...gemma)).length, 3);
  assertEquals((await rowsOf(...gemma, "--engine", "llama.cpp")).length, 1);
  const served = ["--dry-run", "--task", "addition", "--server", "none", "--model", FALCON];
  const { code, stderr } = await script("sweep", served);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "--tokenizer must name a folder or a model of the hub");
});

Deno.test("inspect tells what the header of a file of llama.cpp says, and tries the load elsewhere", async () => {
  const { code, stdout, stderr } = await task("inspect", "--", FALCON);
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /load tests\/golden\/llama\/falcon\.gguf 100\/100 100 % .* done in/);
  for (
    const line of [
      /^architecture {2}falcon: 2 layers \(2 with attention\), hidden 32, 4 heads of 8/m,
      /^parameters +16960$/m,
      /^stored as +F32 66\.3 KiB in 19 tensors$/m,
      /^native +66\.3 KiB +8\.0 KiB +74\.3 KiB$/m,
      /^tokenizer +"What is 17 \+ 25\?" is 12 tokens: 12 5 24/m,
      /^chat template none: /m,
      /^loads +native on cpu by llama\.cpp /m,
      /^tried +auto by onnxruntime: .*"falcon"$/m,
      /^tried +cpu by llama\.cpp: taken$/m,
      /^checked +prompts in chunks of \d+; a row is the same alone and in a batch$/m,
    ]
  ) assertMatch(stdout, line);

  const unloaded = await script("inspect", [FALCON, "--no-load"]);
  assertEquals([unloaded.code, unloaded.stderr], [0, ""]);
  assert(stdout.startsWith(unloaded.stdout));

  const bad = await script("inspect", [MAMBA]);
  assertEquals(bad.code, 1);
  assertStringIncludes(bad.stdout, "architecture  mamba: ");
  assertEquals(bad.stderr.match(/^error: .*recurrent state/gm)?.length, 1, bad.stderr);
});

Deno.test("inspect of a damaged file says what is wrong with it", async () => {
  const bytes = await Deno.readFile(FALCON), key = new TextEncoder().encode("falcon.block_count");
  const at = bytes.findIndex((_, i) => key.every((byte, k) => bytes[i + k] === byte)) + key.length;
  bytes.fill(0, at + 4, at + 8); // after the type of the value
  await using folder = await temporaryFolder({ "model.gguf": bytes });
  const { code, stdout, stderr } = await script("inspect", [`${folder.path}/model.gguf`]);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^error: .*'falcon\.block_count' must be .*: current value is 0$/m);
});

Deno.test("a process that llama.cpp ends is told by its signal or its code", async () => {
  await tryInChild(["eval", "0"]);
  const death = (code: string) => assertRejects(() => tryInChild(["eval", code]), Error);
  const message = "Cannot load the model as llama.cpp ended the process that tried it, by ";
  assertStringIncludes((await death("Deno.exit(134)")).message, `${message}code 134: the file`);
  if (Deno.build.os === "windows") return; // a process that is ended has a code there
  const killed = await death("Deno.kill(Deno.pid, 'SIGKILL')");
  assertStringIncludes(killed.message, `${message}SIGKILL: the file is damaged`);
});

Deno.test("inspect --devices tells of llama.cpp, too", async () => {
  const { code, stdout, stderr } = await script("inspect", ["--devices"]);
  assertEquals(code, 0, stderr);
  const [, own = ""] = stdout.split("\nby llama.cpp, for GGUF files:\n");
  assertStringIncludes(own, `cpu     ${packageOf("cpu")}: starts\n`);
  if (Deno.build.os !== "linux") return;
  assertMatch(
    own,
    /^vulkan +(@node-llama-cpp\/.*: starts, .|does not start: Cannot open llama\.cpp)/m,
  );
  assertMatch(own, /^cuda +(@node-llama-cpp\/.*: not tried, as |does not start: )/m);
});
