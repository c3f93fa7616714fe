import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import type { Adapter } from "@moi/moi/runtime";
import { deno } from "../_process.ts";
import { temporaryFolder } from "../_temporary.ts";
import { LAVAPIPE, SWIFTSHADER, withDrivers } from "../_vulkan.ts";
import { compile, compiler, withoutCompiler } from "./_compile.ts";

/** What `tests/runtime/_adapters_process.ts` prints. */
interface Printed {
  readonly found: readonly Adapter[];
  readonly again: readonly Adapter[];
  readonly grown: number;
  readonly median: number;
}

async function adaptersWhere(
  env: Record<string, string>,
  calls = 0,
): Promise<Printed & { stderr: string }> {
  const args = ["run", "-A", "--quiet", "tests/runtime/_adapters_process.ts", `${calls}`];
  const { code, stdout, stderr } = await deno(args, { env });
  assertEquals(code, 0, stderr);
  return { ...JSON.parse(stdout), stderr };
}

/** Adapters of WebGPU; this machine may have cards for CUDA. */
const webgpu = ({ found }: Printed) => found.filter(({ device }) => device === "webgpu");

const isCi = Deno.env.get("CI") !== undefined, MB = 2 ** 20;

Deno.test({
  name: "without any driver there is no adapter for WebGPU, and nothing is thrown",
  ignore: Deno.build.os !== "linux",
  async fn() {
    await using folder = await temporaryFolder({ "empty.json": "{}", "libvulkan.so.1": "no" });
    for (
      const env of [
        withDrivers("/nowhere.json"),
        withDrivers(`${folder.path}/empty.json`),
        { ...withDrivers("/nowhere.json"), LD_LIBRARY_PATH: folder.path }, // a library that is none
      ]
    ) assertEquals(webgpu(await adaptersWhere(env)), []);
  },
});

Deno.test({
  name: `SwiftShader is an emulated adapter without 16-bit arithmetic, a thousand times${
    SWIFTSHADER || isCi ? "" : " (skipped: no Chromium with libvulkan1)"
  }`,
  ignore: SWIFTSHADER === undefined && !isCi,
  async fn() {
    const printed = await adaptersWhere(withDrivers(SWIFTSHADER!), 1000);
    const [adapter, ...more] = webgpu(printed);
    assertEquals(more, []);
    const { name, driver, memory, limits, ...rest } = adapter!;
    assertMatch(name, /^SwiftShader Device/);
    assertEquals(driver, "SwiftShader driver");
    assertEquals(memory, { total: 2 ** 31 });
    assertEquals(limits, { storageBinding: 2 ** 30, buffer: 2 ** 30, workgroup: 2 ** 15 });
    const usual = { device: "webgpu", kind: "emulated", half: false, subgroup: 4, chosen: true };
    assertEquals({ ...rest }, usual as typeof rest);
    assertEquals(webgpu({ ...printed, found: printed.again }), [adapter!]);
    assertLess(printed.grown, 24 * MB); // 10 MB seen, 5 in 12,000 calls; an instance that is not destroyed adds 0.9 each
    assertLess(printed.median, 50); // milliseconds; 2 seen
    assertEquals(printed.stderr, ""); // it warns of what it does not know
  },
});

const ofLavapipe = LAVAPIPE ? "" : " (skipped: no lavapipe; MOI_LAVAPIPE names its JSON file)";

// CI counts what it ignores, and says itself where there is none
if (LAVAPIPE || !isCi) {
  Deno.test({
    name: `lavapipe tells what is free, and is the second choice after SwiftShader${ofLavapipe}`,
    ignore: LAVAPIPE === undefined,
    async fn() {
      const [adapter] = webgpu(await adaptersWhere(withDrivers(LAVAPIPE!)));
      const { name, driver, kind, memory, limits, chosen } = adapter!;
      assertMatch(name, /^llvmpipe/);
      assertMatch(driver!, /^llvmpipe Mesa \d/);
      assertEquals([kind, chosen], ["emulated", true]);
      assert(memory!.free! > 0 && memory!.free! <= memory!.total);
      assertLess(Math.abs(memory!.total / Deno.systemMemoryInfo().total - 1), 0.05);
      assert(limits!.buffer >= limits!.storageBinding && limits!.storageBinding >= 2 ** 27);
      if (SWIFTSHADER === undefined) return;
      const both = webgpu(await adaptersWhere(withDrivers(LAVAPIPE!, SWIFTSHADER)));
      assertEquals(both.length, 2);
      assertEquals(both.map((one) => one.chosen), [true, false]); // of one kind: the loader's first
    },
  });
}

Deno.test({
  name:
    `NVIDIA's cards have name, memory, versions and capability, and one is chosen${withoutCompiler}`,
  ignore: compiler === undefined,
  async fn() {
    await using folder = await temporaryFolder();
    await compile("_nvml.c", `${folder.path}/libnvidia-ml.so.1`);
    const env = { ...withDrivers("/nowhere.json"), LD_LIBRARY_PATH: folder.path };
    const { found, again } = await adaptersWhere(env, 10);
    const common = { device: "cuda", kind: "discrete", driver: "NVIDIA 580.159.04, CUDA 13.1" };
    const memory = { total: 150_754_820_096, free: 150_000_000_000 },
      usual = { half: true, subgroup: 32 };
    assertEquals(found as unknown[], [
      { ...common, name: "NVIDIA H200", capability: "9.0", memory, ...usual, chosen: true },
      { ...common, name: "NVIDIA GB10", capability: "12.1", ...usual, chosen: false },
    ]);
    assertEquals(again, found);
    const chosen: [visible: string, chosen: boolean[]][] = [
      ["0", [true, false]],
      ["2", [false, true]], // the second of three cannot be had
      ["2,0", [false, true]],
      ["1", [false, false]],
      ["7", [false, false]],
      ["", [true, false]],
      ["GPU-8932f937", [true, false]], // not known by its identifier
    ];
    for (const [CUDA_VISIBLE_DEVICES, expected] of chosen) {
      const { found } = await adaptersWhere({ ...env, CUDA_VISIBLE_DEVICES });
      assertEquals(found.map((one) => one.chosen), expected, CUDA_VISIBLE_DEVICES);
    }
  },
});
