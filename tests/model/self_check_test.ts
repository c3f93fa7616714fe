/** Devices that compute wrongly are found out: sessions of the CPU stand for them. */

import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { firstAttentions, type Graph, PORTS } from "@moi/moi/graph";
import type { Device, Session } from "@moi/moi/runtime";
import { startChecked } from "../../lib/model/checked_session.ts";
import { checkDevice, type Probe } from "../../lib/model/self_check.ts";
import { sessionStarter, type StartSession } from "../../lib/model/sessions.ts";
import { hostSlabs } from "../../lib/model/slabs.ts";
import { caseOf } from "../golden/architectures.ts";
import { caseDecoder, type Decoder } from "../graph/_caches.ts";

const MAX_LENGTH = 64;

/** Starts sessions over weights in memory. */
function starterOf({ externalData = {} }: Decoder["data"]): StartSession {
  const files = Object.entries(externalData).map(([name, memory]) =>
    [name, { ...memory, path: "", modified: 0, forget() {} }] as const
  );
  return sessionStarter({ externalData: Object.fromEntries(files), spinning: false });
}

/** A graph whose attention scales its scores otherwise. */
const scaled = (graph: Graph, scale: number): Graph => ({
  ...graph,
  nodes: graph.nodes.map((node) =>
    node.op === "GroupQueryAttention"
      ? { ...node, attributes: { ...node.attributes, scale: { float: scale } } }
      : node
  ),
});

/** A session that leaves runs of some lengths to another one. */
const mixedSession = (
  good: Session,
  bad: Session,
  isBad: (sequence: number) => boolean,
): Session => ({
  ...good,
  bind: (inputs, ...rest) =>
    (isBad(inputs[PORTS.weights]!.dims[1]!) ? bad : good).bind(inputs, ...rest),
});

/** What the check finds of a device that computes runs of some lengths by a graph that was changed. */
async function found(
  { graph, config, data }: Decoder,
  change: (graph: Graph) => Graph,
  isBad: (sequence: number) => boolean,
) {
  await using scope = new AsyncDisposableStack();
  const startOn = starterOf(data);
  const start = async (graph: Graph) => scope.use(await startOn("cpu", graph));
  const cases = await Array.fromAsync(
    firstAttentions(graph, config.kv, config.heads),
    async ({ graph, width, kv }) => {
      const good = await start(graph), bad = await start(change(graph));
      const slabs: Probe["slabs"] = (slots, length) => hostSlabs({ kv }, slots, length);
      const device = { session: mixedSession(good, bad, isBad), slabs };
      return { width, device, host: { session: good, slabs } };
    },
  );
  return await checkDevice(config, cases, { type: "float32", maxLength: MAX_LENGTH });
}

const wrong = (graph: Graph) => scaled(graph, 0.5), nan = (graph: Graph) => scaled(graph, NaN);

for (const name of ["qwen3", "gemma3_text"]) {
  Deno.test(`${name}: checkDevice() tells from which length on a device is wrong`, async () => {
    const decoder = caseDecoder(caseOf(name));
    const chunkOf = async (...args: [typeof wrong, (sequence: number) => boolean]) =>
      (await found(decoder, ...args))?.chunk;
    const right = await found(decoder, (graph) => graph, () => true);
    assertEquals(right, { chunk: 128, worst: 0 });
    for (const change of [wrong, nan]) {
      assertEquals(await chunkOf(change, (sequence) => sequence >= 32), 24);
      assertEquals(await chunkOf(change, (sequence) => sequence > 8), 8);
      assertEquals(await chunkOf(change, (sequence) => sequence > 1), undefined);
      assertEquals(await chunkOf(change, (sequence) => sequence === 1), undefined, "steps alone");
    }
  });
}

Deno.test("checkDevice() says how far a device that is right is from the CPU", async () => {
  const decoder = caseDecoder(caseOf("qwen3"));
  const scale = 1 / Math.sqrt(decoder.config.headDim);
  const { worst } = (await found(decoder, (graph) => scaled(graph, scale * 1.0001), () => true))!;
  assert(worst > 0);
  assertLess(worst, 1e-3);
});

Deno.test("a device that computes wrongly is refused, with what to do", async () => {
  const { graph, config, data } = caseDecoder(caseOf("qwen3"));
  const startOn = starterOf(data);
  const devices: Device[] = [];
  const otherwise = (change: (graph: Graph) => Graph): StartSession => (device, graph) => {
    devices.push(device);
    return startOn("cpu", device === "cpu" ? graph : change(graph as Graph));
  };
  const start = async (change: (graph: Graph) => Graph, kv: "fp32" | "fp16" = "fp32") => {
    await using scope = new AsyncDisposableStack();
    const model = { graph, config, kv, maxLength: MAX_LENGTH };
    return (await startChecked(model, "webgpu", otherwise(change), scope)).checked;
  };
  await assertRejects(
    () => start(wrong),
    RangeError,
    "Cannot load the model on webgpu as it computes attention otherwise than the CPU does, also of " +
      "short prompts: try another driver or device",
  );
  assertEquals(new Set(devices), new Set(["webgpu", "cpu"]));
  assertEquals(await start((graph) => graph), { chunk: 128, isBatchExact: true, worst: 0 });
  const isHead = ({ outputs }: Graph) =>
    outputs.some(({ name }) => name === PORTS.present(1, "key"));
  await assertRejects(
    () => start((graph) => isHead(graph) ? nan(graph) : graph), // the beginning alone is right
    RangeError,
    "Cannot load the model on webgpu as its logits are no numbers there",
  );
});
