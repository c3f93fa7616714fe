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
/**
 * Mesa's, with shader-f16 in new versions: Debian's, or what MOI_LAVAPIPE names; whoever unpacked that
 * one sets LD_LIBRARY_PATH, too.
 */
export const LAVAPIPE = driver(
  Deno.env.get("MOI_LAVAPIPE"),
  `${ICD}/lvp_icd.json`,
  `${ICD}/lvp_icd.x86_64.json`,
  `${ICD}/lvp_icd.aarch64.json`,
);
