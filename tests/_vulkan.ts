/** Vulkan drivers that emulate a GPU on the CPU: WebGPU without one. */

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Whether the Vulkan loader is there, which every driver needs. */
function hasLoader(): boolean {
  try {
    Deno.dlopen("libvulkan.so.1", {}).close();
    return true;
  } catch {
    return false;
  }
}

/** The first file that is there, if the loader is. */
const driver = (...paths: readonly (string | undefined)[]) =>
  hasLoader() ? paths.find((path) => path !== undefined && isFile(path)) : undefined;

/** The one that Chromium brings along, without shader-f16. */
export const SWIFTSHADER = driver("/usr/lib/chromium/vk_swiftshader_icd.json");

const ICD = "/usr/share/vulkan/icd.d";
/** Mesa's: what MOI_LAVAPIPE names, a package that was unpacked into a folder, else Debian's. */
export const LAVAPIPE = driver(
  Deno.env.get("MOI_LAVAPIPE"),
  `${ICD}/lvp_icd.json`,
  `${ICD}/lvp_icd.x86_64.json`,
  `${ICD}/lvp_icd.aarch64.json`,
);

/** The Vulkan version of a driver's JSON file, such as 1.4. */
function versionOf(file: string): number {
  const { ICD } = JSON.parse(Deno.readTextFileSync(file));
  return Number.parseFloat(ICD.api_version);
}

/** {@linkcode LAVAPIPE} where it is Mesa 25 or later, which computes in float16 (shader-f16). */
export const LAVAPIPE_HALF = LAVAPIPE && versionOf(LAVAPIPE) >= 1.4 ? LAVAPIPE : undefined;

/** Folders of libraries of a package that was unpacked: `usr/lib` and the machine's own in it. */
function librariesBeside(file: string): string {
  const [, root] = /^(.*)\/share\/vulkan\/icd\.d\//.exec(file) ?? [];
  if (root === undefined || root === "/usr") return "";
  const own = Array.from(Deno.readDirSync(`${root}/lib`), ({ name }) => `${root}/lib/${name}`);
  return [`${root}/lib`, ...own].join(":");
}

/** Variables of a process whose loader knows these drivers alone; lavapipe compiles in half the time, and keeps nothing. */
export const withDrivers = (...files: readonly string[]) => ({
  VK_ICD_FILENAMES: files.join(":"),
  VK_DRIVER_FILES: files.join(":"),
  MESA_SHADER_CACHE_DISABLE: "true",
  LP_NATIVE_VECTOR_WIDTH: "128",
  ...(LAVAPIPE && files.includes(LAVAPIPE) && { LD_LIBRARY_PATH: librariesBeside(LAVAPIPE) }),
});
