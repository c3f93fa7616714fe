/**
 * Models on GPUs that are emulated on the CPU: SwiftShader for fp32, int8 and int4, lavapipe for fp16. Each has a
 * process of its own that does everything, as its shaders take long to compile; the two run side by side.
 */

import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { deno } from "../_process.ts";
import { LAVAPIPE_HALF, SWIFTSHADER, withDrivers } from "../_vulkan.ts";
import { caseOf } from "../golden/architectures.ts";
import { temporaryFolder } from "../_temporary.ts";
import { type Emulator, LAVAPIPE_ONLY, RUNS } from "./_device_matrix.ts";
import type { PARTS } from "./_device_parts.ts";
import type { CaseResult } from "./_device_process.ts";

/** What a part prints: {@linkcode PARTS} says what of each. */
type Found<Part extends keyof typeof PARTS> = Awaited<ReturnType<typeof PARTS[Part]>>;

/** Largest differences of logits, which reach 15, that are taken for the same, and seen. */
const BOUNDS = {
  fp32: { transformers: 2e-4, cpu: 1e-4 }, // 3.1e-5, 3.8e-5
  fp16: { transformers: 0.25, cpu: 0.25 }, // 0.11, 0.10
};

/** What the processes of an emulator print: two of the slower one, so that two cores have about the same to do. */
async function linesOf(emulator: Emulator, icd: string): Promise<Record<string, unknown>[]> {
  const shares = emulator === "SwiftShader" ? ["case", "parts"] : ["case,parts"];
  return (await Promise.all(shares.map((parts) => shareOf(emulator, icd, parts)))).flat();
}

async function shareOf(emulator: Emulator, icd: string, parts: string) {
  const args = ["run", "-A", "--quiet", "tests/model/_device_process.ts", emulator, parts];
  const { code, stdout, stderr } = await deno(args, { env: withDrivers(icd) });
  assertEquals(code, 0, `${stdout}\n${stderr}`);
  return stdout.trim().split("\n").map((line): Record<string, unknown> => JSON.parse(line));
}

/** Operators that no GPU has, of experts and of heads whose rotation is built from operators. */
const OF_EXPERTS = ["Div", "Equal", "ReduceSum", "Reshape", "Shape", "Size", "Slice", "TopK"];
const OF_ODD_WIDTHS = ["Add", "Range", "Squeeze", "Sub", "Unsqueeze"];

function expectedFallBack(name: string): readonly string[] {
  const { config } = caseOf(name);
  const { text_config = config, rope_parameters = {} } = config as Record<string, object>;
  const { model_type, hidden_size, num_attention_heads, head_dim, partial_rotary_factor = 1 } = {
    ...text_config,
    ...rope_parameters,
  } as Record<string, number>;
  if (String(model_type) === "qwen3_moe") return OF_EXPERTS;
  const width = head_dim ?? hidden_size! / num_attention_heads!;
  return width % 16 === 0 && width * partial_rotary_factor! % 16 === 0 ? [] : OF_ODD_WIDTHS;
}

function checkCase(
  { name, dtype, kv, device, fromTransformers, fromCpu, chunk, fallenBack }: CaseResult,
) {
  assertEquals(device, "webgpu");
  const { transformers, cpu } = BOUNDS[kv];
  assertLess(fromCpu, cpu);
  if (dtype === "fp32" || dtype === "fp16") assertLess(fromTransformers, transformers);
  assertEquals(fallenBack, expectedFallBack(name));
  // both emulators are wrong from 32 positions on, where a layer has no window
  const hasWindows = /window$|every second layer, window$/.test(name);
  assertEquals(chunk, hasWindows ? 128 : 24);
}

/** Checks of the parts, by their names. */
const CHECKS: {
  readonly [Part in keyof typeof PARTS]: (found: Found<Part>, most: number) => void;
} = {
  lengths({ worst, chunk, fallenBack }, most) {
    assertEquals(Object.keys(worst), ["9", "31", "32", "40", "128", "300"]);
    for (const value of Object.values(worst)) assertLess(value, most);
    assertEquals([chunk, fallenBack], [24, []]);
  },
  inside({ logits, patched, streams }, most) {
    assertEquals([logits, patched], [0, 0]);
    assertLess(streams, most);
  },
  large({ worst, whole }, most) {
    assertEquals(Object.keys(whole), ["float32", "bfloat16", "float16"]);
    // a mean of all embeddings is short, and its norm makes the rounding of float16 larger: seen 0.21
    for (const value of [worst, ...Object.values(whole)]) assertLess(value, 2 * most);
  },
  blocks({ worst, fallenBack }, most) {
    assertEquals(Object.keys(worst), ["Q4_0", "Q4_1", "Q8_0"]);
    for (const value of Object.values(worst)) assertLess(value, most);
    assertEquals(fallenBack, []);
  },
  texts({ found, requests, outside }, most) {
    assertEquals(outside, 0, "ids of no token");
    for (const [model, { isBatchExact, alike, asOnCpu }] of Object.entries(found)) {
      if (isBatchExact) assertEquals(alike, requests, model);
      if (most < 0.01) assert(alike > requests / 2 && asOnCpu > requests / 2, model);
      assertEquals(isBatchExact, !model.endsWith("int4"), model);
    }
    assertEquals(Object.keys(found).length, 3);
    if (most < 0.01) assertEquals(found["large fp32"]!.asOnCpu, requests);
  },
  recorded({ worst, rows }) {
    assertEquals([worst, rows], [0, 60]);
  },
  together({ worst }) {
    assertEquals(new Set(Object.values(worst)), new Set([0]), JSON.stringify(worst));
  },
  disposed({ ended, messages }) {
    assertEquals(ended, [96, 96]);
    for (const message of messages) assertMatch(message, /^Cannot .* as the \w+ is disposed$/);
    assertEquals(messages.length, 4);
  },
  memory({ grown, cacheBytes }) {
    assertLess(grown, 5 * cacheBytes); // of 50
  },
};

const present = ([["SwiftShader", SWIFTSHADER], ["lavapipe", LAVAPIPE_HALF]] as const)
  .flatMap(([emulator, icd]) => icd ? [{ emulator, icd }] : []);
const isCi = Deno.env.get("CI") !== undefined;

Deno.test({
  name: "models on emulated GPUs compute what transformers and the CPU do" +
    (present.length > 0 ? "" : " (skipped: no Vulkan driver; libvulkan1 and chromium have one)"),
  ignore: present.length === 0 && !isCi,
  async fn(t) {
    assert(present.length > 0, "CI has an emulator");
    const started = performance.now();
    const found = await Promise.all(present.map(({ emulator, icd }) => linesOf(emulator, icd)));
    const seconds = (performance.now() - started) / 1000;
    for (const [i, { emulator }] of present.entries()) {
      const most = BOUNDS[emulator === "lavapipe" ? "fp16" : "fp32"].cpu;
      const cases = found[i]!.filter(({ part }) => part === "case") as unknown as CaseResult[];
      await t.step(`${emulator}: all that is listed has run, in ${seconds.toFixed()} s`, () => {
        const listed = ({ name, dtype, kv }: CaseResult | typeof RUNS[Emulator][number]) =>
          `${name}, ${dtype}, ${kv}`;
        assertEquals(cases.map(listed), RUNS[emulator].map(listed));
      });
      for (const one of cases) {
        const kv = one.kv === "fp16" ? " with fp16 between operators" : "";
        await t.step(`${emulator}: ${one.name} in ${one.dtype}${kv}`, () => checkCase(one));
      }
      for (const [part, check] of Object.entries(CHECKS)) {
        if (emulator === "SwiftShader" && LAVAPIPE_ONLY.includes(part)) continue;
        const own = found[i]!.find((line) => line.part === part);
        await t.step(
          `${emulator}: ${part}`,
          () => (check as (found: unknown, most: number) => void)(own, most),
        );
      }
    }
  },
});

Deno.test({
  name: "a device that cannot be had is refused with what to do",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using folder = await temporaryFolder({ "load.ts": "" });
    const code = `
      import { loadModel } from "@moi/moi/model";
      const why = [];
      for (const device of ["webgpu", "cuda"]) {
        await loadModel("votes-tiny", { device }).catch((error) => why.push(error.message));
      }
      console.log(JSON.stringify(why));`;
    const env = {
      ...withDrivers("/nowhere.json"),
      LD_LIBRARY_PATH: folder.path,
      VIRTUAL_ENV: folder.path,
    };
    const { code: status, stdout, stderr } = await deno(["eval", "--quiet", code], { env });
    assertEquals(status, 0, stderr);
    const [webgpu, cuda] = JSON.parse(stdout.trim().split("\n").at(-1)!);
    assertMatch(webgpu, /^Cannot load the model on webgpu: .*Vulkan on Linux \(with libvulkan1\)/s);
    assertMatch(cuda, /^Cannot load the model on cuda: .*'Devices' in lib\/runtime\/mod\.ts/s);
  },
});
