import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { join } from "node:path";
import { createSession, type Pointer, tensor } from "@moi/moi/runtime";
import { type CudaRuntime, memoryOf, memoryThrough, openCuda } from "../../lib/runtime/cuda.ts";
import {
  cudaFolders,
  isCuda,
  type Place,
  remedy,
  wheelLibrary,
} from "../../lib/runtime/cuda_search.ts";
import { cString, ort } from "../../lib/runtime/api.ts";
import { pointerMemory } from "../../lib/runtime/device_memory.ts";
import { isFile, libraryUrl, runtimeVersion } from "../../lib/runtime/library.ts";
import { temporaryFolder } from "../_temporary.ts";
import { compile, compiler, withoutCompiler } from "./_compile.ts";
import { sharedLibrary } from "./_elf.ts";
import { doubling } from "./_graphs.ts";
import { hostCuda } from "./_host_cuda.ts";

const LINUX = Deno.build.os === "linux";
const SITE = "lib/python3.12/site-packages";
const CAPI = `${SITE}/onnxruntime/capi`;
const PROVIDER = "libonnxruntime_providers_cuda.so";

/** A place of Linux below a folder: paths in variables and of the library begin there. */
function placeIn(root: string, library: string, variables: Record<string, string> = {}): Place {
  return {
    os: "linux",
    env: (name) => name in variables ? join(root, variables[name]!) : undefined,
    library: join(root, library),
  };
}

/** What is in a folder, without the folder; folders of the system are left out. */
const within = (root: string, paths: readonly string[]) =>
  paths.filter((path) => path.startsWith(root)).map((path) => path.slice(root.length + 1));

Deno.test("wheelLibrary() finds a library that has a CUDA provider in a Python environment", async () => {
  await using folder = await temporaryFolder({
    [`gpu/${CAPI}/libonnxruntime.so.1.30.0`]: "",
    [`gpu/${CAPI}/${PROVIDER}`]: "",
    [`cpu/${CAPI}/libonnxruntime.so.1.30.0`]: "",
    [`cpu/${CAPI}/libonnxruntime_providers_shared.so`]: "",
    [`odd/${CAPI}/${PROVIDER}`]: "",
    "empty/pyvenv.cfg": "",
    "windows/Lib/site-packages/onnxruntime/capi/onnxruntime.dll": "",
    "windows/Lib/site-packages/onnxruntime/capi/onnxruntime_providers_cuda.dll": "",
  });
  const { path } = folder, found = `gpu/${CAPI}/libonnxruntime.so.1.30.0`;
  const cases: [Record<string, string>, string | undefined][] = [
    [{}, undefined],
    [{ VIRTUAL_ENV: "gpu" }, found],
    [{ CONDA_PREFIX: "gpu" }, found],
    [{ VIRTUAL_ENV: "cpu", CONDA_PREFIX: "gpu" }, found],
    [{ VIRTUAL_ENV: "cpu" }, undefined],
    [{ VIRTUAL_ENV: "odd" }, undefined],
    [{ VIRTUAL_ENV: "empty", CONDA_PREFIX: "none" }, undefined],
    [{ VIRTUAL_ENV: "empty/pyvenv.cfg" }, undefined],
    [{ OTHER: "gpu" }, undefined],
  ];
  for (const [variables, expected] of cases) {
    const library = wheelLibrary(placeIn(path, "npm/libonnxruntime.so.1", variables));
    assertEquals(library, expected && join(path, expected), JSON.stringify(variables));
  }
  const windows = placeIn(path, "npm/onnxruntime.dll", { VIRTUAL_ENV: "windows" });
  assertEquals(
    wheelLibrary({ ...windows, os: "windows" }),
    join(path, "windows/Lib/site-packages/onnxruntime/capi/onnxruntime.dll"),
  );
});

Deno.test("cudaFolders() are those of both layouts of Python packages, then the others", async () => {
  await using folder = await temporaryFolder({
    [`venv/${SITE}/nvidia/cublas/lib/libcublas.so.12`]: "",
    [`venv/${SITE}/nvidia/cuda_runtime/lib/libcudart.so.12`]: "",
    [`venv/${SITE}/nvidia/cuda_nvcc/bin/nvcc`]: "",
    [`conda/${SITE}/nvidia/cu13/lib/libcudart.so.13`]: "",
    "conda/lib/libcudart.so.13": "",
    "toolkit/lib64/libcudart.so.13": "",
    "windows/Lib/site-packages/nvidia/cu13/bin/x86_64/cudart64_13.dll": "",
    "windows/Lib/site-packages/nvidia/cublas/bin/cublas64_12.dll": "",
    "toolkit/bin/x64/cudart64_13.dll": "",
  });
  const { path } = folder;
  const venv = [`venv/${SITE}/nvidia/cublas/lib`, `venv/${SITE}/nvidia/cuda_runtime/lib`];
  const conda = [`conda/${SITE}/nvidia/cu13/lib`, "conda/lib"];
  const cases: [string, Record<string, string>, string[]][] = [
    ["npm/a.so", {}, []],
    ["npm/a.so", { VIRTUAL_ENV: "venv" }, venv],
    ["npm/a.so", { CONDA_PREFIX: "conda", VIRTUAL_ENV: "venv" }, [...venv, ...conda]],
    ["npm/a.so", { CUDA_PATH: "toolkit", VIRTUAL_ENV: "none" }, ["toolkit/lib64"]],
    [`venv/${CAPI}/a.so`, {}, venv], // the library's own environment needs no variable
    [`venv/${CAPI}/a.so`, { CONDA_PREFIX: "conda" }, [...venv, ...conda]],
    [`venv/${CAPI}/a.so`, { VIRTUAL_ENV: "venv" }, venv],
  ];
  for (const [library, variables, expected] of cases) {
    const found = cudaFolders(placeIn(path, library, variables));
    assertEquals(within(path, found), expected, JSON.stringify([library, variables]));
  }
  const variables = { VIRTUAL_ENV: "windows", CUDA_PATH: "toolkit" };
  const windows = { ...placeIn(path, "npm/onnxruntime.dll", variables), os: "windows" };
  assertEquals(within(path, cudaFolders(windows)), [
    "windows/Lib/site-packages/nvidia/cu13/bin/x86_64",
    "windows/Lib/site-packages/nvidia/cu13/bin",
    "windows/Lib/site-packages/nvidia/cublas/bin",
    "toolkit/bin/x64",
    "toolkit/bin",
  ]);
});

Deno.test("isCuda() knows the toolkit's libraries and the driver from others", () => {
  const own = ["libcudart.so.13", "libcublasLt.so.12", "libcudnn.so.9", "libnvJitLink.so.13"];
  const others = ["libcurl.so.4", "libcups.so.2", "libc.so.6", "libcudart.so", "a/libcudart.so.13"];
  assertEquals([...own, "libcuda.so.1", "cublas64_13.dll"].filter((name) => !isCuda(name)), []);
  assertEquals([...others, "", "libconstructor.so.1", "KERNEL32.dll"].filter(isCuda), []);
});

Deno.test("remedy() names the packages of the CUDA that the provider was built for", () => {
  const cuda13 = ["libcublasLt.so.13", "libcublas.so.13", "libcurand.so.10", "libcudart.so.13"];
  const cuda12 = ["libcudart.so.12", "libcufft.so.11", "libcudnn.so.9", "libcuda.so.1"];
  const cases: [string[], string[], string][] = [
    [["libcudart.so.13"], cuda13, "run 'pip install nvidia-cuda-runtime~=13.0'"],
    [["libcublasLt.so.13", "libcublas.so.13"], cuda13, "run 'pip install nvidia-cublas~=13.0'"],
    [["libcurand.so.10"], cuda13, "run 'pip install nvidia-curand~=10.0'"],
    [["libcurand.so.10"], cuda12, "run 'pip install nvidia-curand-cu12~=10.0'"],
    [
      ["libcufft.so.11", "libcudnn.so.9"],
      cuda12,
      "run 'pip install nvidia-cufft-cu12~=11.0 nvidia-cudnn-cu12~=9.0'",
    ],
    [["libcudnn.so.9"], cuda13, "run 'pip install nvidia-cudnn-cu13~=9.0'"],
    [["libcuda.so.1"], cuda13, "install NVIDIA's driver (libcuda.so.1)"],
    [
      ["libcuda.so.1", "libcudart.so.12"],
      cuda12,
      "run 'pip install nvidia-cuda-runtime-cu12~=12.0', and install NVIDIA's driver (libcuda.so.1)",
    ],
    [["cublas64_13.dll"], ["cublas64_13.dll"], "run 'pip install nvidia-cublas~=13.0'"],
  ];
  for (const [missing, needed, said] of cases) assertEquals(remedy(missing, needed), said);
});

Deno.test("openCuda() without a provider says how to get one, or which library to name", async () => {
  await using folder = await temporaryFolder({
    [`venv/${CAPI}/libonnxruntime.so.1.30.0`]: "",
    [`venv/${CAPI}/${PROVIDER}`]: "",
  });
  const { path } = folder, own = "npm/libonnxruntime.so.1";
  const begin = `Cannot use CUDA as there is no ${PROVIDER} beside ${join(path, own)}: `;
  assertThrows(
    () => openCuda(placeIn(path, own, { VIRTUAL_ENV: "venv" })),
    Error,
    `${begin}the Python environment has one: start again with ` +
      `MOI_ORT_LIB=${join(path, "venv", CAPI, "libonnxruntime.so.1.30.0")}`,
  );
  assertThrows(
    () => openCuda(placeIn(path, own)),
    Error,
    `${begin}run 'pip install onnxruntime-gpu==${runtimeVersion} `,
  );
  assertThrows(
    () => openCuda({ ...placeIn(path, own), os: "darwin" }),
    RangeError,
    "the platform must be Linux or Windows: it is darwin",
  );
});

Deno.test({
  name: "openCuda() opens what the provider needs, from made folders, those they need first",
  ignore: !LINUX,
  async fn() {
    // names that no system has, so that none is found there; opened libraries stay open
    const lib = `venv/${SITE}/nvidia`;
    await using folder = await temporaryFolder({
      [`venv/${CAPI}/libonnxruntime.so.1.30.0`]: "",
      [`venv/${CAPI}/${PROVIDER}`]: sharedLibrary("p", ["libcurand.so.90", "libcublas.so.90"]),
      [`${lib}/curand/lib/libcurand.so.90`]: sharedLibrary("libcurand.so.90", ["libcudart.so.90"]),
      [`${lib}/cu90/lib/libcudart.so.90`]: sharedLibrary("libcudart.so.90", ["libc.so.6"]),
      [`${lib}/broken/lib/libcublas.so.90`]: "text",
      [`${lib}/cublas/lib/libcublas.so.90`]: sharedLibrary("libcublas.so.90"),
    });
    const paths = openCuda(placeIn(folder.path, `venv/${CAPI}/libonnxruntime.so.1.30.0`));
    assertEquals(
      [...paths].map(([name, path]) => [name, ...within(folder.path, [path])]),
      [
        ["libcudart.so.90", `${lib}/cu90/lib/libcudart.so.90`],
        ["libcurand.so.90", `${lib}/curand/lib/libcurand.so.90`],
        ["libcublas.so.90", `${lib}/cublas/lib/libcublas.so.90`],
      ],
    );
  },
});

Deno.test({
  name: "openCuda() names what it did not find or could not open, where it looked, and the remedy",
  ignore: !LINUX,
  async fn() {
    const lib = `venv/${SITE}/nvidia/cu91/lib`;
    await using folder = await temporaryFolder({
      [`venv/${CAPI}/${PROVIDER}`]: sharedLibrary("p", [
        ...["libcudart.so.91", "libcublas.so.91", "libcurand.so.91", "libcufft.so.91"],
        ...["libnvrtc.so.91", "libm.so.6"],
      ]),
      [`${lib}/libcudart.so.91`]: sharedLibrary("libcudart.so.91"),
      [`${lib}/libcurand.so.91`]: "text",
      [`${lib}/libcufft.so.91`]: sharedLibrary("libcufft.so.91", ["libnone.so.91"]),
      [`${lib}/libnvrtc.so.91`]: sharedLibrary("libnvrtc.so.91", ["libnvrtc.so.91"]),
      "garbage/libonnxruntime_providers_cuda.so": "text",
    });
    const { path } = folder;
    const { message } = assertThrows(
      () => openCuda(placeIn(path, `venv/${CAPI}/libonnxruntime.so.1.30.0`)),
      Error,
    );
    const said = [
      "Cannot use CUDA as libcublas.so.91 (not found), libcurand.so.91 (Cannot tell which libraries " +
      `are needed as ${join(path, lib)}/libcurand.so.91 is no shared library`,
      "libcufft.so.91 (libnone.so.91: cannot open shared object file",
      "could not be opened; looked among the system's libraries and in " + join(path, lib),
      ": run 'pip install nvidia-cublas~=91.0 nvidia-curand~=91.0 nvidia-cufft~=91.0'",
    ];
    assertEquals(said.filter((part) => !message.includes(part)), [], message);
    assertThrows(
      () => openCuda(placeIn(path, "garbage/libonnxruntime.so.1")),
      Error,
      `${PROVIDER} is no shared library of Linux`,
    );
  },
});

Deno.test({
  name: "a session on CUDA without its provider says so",
  ignore: isFile(new URL(PROVIDER, libraryUrl()).pathname),
  async fn() {
    await assertRejects(
      () => createSession(doubling(), { device: "cuda" }),
      LINUX ? Error : RangeError,
      "Cannot use CUDA as ",
    );
  },
});

/** Where numbers of the host lie. */
const addressOf = (data: Float32Array<ArrayBuffer>) => Deno.UnsafePointer.of(data) as Pointer;

Deno.test("CUDA's memory is cleared, copied in any direction and awaited once a call", () => {
  const { runtime, asked } = hostCuda(), calls: unknown[] = [];
  const logged = Object.fromEntries(
    Object.entries(runtime).map(([name, call]) => [
      name,
      (...args: never[]) => (calls.push(name), (call as (...args: never[]) => unknown)(...args)),
    ]),
  ) as unknown as CudaRuntime;
  const memory = memoryThrough(logged), block = memory.allocate(16);
  assertEquals(calls.splice(0), ["cudaMalloc", "cudaMemset", "cudaDeviceSynchronize"]);
  const from = Float32Array.of(1, 2, 3, 4), to = new Float32Array(4);
  const second = Deno.UnsafePointer.offset(block, 8)!;
  memory.copy([[block, addressOf(from), 16]]);
  memory.copy([[addressOf(to), second, 8], [second, block, 8]]);
  const copy = "cudaMemcpy", wait = "cudaDeviceSynchronize";
  assertEquals(calls.splice(0), [copy, wait, copy, copy, wait]);
  assertEquals([...to], [3, 4, 0, 0]);
  memory.copy([[addressOf(to), block, 16]]);
  assertEquals([...to], [1, 2, 1, 2]);
  memory.copy([]);
  memory.free(block);
  assertEquals([calls.at(-1), asked.blocks.size], ["cudaFree", 0]);
  assertThrows(() => memory.free(block), Error, "Cannot free memory on the GPU: ");
});

Deno.test("errors of CUDA's memory have CUDA's words, and how much is free", () => {
  const words = cString("no CUDA-capable device is detected"), codes: unknown[] = [];
  const failing = (name: keyof CudaRuntime, status: number) =>
    memoryThrough({
      ...hostCuda().runtime,
      cudaGetErrorString: (code) => (codes.push(code), Deno.UnsafePointer.of(words)),
      cudaMemGetInfo(free, total) {
        (free as BigUint64Array<ArrayBuffer>)[0] = 5n << 29n;
        (total as BigUint64Array<ArrayBuffer>)[0] = 80n << 30n;
        return 0;
      },
      [name]: () => status,
    });
  const at = addressOf(new Float32Array(3)), end = "no CUDA-capable device is detected (CUDA error";
  const cases = [
    ["cudaMalloc", 2, "allocate 12 bytes", "; 2.5 of 80.0 GiB are free"],
    ["cudaMemset", 1, "allocate 12 bytes", ""],
    ["cudaMemcpy", 100, "copy 12 bytes", ""],
    ["cudaDeviceSynchronize", 700, "copy 12 bytes", ""],
  ] as const;
  for (const [name, status, work, more] of cases) {
    const memory = failing(name, status);
    const { message } = assertThrows(
      () => work.startsWith("copy") ? memory.copy([[at, at, 12]]) : memory.allocate(12),
      Error,
    );
    assertEquals(message, `Cannot ${work} on the GPU: ${end} ${status})${more}`);
    assertEquals(codes.splice(0), [status]);
  }
});

Deno.test({
  name: `tensors on a device lie where pointers lead, and their parts anywhere${withoutCompiler}`,
  ignore: compiler === undefined,
  async fn() {
    await using folder = await temporaryFolder();
    const library = `${folder.path}/libcudart.so.13`;
    await compile("_cudart.c", library);
    const count = { parameters: [], result: "i32" } as const;
    const { symbols: seen } = Deno.dlopen(library, { copied: count, waited: count, held: count });
    using memory = pointerMemory(ort().hostMemory, memoryOf(library));
    assertEquals(memory.hasOffsets, true);
    {
      using whole = memory.allocate("float16", [3, 2, 4]);
      assertEquals([whole.type, whole.dims, whole.memory], ["float16", [3, 2, 4], undefined]);
      using row = memory.view(whole, 16, [1, 2, 4]);
      const data = Float16Array.from({ length: 8 }, (_, i) => i + 0.5), all = new Float16Array(24);
      using here = tensor(data, [1, 2, 4]);
      using read = tensor(all, [3, 2, 4]);
      const before = seen.waited();
      memory.copy([here, row]);
      memory.copy([whole, read]);
      assertEquals([...all], [...Array(8).fill(0), ...data, ...Array(8).fill(0)]);
      using last = memory.view(whole, 32, [8]);
      using first = memory.view(whole, 0, [8]);
      memory.copy([row, last], [last, first], [whole, read]);
      assertEquals([...all], [...data, ...data, ...data]);
      assertEquals([seen.copied(), seen.waited() - before], [5, 3]);
      assertThrows(
        () => memory.view(whole, 40, [8]),
        RangeError,
        "its 16 bytes from 40 on must lie",
      );
      assertEquals(seen.held(), 1);
      whole[Symbol.dispose]();
      assertEquals(seen.held(), 0);
    }
    assertEquals(seen.held(), 0);
    assertThrows(
      () => memory.allocate("float32", [2 ** 40]),
      Error,
      "Cannot allocate 4398046511104 bytes on the GPU: out of memory (CUDA error 2); 3.0 of 80.0 GiB",
    );
  },
});

/** A libcudart of this machine, where its toolkit or a Python environment has one. */
const cudart = LINUX
  ? cudaFolders({ os: "linux", env: (name) => Deno.env.get(name), library: libraryUrl().pathname })
    .flatMap((folder) => ["libcudart.so.13", "libcudart.so.12"].map((name) => join(folder, name)))
    .find(isFile)
  : undefined;

Deno.test({
  name: `NVIDIA's own runtime answers${cudart ? "" : " (skipped: there is no libcudart)"}`,
  ignore: cudart === undefined,
  fn() {
    const memory = memoryOf(cudart!), from = Float32Array.of(1, 2, 3), to = new Float32Array(3);
    let block: Pointer;
    try {
      block = memory.allocate(12);
    } catch (error) { // no GPU, or no driver
      assertMatch(
        (error as Error).message,
        /^Cannot allocate 12 bytes on the GPU: .*(driver|device).* \(CUDA error \d+\)$/,
      );
      const copy = [addressOf(to), addressOf(from), 12] as const;
      assertThrows(() => memory.copy([copy]), Error, "Cannot copy 12 bytes on the GPU: ");
      return;
    }
    memory.copy([[block, addressOf(from), 12]]);
    memory.copy([[addressOf(to), block, 12]]);
    memory.free(block);
    assertEquals(to, from);
  },
});
