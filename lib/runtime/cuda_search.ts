/**
 * Where CUDA lies on a machine: ONNX Runtime's provider, and NVIDIA's libraries that it needs.
 *
 * The provider must lie beside the ONNX Runtime library that is opened. NVIDIA's libraries are those
 * of the system, or of Python packages: one folder a library (`nvidia/cublas/lib`, CUDA 12) or one
 * for all (`nvidia/cu13/lib`). What is looked at is decided by the environment alone; nothing is
 * kept.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { isFile, LIBRARY_VARIABLE, runtimeVersion } from "./library.ts";

/** What the search depends on. */
export interface Place {
  /** Operating system; "linux", or "windows", on which this has not been run. */
  readonly os: string;
  /** Value of an environment variable. */
  readonly env: (name: string) => string | undefined;
  /** Path of the ONNX Runtime library that is opened. */
  readonly library: string;
}

/** Where ONNX Runtime's library and provider lie within Python's packages. */
const CAPI = ["onnxruntime", "capi"] as const;

/** Names in a folder that have a form, sorted; none where there is no such folder. */
function namesIn(folder: string, form = /^[^.]/): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => form.test(name))
      .sort();
  } catch (error) {
    const { NotFound, NotADirectory } = Deno.errors;
    if (error instanceof NotFound || error instanceof NotADirectory) return [];
    throw error;
  }
}

/** Folders of packages: the one that the library lies in, then those of the Python environment. */
function packageFolders({ os, env, library }: Place): string[] {
  const capi = dirname(library), own = join(capi, "..", "..");
  const prefixes = [env("VIRTUAL_ENV"), env("CONDA_PREFIX")].filter((prefix) => !!prefix);
  const found = prefixes.flatMap((prefix) =>
    os === "windows"
      ? [join(prefix!, "Lib", "site-packages")]
      : namesIn(join(prefix!, "lib"), /^python3/).map((name) =>
        join(prefix!, "lib", name, "site-packages")
      )
  );
  return [...new Set(capi === join(own, ...CAPI) ? [own, ...found] : found)];
}

/** Path of the CUDA provider that ONNX Runtime would load: it lies beside the library. */
export function providerPath({ os, library }: Pick<Place, "os" | "library">): string {
  const name = "onnxruntime_providers_cuda";
  return join(dirname(library), os === "windows" ? `${name}.dll` : `lib${name}.so`);
}

/** An ONNX Runtime library with a CUDA provider in a Python environment; undefined without one. */
export function wheelLibrary(place: Place): string | undefined {
  const form = place.os === "windows" ? /^onnxruntime\.dll$/ : /^libonnxruntime\.so\.[\d.]+$/;
  return packageFolders(place).flatMap((folder) => {
    const capi = join(folder, ...CAPI);
    return namesIn(capi, form).map((name) => join(capi, name));
  }).find((library) => isFile(providerPath({ os: place.os, library })));
}

/** Folders in which NVIDIA's libraries may lie, in the order in which they are looked at. */
export function cudaFolders(place: Place): string[] {
  const { os, env } = place;
  const packaged = packageFolders(place).flatMap((folder) =>
    namesIn(join(folder, "nvidia")).map((name) => join(folder, "nvidia", name))
  );
  const conda = env("CONDA_PREFIX"), toolkit = env("CUDA_PATH");
  const folders = os === "windows"
    ? [
      ...packaged.flatMap((folder) => [join(folder, "bin", "x86_64"), join(folder, "bin")]),
      ...(conda ? [join(conda, "Library", "bin")] : []),
      ...(toolkit ? [join(toolkit, "bin", "x64"), join(toolkit, "bin")] : []),
    ]
    : [
      ...packaged.map((folder) => join(folder, "lib")),
      ...(conda ? [join(conda, "lib")] : []),
      ...(toolkit ? [join(toolkit, "lib64")] : []),
      "/usr/local/cuda/lib64",
      "/usr/local/nvidia/lib64", // the driver, in containers
    ];
  return [...new Set(folders)].filter((folder) => namesIn(folder).length > 0);
}

/** The packages of Python that hold NVIDIA's libraries, by what the libraries are called. */
const PACKAGES: Readonly<Record<string, string>> = {
  cudart: "cuda-runtime",
  cublas: "cublas",
  cublasLt: "cublas",
  curand: "curand",
  cufft: "cufft",
  cudnn: "cudnn",
  nvrtc: "cuda-nvrtc",
  nvJitLink: "nvjitlink",
};

/** The parts of "libcudart.so.13" and "cudart64_13.dll"; undefined for what is not CUDA's. */
function partsOf(library: string): { name: string; version: string } | undefined {
  const parts = /^(?:lib)?([a-zA-Z]+)(?:\.so\.|64_)(\d+)(?:\.dll)?$/.exec(library);
  if (!parts || !Object.hasOwn(PACKAGES, parts[1]!)) return undefined;
  return { name: parts[1]!, version: parts[2]! };
}

/** Whether a library belongs to CUDA's toolkit, or is its driver. */
export function isCuda(library: string): boolean {
  return library === "libcuda.so.1" || partsOf(library) !== undefined;
}

/** Version of the CUDA toolkit that a provider was built for: that of the libraries it needs. */
function toolkitOf(needed: readonly string[]): string | undefined {
  return needed.map(partsOf).find((parts) => parts && /^cu(dart|blas|blasLt)$/.test(parts.name))
    ?.version;
}

/**
 * How to get libraries that were not found.
 *
 * Packages of CUDA 12 are called "nvidia-cublas-cu12", later ones "nvidia-cublas"; cuDNN's always
 * name the toolkit.
 *
 * @param missing The libraries that were not found.
 * @param needed All that the provider needs, which tell the version of CUDA.
 */
export function remedy(missing: readonly string[], needed: readonly string[]): string {
  const toolkit = toolkitOf(needed) ?? "13";
  const packages = missing.flatMap((library) => {
    const parts = partsOf(library);
    if (!parts) return [];
    const isSuffixed = Number(toolkit) < 13 || parts.name === "cudnn";
    return [
      `nvidia-${PACKAGES[parts.name]}${isSuffixed ? `-cu${toolkit}` : ""}~=${parts.version}.0`,
    ];
  });
  const steps = [
    ...(packages.length > 0 ? [`run 'pip install ${[...new Set(packages)].join(" ")}'`] : []),
    ...(missing.includes("libcuda.so.1") ? ["install NVIDIA's driver (libcuda.so.1)"] : []),
  ];
  return steps.join(", and ");
}

/** What to do where the provider does not lie beside the library: one sentence. */
export function withoutProvider(place: Place): string {
  const wheel = wheelLibrary(place);
  if (wheel) {
    return `the Python environment has one: start again with ${LIBRARY_VARIABLE}=${wheel}`;
  }
  return `run 'pip install onnxruntime-gpu==${runtimeVersion} nvidia-cublas~=13.0 ` +
    "nvidia-cuda-runtime~=13.0 nvidia-curand~=10.0' in an environment of Python 3.11 or newer, and " +
    `start again with ${LIBRARY_VARIABLE} set to the library in its onnxruntime/capi`;
}
