/**
 * The GPUs that the Vulkan loader knows, as Dawn, the WebGPU of ONNX Runtime, sees them.
 *
 * A struct that a driver does not know it must skip, and leaves zero: so one chain asks every driver.
 * Sources: `vulkan_core.h` of Vulkan 1.4; Dawn's
 * `vulkan/PhysicalDeviceVk.cpp` for limits and `shader-f16`, its `Instance.cpp` for the order.
 *
 * @module
 */

import { optionalLibrary } from "./optional_library.ts";
import { cString, type Pointer } from "./api.ts";
import type { Adapter, AdapterKind } from "./adapter.ts";
import { type Struct, struct, structIn, type View } from "./structs.ts";

const VERSION_1_1 = (1 << 22) | (1 << 12);
const NVIDIA = 0x10de;
const HEAP_IS_DEVICE_LOCAL = 1;

/** A struct that begins with what it is, and where the next one lies. */
interface Chained<Name extends string> {
  /** Its `VkStructureType`. */
  readonly sType: number;
  readonly layout: Struct<Name | "sType" | "pNext">;
}

/** The layout of such a struct: its type, and the fields after the first two. */
function chained<Fields extends Parameters<typeof struct>[0]>(
  sType: number,
  fields: Fields,
): Chained<keyof Fields & string> {
  return { sType, layout: struct({ sType: "u32", pNext: "u64", ...fields }) };
}

// Fields that are not read stand in runs, named by the first: the header has them one by one.
const LIMITS = struct({
  maxImageDimension1D: ["u32", 7],
  maxStorageBufferRange: "u32",
  maxPushConstantsSize: ["u32", 3],
  bufferImageGranularity: ["u64", 2],
  maxBoundDescriptorSets: ["u32", 38],
  maxComputeSharedMemorySize: "u32",
  maxComputeWorkGroupCount: ["u32", 7],
  subPixelPrecisionBits: ["u32", 13],
  minMemoryMapAlignment: ["u64", 4],
  minTexelOffset: ["u32", 33],
  lineWidthGranularity: ["u32", 3],
  optimalBufferCopyOffsetAlignment: ["u64", 3],
});
const PROPERTIES = struct({
  apiVersion: "u32",
  driverVersion: "u32",
  vendorID: "u32",
  deviceID: "u32",
  deviceType: "u32",
  deviceName: ["char", 256],
  pipelineCacheUUID: ["char", 16],
  limits: LIMITS,
  sparseProperties: ["u32", 5],
});
const HEAP = struct({ size: "u64", flags: "u32" });
const MEMORY = struct({
  memoryTypeCount: "u32",
  memoryTypes: ["u32", 2 * 32],
  memoryHeapCount: "u32",
  memoryHeaps: [HEAP, 16],
});
const FEATURES = struct({
  robustBufferAccess: ["u32", 41],
  shaderInt16: "u32",
  shaderResourceResidency: ["u32", 13],
});
const APPLICATION = chained(0, {
  pApplicationName: "u64",
  applicationVersion: "u32",
  pEngineName: "u64",
  engineVersion: "u32",
  apiVersion: "u32",
});
const INSTANCE = chained(1, {
  flags: "u32",
  pApplicationInfo: "u64",
  enabledLayerCount: "u32",
  ppEnabledLayerNames: "u64",
  enabledExtensionCount: "u32",
  ppEnabledExtensionNames: "u64",
});

const PROPERTIES_2 = chained(1000059001, { properties: PROPERTIES });
const FEATURES_2 = chained(1000059000, { features: FEATURES });
const MEMORY_2 = chained(1000059006, { memoryProperties: MEMORY });
const SUBGROUP = chained(1000094000, { subgroupSize: "u32", supportedStages: ["u32", 3] });
const MAINTENANCE_3 = chained(1000168000, {
  maxPerSetDescriptors: "u32",
  maxMemoryAllocationSize: "u64",
});
const MAINTENANCE_4 = chained(1000413001, { maxBufferSize: "u64" });
const DRIVER = chained(1000196000, {
  driverID: "u32",
  driverName: ["char", 256],
  driverInfo: ["char", 256],
  conformanceVersion: ["char", 4],
});
const STORAGE_16 = chained(1000083000, { storageBuffer16BitAccess: "u32", uniform: ["u32", 3] });
const FLOAT_16 = chained(1000082000, { shaderFloat16: "u32", shaderInt8: "u32" });
const EXTENSION = struct({ extensionName: ["char", 256], specVersion: "u32" });
const BUDGET = chained(1000237000, { heapBudget: ["u64", 16], heapUsage: ["u64", 16] });

/** The layouts that are read, by the names that the header has for them. */
export const LAYOUTS = {
  VkApplicationInfo: APPLICATION.layout,
  VkInstanceCreateInfo: INSTANCE.layout,
  VkPhysicalDeviceLimits: LIMITS,
  VkPhysicalDeviceProperties: PROPERTIES,
  VkPhysicalDeviceProperties2: PROPERTIES_2.layout,
  VkPhysicalDeviceSubgroupProperties: SUBGROUP.layout,
  VkPhysicalDeviceMaintenance3Properties: MAINTENANCE_3.layout,
  VkPhysicalDeviceMaintenance4Properties: MAINTENANCE_4.layout,
  VkPhysicalDeviceDriverProperties: DRIVER.layout,
  VkPhysicalDeviceFeatures: FEATURES,
  VkPhysicalDeviceFeatures2: FEATURES_2.layout,
  VkPhysicalDevice16BitStorageFeatures: STORAGE_16.layout,
  VkPhysicalDeviceShaderFloat16Int8Features: FLOAT_16.layout,
  VkMemoryHeap: HEAP,
  VkPhysicalDeviceMemoryProperties: MEMORY,
  VkPhysicalDeviceMemoryProperties2: MEMORY_2.layout,
  VkPhysicalDeviceMemoryBudgetPropertiesEXT: BUDGET.layout,
  VkExtensionProperties: EXTENSION,
} as const;

/** A struct of zeros that says what it is and leads to the next. */
function linked<Name extends string>(
  { sType, layout }: Chained<Name>,
  next: Pointer | null = null,
): View<Name | "sType" | "pNext"> {
  const view = structIn(layout);
  view.write("sType", sType);
  view.write("pNext", next);
  return view;
}

const p = "pointer", b = "buffer";
function open() {
  const ask = { parameters: [p, p], result: "void" } as const;
  return Deno.dlopen(Deno.build.os === "windows" ? "vulkan-1.dll" : "libvulkan.so.1", {
    vkCreateInstance: { parameters: [p, p, b], result: "i32" },
    vkDestroyInstance: { parameters: [p, p], result: "void" },
    vkEnumeratePhysicalDevices: { parameters: [p, b, b], result: "i32" },
    vkEnumerateDeviceExtensionProperties: { parameters: [p, p, b, b], result: "i32" },
    vkGetPhysicalDeviceProperties2: ask,
    vkGetPhysicalDeviceFeatures2: ask,
    vkGetPhysicalDeviceMemoryProperties2: ask,
  }).symbols;
}
type Vulkan = ReturnType<typeof open>;
const vulkan = optionalLibrary(open);

/** An instance; null where no driver is there. The scope destroys it. */
function startInstance(call: Vulkan, scope: DisposableStack): Pointer | null {
  const name = cString("moi"), application = linked(APPLICATION), info = linked(INSTANCE);
  application.write("pApplicationName", Deno.UnsafePointer.of(name));
  application.write("apiVersion", VERSION_1_1);
  info.write("pApplicationInfo", application.pointer);
  const out = new BigUint64Array(new ArrayBuffer(8));
  if (call.vkCreateInstance(info.pointer, null, out) !== 0) return null;
  void [name, application, info]; // the loader reads them during the call
  const instance = Deno.UnsafePointer.create(out[0]!);
  return instance && scope.adopt(instance, (instance) => call.vkDestroyInstance(instance, null));
}

/** A call that writes how many there are and, where it is given memory for them, what they are. */
type Listing = (count: Uint32Array<ArrayBuffer>, items: ArrayBuffer | null) => number;

/** The items of a list, `size` bytes each, one after the other; none where it cannot be had. */
function listed(call: Listing, size: number): ArrayBuffer {
  const count = new Uint32Array(new ArrayBuffer(4));
  if (call(count, null) < 0) return new ArrayBuffer(0);
  const items = new ArrayBuffer(count[0]! * size);
  return count[0]! > 0 && call(count, items) >= 0
    ? items.slice(0, count[0]! * size)
    : new ArrayBuffer(0);
}

/** The physical devices of an instance, in the loader's order. */
function devicesOf(call: Vulkan, instance: Pointer): Pointer[] {
  const handles = listed((...out) => call.vkEnumeratePhysicalDevices(instance, ...out), 8);
  return [...new BigUint64Array(handles)].flatMap((at) => Deno.UnsafePointer.create(at) ?? []);
}

/** Whether a device tells how much of its memory is free; some drivers warn where they do not know. */
function hasBudget(call: Vulkan, device: Pointer): boolean {
  const { size } = EXTENSION;
  const all = listed(
    (...out) => call.vkEnumerateDeviceExtensionProperties(device, null, ...out),
    size,
  );
  return Array.from({ length: all.byteLength / size }, (_, i) => i * size).some((at) =>
    structIn(EXTENSION, all.slice(at, at + size)).text("extensionName") === "VK_EXT_memory_budget"
  );
}

/** Of the largest heap on the device: a buffer lies in one, and others are windows into it. */
function memoryOf(call: Vulkan, device: Pointer): Adapter["memory"] {
  const budget = hasBudget(call, device) ? linked(BUDGET) : undefined;
  const asked = linked(MEMORY_2, budget?.pointer);
  call.vkGetPhysicalDeviceMemoryProperties2(device, asked.pointer);
  const memory = asked.inside("memoryProperties", MEMORY);
  const heaps = Array.from({ length: memory.number("memoryHeapCount") }, (_, index) => {
    const heap = memory.inside("memoryHeaps", HEAP, index);
    return { index, flags: heap.number("flags"), total: heap.number("size") };
  });
  const [largest] = heaps.filter(({ flags }) => (flags & HEAP_IS_DEVICE_LOCAL) !== 0)
    .sort((a, b) => b.total - a.total);
  if (!largest) return undefined;
  const { index, total } = largest;
  if (!budget) return { total };
  const free = budget.number("heapBudget", index) - budget.number("heapUsage", index);
  return { total, free: Math.max(0, Math.min(total, free)) };
}

/** `VkPhysicalDeviceType`, as Dawn takes it: a virtual GPU is of another kind. */
const KINDS: Readonly<Record<number, AdapterKind>> = {
  1: "integrated",
  2: "discrete",
  4: "emulated",
};

/** A device as WebGPU has it; undefined where its driver is older than Vulkan 1.1. */
function adapterOf(call: Vulkan, device: Pointer): Omit<Adapter, "chosen"> | undefined {
  const driver = linked(DRIVER), subgroup = linked(SUBGROUP, driver.pointer);
  const allocation = linked(MAINTENANCE_3, subgroup.pointer);
  const buffer = linked(MAINTENANCE_4, allocation.pointer);
  const asked = linked(PROPERTIES_2, buffer.pointer);
  call.vkGetPhysicalDeviceProperties2(device, asked.pointer);
  const properties = asked.inside("properties", PROPERTIES);
  if (properties.number("apiVersion") < VERSION_1_1) return undefined;
  const storage16 = linked(STORAGE_16), float16 = linked(FLOAT_16, storage16.pointer);
  const features2 = linked(FEATURES_2, float16.pointer);
  call.vkGetPhysicalDeviceFeatures2(device, features2.pointer);
  const limits = properties.inside("limits", LIMITS);
  const largest = buffer.number("maxBufferSize") || allocation.number("maxMemoryAllocationSize");
  const isNvidia = properties.number("vendorID") === NVIDIA;
  const range = limits.number("maxStorageBufferRange"), memory = memoryOf(call, device);
  const words = [driver.text("driverName"), driver.text("driverInfo")].filter((word) =>
    word !== ""
  );
  return {
    device: "webgpu",
    name: properties.text("deviceName"),
    kind: KINDS[properties.number("deviceType")] ?? "other",
    ...(words.length > 0 && { driver: words.join(" ") }),
    ...(memory && { memory }),
    limits: {
      // Dawn has a shader count what it binds in an int32 on these
      storageBinding: isNvidia ? Math.min(largest, 2 ** 31 - 4) : range,
      buffer: largest,
      workgroup: limits.number("maxComputeSharedMemorySize"),
    },
    half: [
      float16.number("shaderFloat16"),
      storage16.number("storageBuffer16BitAccess"),
      features2.inside("features", FEATURES).number("shaderInt16"),
    ].every((has) => has === 1),
    subgroup: subgroup.number("subgroupSize"),
  };
}

/**
 * The GPUs of the Vulkan loader, in its order; none where there is no loader or no driver.
 *
 * @throws {Deno.errors.NotCapable} Without `--allow-ffi`.
 */
export function vulkanAdapters(): Omit<Adapter, "chosen">[] {
  const call = vulkan();
  if (!call) return [];
  using scope = new DisposableStack();
  const instance = startInstance(call, scope);
  return instance
    ? devicesOf(call, instance).flatMap((device) => adapterOf(call, device) ?? [])
    : [];
}
