/** The check of GPUs: its parts that are functions, and one run on an emulated GPU. */

import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { forward, loadModel } from "@moi/moi/model";
import { against, type Figure, lineOf, peakBandwidth, readRate } from "../../scripts/gpu/found.ts";
import { errorsOf, formatsOf, held, refused } from "../../scripts/gpu/models.ts";
import { partCommand, runProcess } from "../../scripts/gpu/part.ts";
import { deadlines, jobsOf } from "../../scripts/gpu/plan.ts";
import { timesOf, turns } from "../../scripts/gpu/speed.ts";
import { fileBytes, makeModel, QWEN3_8B, SHAPES, stepBytes } from "../../scripts/bench/weights.ts";
import { SWIFTSHADER } from "../_vulkan.ts";
import { script } from "../_process.ts";
import { root } from "../_repository.ts";
import { temporaryFolder } from "../_temporary.ts";

/** A step of the 8B shape. */
const STEP: Figure = {
  ...{ kind: "figure", what: "step", unit: "ms", median: 10, low: 9, high: 12 },
  ...{ device: "webgpu", model: "8b", dtype: "fp16", kv: "fp16", batch: 32, context: 256 },
  ...{ method: "moi", candidates: 64, js: 0.25, inside: { CopyTensors: 8 } },
};

Deno.test("the bandwidth of a card is known by its name, the more special name first", () => {
  const cards = [
    "NVIDIA H200",
    "NVIDIA H100 80GB HBM3",
    "NVIDIA H100 PCIe",
    "NVIDIA A100-SXM4-80GB",
  ];
  assertEquals(cards.map(peakBandwidth), [4800, 3352, 2039, 2039]);
  assertEquals(peakBandwidth("NVIDIA L4"), 300);
  assertEquals(peakBandwidth("NVIDIA L40S"), 864);
  assertEquals(peakBandwidth("llvmpipe (LLVM 15.0.6, 256 bits)"), undefined);
});

Deno.test("a step reads every matrix once, the table of embeddings only as the head", () => {
  const head = 151936 * 4096, layer = 4096 * (4096 + 1024 + 1024 + 4096) + 3 * 4096 * 12288;
  assertEquals(stepBytes(QWEN3_8B, "fp16"), 2 * (36 * layer + head));
  assertEquals(stepBytes(QWEN3_8B, "int4"), 36 * layer * 18 / 32 + head * 34 / 32);
  assert(fileBytes(QWEN3_8B, "fp16") > stepBytes(QWEN3_8B, "fp16") + 2 * head); // and the table
  const { gbPerSecond, percent } = readRate(STEP, "NVIDIA H200")!;
  assertAlmostEquals(gbPerSecond, stepBytes(QWEN3_8B, "fp16") / 10e-3 / 1e9, 1e-9);
  assertAlmostEquals(percent!, gbPerSecond / 48, 1e-9);
  assertEquals(readRate(STEP, "another")!.percent, undefined);
});

Deno.test("steps are related to those of the compared loop at the same place", () => {
  const torch: Figure = { ...STEP, device: "torch", median: 30, low: 27, high: 36 };
  assertEquals(against([STEP, torch, { ...torch, batch: 1 }]), [{
    ...{ kind: "ratio", what: "torch / webgpu, MoI, top 64" },
    ...{ device: "webgpu", model: "8b", dtype: "fp16", kv: "fp16", batch: 32, context: 256 },
    ...{ median: 3, low: 27 / 12, high: 4 },
  }]);
});

Deno.test("what was found is a line of the table", () => {
  const place = { device: "cuda", dtype: "int4", kv: "fp16" };
  const line = lineOf(STEP, "NVIDIA H200")!;
  assertEquals(line.where, "webgpu, 8b fp16/fp16, B 32, ctx 256");
  assertEquals([line.what, line.found], ["step, MoI, top 64", "10.0 ms [9.00, 12.0]"]);
  assertStringIncludes(line.detail, "3200 tokens/s, 1514 GB/s = 31.5 %, ms: JS 0.250, Copy 8.00");
  const check = { kind: "check", part: "golden", what: "qwen2", ...place } as const;
  assertEquals(lineOf({ ...check, ok: false, worst: 0.5, limit: 0.05 }), {
    ...{ what: "golden: qwen2", where: "cuda, int4/fp16", found: "WRONG" },
    detail: "5.0e-1 of 5.0e-2",
  });
  const left = { kind: "left out", what: "speed", why: "emulated", device: "webgpu" } as const;
  assertEquals(lineOf(left)!.found, "left out");
  assertEquals(lineOf({ kind: "fact", what: "versions", value: 1 }), undefined);
});

Deno.test("methods take turns, and of a round the first step after a turn is not counted", () => {
  const plan = turns(2, 3, 2);
  assertEquals(plan, [0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1]);
  const took = [9, 9, 9, 9, 9, 20, 9, 10, 9, 12, 9, 30];
  let at = 0;
  const moments = [0, ...took].map((ms, i) => ({
    at: at += ms,
    processor: 2 * i,
    inside: { Run: i },
  }));
  const [a, b] = timesOf(moments, plan, 2, 2);
  assertEquals([a!.rounds, b!.rounds], [[10, 12], [20, 30]]);
  assertEquals([a!.median, a!.js, a!.processor, a!.inside], [11, 10, 2, { Run: 1 }]);
});

Deno.test("parts end one after the other within the time, speed where it says something", () => {
  const jobs = jobsOf(["webgpu", "cuda"], { quick: false, measured: ["cuda"] });
  assertEquals(jobs.slice(0, 2).map(({ name, device }) => [name, device]), [
    ["golden", "webgpu"],
    ["golden", "cuda"],
  ]);
  const timed = jobs.filter(({ name }) => name === "speed");
  assertEquals(new Set(timed.map(({ device }) => device)), new Set(["cuda"]));
  assertEquals(timed.map(({ model, dtype }) => `${model} ${dtype}`), [
    ...["0.6b fp16", "0.6b int4", "8b int4", "8b fp16"],
  ]);
  assertEquals(jobsOf(["webgpu"], { quick: true, measured: [] }).map(({ name }) => name), [
    ...["golden", "identities", "stability"],
  ]);
  const only = jobsOf(["cuda"], { quick: false, measured: ["cuda"], only: ["identities"] });
  assertEquals(only.map(({ name }) => name), ["identities"]);
  const ends = deadlines(jobs, 1000, 9000);
  assertEquals(ends.at(-1), 9000);
  assertEquals(ends, ends.toSorted((a, b) => a - b));
});

Deno.test("errors are in units of what is expected, by position", () => {
  const expected = Float32Array.of(-1, 1, -1, 1); // a spread of 1
  assertEquals(errorsOf(Float32Array.of(-1, 1.5, -1, 1), expected, 2), [0.5, 0]);
  assertEquals(errorsOf(Float32Array.of(-1, 1, NaN, 1), expected, 2), [0, Infinity]);
  assertEquals(errorsOf(Float32Array.of(-1, 1), expected, 2), [Infinity, Infinity]);
  const errors = [...new Array<number>(19).fill(0.01), 3];
  const found = { worst: 3, limit: 0.1, detail: "1 of 20 positions beyond" };
  assertEquals(held(errors, { limit: 0.1, all: false }), { ok: true, ...found });
  assertEquals(held(errors, { limit: 0.1, all: true }), { ok: false, ...found });
  assertEquals(held([0.1], { limit: 0.1, all: true }), { ok: true, worst: 0.1, limit: 0.1 });
  const broken = held([Infinity], { limit: 0.1, all: false });
  assertEquals([broken.ok, broken.worst], [false, Number.MAX_VALUE]); // as JSON has no infinity
});

Deno.test("what is refused is left out, what fails is wrong", async () => {
  const error = await loadModel("votes-tiny", { dtype: "native" }).catch((error) => error);
  assertStringIncludes(refused(error)!, "Cannot load the model as 'dtype' must be");
  assertEquals(refused(new Error("Cannot load the model")), undefined);
  assertEquals(formatsOf("cuda").filter(({ kv }) => kv !== "fp16"), []);
});

Deno.test("models are made of random blocks, as large as was said, and load", async () => {
  await using folder = await temporaryFolder();
  for (const format of ["int4", "fp16"] as const) {
    const { id, dtype } = await makeModel(folder.path, "small", format);
    const { size } = await Deno.stat(format === "fp16" ? `${id}/model.safetensors` : id);
    const bytes = fileBytes(SHAPES.small!, format);
    assert(size >= bytes && size < bytes + 64e3, `${size} for ${bytes}`);
    await using model = await loadModel(id, { dtype, cacheDir: `${folder.path}/cache` });
    const [row] = await forward(model, [5]);
    const power = row!.reduce((sum, x) => sum + x * x, 0) / row!.length;
    assert(power > 0.1 && power < 10, `${format}: ${power}`); // as trained ones have it
  }
});

Deno.test("a part that is stopped or fails has told what it had", async () => {
  const found: unknown[] = [];
  const run = (code: string, ms = 1e4) =>
    runProcess([Deno.execPath(), "eval", code], Date.now() + ms, (one) => found.push(one));
  const told = `console.log('noise'); console.log('> {"kind":"fact","what":"a","value":1}');`;
  assertEquals(await run(told), undefined);
  assertEquals(found, [{ kind: "fact", what: "a", value: 1 }]);
  assertStringIncludes(
    (await run(`${told} throw new Error("Cannot go on")`))!,
    "ended with 1: error: Uncaught (in promise) Error: Cannot go on",
  );
  assertStringIncludes((await run(`${told} setInterval(() => {}, 1e3)`, 3e3))!, "stopped after");
  assertEquals(found.length, 3);
  const request = { name: "golden", device: "cpu", quick: true, folder: "", until: 0 };
  assertEquals(JSON.parse(partCommand(request).at(-1)!), request);
});

/** An ELF file with one container in `.nv_fatbin`: entries of (kind, architecture, payload). */
function fatLibrary(entries: readonly (readonly [kind: number, arch: number, size: number])[]) {
  const HEADER = 64, size = entries.reduce((sum, [, , size]) => sum + HEADER + size, 0);
  const file = new Uint8Array(512 + 16 + size).fill(7), view = new DataView(file.buffer);
  view.setBigUint64(40, 64n, true); // section headers: 3 of 64 bytes, names in the third
  [64, 3, 2].forEach((value, i) => view.setUint16(58 + 2 * i, value, true));
  const names = "\0.nv_fatbin\0.names\0", start = 512;
  const sections = [[0, 0, 0], [1, start, 16 + size], [12, 300, names.length]] as const;
  for (const [i, [name, offset, length]] of sections.entries()) {
    view.setUint32(64 + 64 * i, name, true);
    view.setBigUint64(64 + 64 * i + 24, BigInt(offset), true);
    view.setBigUint64(64 + 64 * i + 32, BigInt(length), true);
  }
  file.set(new TextEncoder().encode(names), 300);
  view.setUint32(start, 0xba55ed50, true);
  view.setUint16(start + 6, 16, true);
  view.setBigUint64(start + 8, BigInt(size), true);
  let at = start + 16;
  const places = entries.map(([kind, arch, size]) => {
    view.setUint16(at, kind, true);
    view.setUint32(at + 4, HEADER, true);
    view.setBigUint64(at + 8, BigInt(size), true);
    view.setUint32(at + 28, arch, true);
    const place = at + HEADER;
    at = place + size;
    return file.subarray(place, at);
  });
  return { file, places };
}

Deno.test("pruning a CUDA library leaves the code of one architecture and all headers", async () => {
  const { file, places } = fatLibrary([[2, 80, 24], [2, 90, 40], [1, 90, 16]]);
  await using folder = await temporaryFolder({ "in.so": file });
  const prune = async (arch: string) => {
    const { code, stderr } = await new Deno.Command("python3", {
      args: ["-B", "scripts/gpu/prune_fatbin.py", `${folder.path}/in.so`, `${folder.path}/o`, arch],
      cwd: root,
    }).output();
    return { code, words: new TextDecoder().decode(stderr) };
  };
  assertEquals((await prune("90")).code, 0);
  places[0]!.fill(0);
  places[2]!.fill(0);
  assertEquals(await Deno.readFile(`${folder.path}/o`), file);
  assertStringIncludes((await prune("70")).words, "has no code for sm_70");
});

Deno.test("the scripts of the kit are whole, and name no registry", async () => {
  const compile = "import ast, sys; [ast.parse(open(f).read()) for f in sys.argv[1:]]";
  const run = async (command: string, ...args: string[]) => {
    const { code, stderr } = await new Deno.Command(command, { args, cwd: root }).output();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  };
  await run("python3", "-c", compile, "scripts/gpu/hf.py", "scripts/gpu/prune_fatbin.py");
  for (const file of ["scripts/gpu_kit.sh", "scripts/gpu/kit.sh"]) {
    await run("bash", "-n", file);
    const text = await Deno.readTextFile(new URL(file, root));
    assertEquals(/https?:|registry\./.test(text), false, file);
  }
});

Deno.test("the check refuses what it does not know", async () => {
  for (
    const [args, why] of [
      [["--device", "tpu"], "'--device' must name some of webgpu, cuda, cpu"],
      [["--only", "speed,more"], "'--only' must name some of golden, identities, speed"],
      [["--seconds", "1"], "'--seconds' must be at least 10"],
    ] as const
  ) {
    const { code, stderr } = await script("gpu/main", args);
    assertEquals(code, 1);
    assertStringIncludes(stderr, why);
  }
});

const ignore = Deno.env.get("CI") === undefined && SWIFTSHADER === undefined;
const skipped = ignore
  ? " (skipped: no Vulkan driver found; libvulkan1 and chromium have one)"
  : "";

Deno.test({
  name: `the check runs on an emulated GPU, and measures nothing there${skipped}`,
  ignore,
  async fn() {
    await using folder = await temporaryFolder();
    const out = `${folder.path}/gpu.json`, env = { VK_ICD_FILENAMES: SWIFTSHADER! };
    const args = ["--quick", "--only", "golden,speed", "--seconds", "50", "--out", out];
    const { stdout, stderr } = await script("gpu/main", args, { env });
    const { machine, found } = JSON.parse(await Deno.readTextFile(out));
    const chosen = machine.adapters.find((one: { chosen: boolean }) => one.chosen);
    assertEquals([chosen.device, chosen.kind], ["webgpu", "emulated"]);
    const of = (kind: string) => found.filter((one: { kind: string }) => one.kind === kind);
    assertEquals(of("figure"), []);
    const whats = of("left out").map(({ what, device }: Figure) => `${what} ${device}`);
    for (const what of ["start cuda", "speed webgpu"]) assert(whats.includes(what), what);
    const checks = of("check"); // a slow machine compiles shaders until it is stopped
    assert(checks.length > 0 || whats.includes("golden webgpu"), `${stdout}${stderr}`);
    for (const { what, device, ok } of checks) {
      assertEquals([device, ok], ["webgpu", true], what);
      assertStringIncludes(stdout, what);
    }
  },
});
