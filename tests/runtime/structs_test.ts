import { assertEquals, assertThrows } from "@std/assert";
import { struct, structIn } from "../../lib/runtime/structs.ts";
import { LAYOUTS } from "../../lib/runtime/vulkan.ts";

Deno.test("structs are laid out as a C compiler does it", () => {
  // sizeof and offsetof of Vulkan-Headers 1.4, gcc 12 on x86-64
  const expected: Record<keyof typeof LAYOUTS, [size: number, offsets: Record<string, number>]> = {
    VkApplicationInfo: [48, { apiVersion: 44 }],
    VkInstanceCreateInfo: [64, { pApplicationInfo: 24 }],
    VkPhysicalDeviceLimits: [504, {
      ...{ maxStorageBufferRange: 28, bufferImageGranularity: 48, maxBoundDescriptorSets: 64 },
      ...{ maxComputeSharedMemorySize: 216, minMemoryMapAlignment: 304 },
    }],
    VkPhysicalDeviceProperties: [824, {
      ...{ apiVersion: 0, vendorID: 8, deviceType: 16, deviceName: 20, limits: 296 },
      ...{ sparseProperties: 800 },
    }],
    VkPhysicalDeviceProperties2: [840, { sType: 0, pNext: 8, properties: 16 }],
    VkPhysicalDeviceSubgroupProperties: [32, { subgroupSize: 16 }],
    VkPhysicalDeviceMaintenance3Properties: [32, { maxMemoryAllocationSize: 24 }],
    VkPhysicalDeviceMaintenance4Properties: [24, { maxBufferSize: 16 }],
    VkPhysicalDeviceDriverProperties: [536, { driverID: 16, driverName: 20, driverInfo: 276 }],
    VkPhysicalDeviceFeatures: [220, { shaderInt16: 164 }],
    VkPhysicalDeviceFeatures2: [240, { features: 16 }],
    VkPhysicalDevice16BitStorageFeatures: [32, { storageBuffer16BitAccess: 16 }],
    VkPhysicalDeviceShaderFloat16Int8Features: [24, { shaderFloat16: 16 }],
    VkMemoryHeap: [16, { flags: 8 }],
    VkPhysicalDeviceMemoryProperties: [520, { memoryHeapCount: 260, memoryHeaps: 264 }],
    VkPhysicalDeviceMemoryProperties2: [536, { memoryProperties: 16 }],
    VkPhysicalDeviceMemoryBudgetPropertiesEXT: [272, { heapBudget: 16, heapUsage: 144 }],
    VkExtensionProperties: [260, { extensionName: 0, specVersion: 256 }],
  };
  for (const [name, { size, fields }] of Object.entries(LAYOUTS)) {
    const [right, offsets] = expected[name as keyof typeof LAYOUTS];
    assertEquals([name, size], [name, right]);
    const ours = Object.entries<{ offset: number }>(fields).map((
      [field, { offset }],
    ) => [field, offset]);
    for (const pair of Object.entries(offsets)) {
      assertEquals(ours.find(([field]) => field === pair[0]), pair, name);
    }
  }
});

Deno.test("a struct is read within its bounds only", () => {
  const INNER = struct({ small: "u32", large: "u64" });
  const OUTER = struct({ text: ["char", 5], inner: [INNER, 2], numbers: ["u32", 3] });
  assertEquals([INNER.size, OUTER.size], [16, 56]);
  const bytes = new Uint8Array(OUTER.size);
  bytes.set([0x61, 0x62, 0x63, 0x64, 0x65, 0xff]); // text that fills its field has no NUL
  bytes.set([1, 2], 24);
  bytes.fill(0xff, 32, 40);
  bytes.set([7, 0, 0, 0x80], 48);
  const view = structIn(OUTER, bytes.buffer), second = view.inside("inner", INNER, 1);
  assertEquals(view.text("text"), "abcde");
  assertEquals([second.number("small"), second.number("large")], [513, Number.MAX_SAFE_INTEGER]);
  assertEquals(view.number("numbers", 2), 0x80000007);
  second.write("large", 2n ** 40n);
  assertEquals(second.number("large"), 2 ** 40);
  assertEquals(second.number("small"), 513);
  for (
    const wrong of [
      () => view.number("numbers", 3),
      () => view.number("numbers", -1),
      () => view.number("text"),
      () => view.number("inner"),
      () => view.text("numbers"),
      () => view.inside("inner", INNER, 2),
      () => view.inside("inner", OUTER),
      () => view.number("toString" as "text"),
      () => structIn(OUTER, new ArrayBuffer(OUTER.size - 1)),
    ]
  ) assertThrows(wrong, RangeError);
});
