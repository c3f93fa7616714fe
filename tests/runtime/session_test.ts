import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { encodeGraph } from "@moi/moi/graph";
import {
  allocate,
  createSession,
  OrtError,
  type Session,
  tensor,
  tensorIn,
} from "@moi/moi/runtime";
import { pathToFileURL } from "node:url";
import { temporaryFolder } from "../_temporary.ts";
import { randomNumbers } from "../golden/golden.ts";
import { doubling, heavy, HEAVY_SIZE, isRotation, product, rotation } from "./_graphs.ts";
import { deno } from "../_process.ts";

/** Runs {@linkcode doubling} once. */
function double(session: Session, values: [number, number]): number[] {
  const y = new Float32Array(2);
  using x = tensor(new Float32Array(values), [2]);
  using out = tensor(y, [2]);
  using binding = session.bind({ x }, { y: out });
  binding.run();
  return [...y];
}

/** A running {@linkcode heavy} graph. */
async function startHeavy(products = 64) {
  const session = await createSession(heavy(products));
  const y = new Float32Array(HEAVY_SIZE * HEAVY_SIZE);
  const x = tensor(rotation(), [HEAVY_SIZE, HEAVY_SIZE]);
  const out = tensor(y, [HEAVY_SIZE, HEAVY_SIZE]);
  const binding = session.bind({ x }, { y: out });
  return { session, binding, x, out, y, right: () => isRotation(y, products + 1) };
}

Deno.test("createSession() loads a graph from bytes and tells its names", async () => {
  using session = await createSession(product());
  assertEquals(session.inputs, ["a", "b"]);
  assertEquals(session.outputs, ["c"]);
  assertEquals(session.device, "cpu");
  assertEquals([session.memory, session.records, session.fallenBack.size], [undefined, false, 0]);
});

Deno.test("createSession() does not need the bytes after loading", async () => {
  const bytes = doubling();
  using session = await createSession(bytes);
  bytes.fill(0);
  assertEquals(double(session, [1, 2]), [2, 4]);
});

Deno.test("createSession() takes paths and file URLs with any characters", async () => {
  for (const name of ["g.onnx", "a b.onnx", "Größe.onnx", "100%.onnx", "%20.onnx", "a#b?c.onnx"]) {
    await using folder = await temporaryFolder({ [name]: doubling() });
    const path = `${folder.path}/${name}`;
    for (const source of [path, pathToFileURL(path)]) {
      using session = await createSession(source);
      assertEquals(double(session, [3, -1]), [6, -2], String(source));
    }
  }
});

Deno.test("createSession() refuses a URL that is no file", async () => {
  await assertRejects(() => createSession(new URL("https://example.com/tmp/g.onnx")), TypeError);
});

Deno.test("createSession() reports bad graph bytes with the runtime's words", async () => {
  for (const bytes of [[], [1, 2, 3], Array<number>(100).fill(255)]) {
    const error = await assertRejects(() => createSession(new Uint8Array(bytes)), OrtError);
    assertInstanceOf(error, OrtError);
    assertEquals([error.name, error.call], ["OrtError", "CreateSessionFromArray"]);
    assertGreater(error.code, 0);
  }
  const error = await assertRejects(() => createSession(new Uint8Array([1, 2, 3])), OrtError);
  assertEquals([error.code, error.message.includes("protobuf parsing failed")], [7, true]);
});

Deno.test("createSession() reports a missing file with the runtime's words", async () => {
  const error = await assertRejects(() => createSession("/nonexistent/g.onnx"), OrtError);
  assertEquals([error.code, error.call], [3, "CreateSession"]);
  assertStringIncludes(error.message, "/nonexistent/g.onnx");
});

Deno.test("createSession() reports an unknown operator with its name", async () => {
  const graph = encodeGraph({
    nodes: [{ op: "Nonsense", domain: "", inputs: ["x"], outputs: ["y"], attributes: {} }],
    initializers: [],
    inputs: [{ name: "x", type: "float32", dims: [1] }],
    outputs: [{ name: "y", type: "float32", dims: [1] }],
  });
  await assertRejects(() => createSession(graph), OrtError, "Nonsense");
});

Deno.test("createSession() survives a graph cut off or altered anywhere", async () => {
  const whole = product(), random = randomNumbers(1);
  let refused = 0;
  for (let i = 0; i < 150; i++) {
    const bytes = i < 50
      ? whole.slice(0, Math.floor(whole.length * i / 50))
      : whole.map((byte) => random() < 0.02 ? Math.floor(random() * 256) : byte);
    try {
      (await createSession(bytes))[Symbol.dispose]();
    } catch (error) {
      assertInstanceOf(error, OrtError);
      refused++;
    }
  }
  assertGreater(refused, 50);
});

Deno.test("createSession() gives the same results whatever the number of threads", async () => {
  const size = 200, random = randomNumbers(2);
  const data = Float32Array.from({ length: size * size }, random);
  const results: number[][] = [];
  for (const options of [{ threads: 1 }, { threads: 2 }, { threads: 4, spinning: true }]) {
    using session = await createSession(product(), options);
    const c = new Float32Array(size * size);
    using a = tensor(data, [size, size]);
    using out = tensor(c, [size, size]);
    using binding = session.bind({ a, b: a }, { c: out });
    binding.run();
    results.push([...c]);
  }
  assertEquals(results[1], results[0]!);
  assertEquals(results[2], results[0]!);
});

Deno.test("createSession() reads external data from memory by its location", async () => {
  using memory = allocate(16);
  new Float32Array(memory.buffer).set([9, 9, 10, 20]);
  const graph = encodeGraph({
    nodes: [{ op: "Add", domain: "", inputs: ["x", "w"], outputs: ["y"], attributes: {} }],
    initializers: [{
      name: "w",
      type: "float32",
      dims: [2],
      data: { location: "w.bin", offset: 8, length: 8 },
    }],
    inputs: [{ name: "x", type: "float32", dims: [2] }],
    outputs: [{ name: "y", type: "float32", dims: [2] }],
  });
  using session = await createSession(graph, { externalData: { "w.bin": memory } });
  assertEquals(double(session, [1, 2]), [11, 22]);
});

Deno.test("createSession() refuses to record runs where no device can", async () => {
  const message = "Cannot start a session as 'capture' must be false on cpu, where no run can be " +
    "recorded: current value is true";
  await assertRejects(() => createSession(doubling(), { capture: true }), RangeError, message);
});

Deno.test("createSession() refuses external data beyond the end of its memory", async () => {
  using memory = allocate(8);
  const graph = encodeGraph({
    nodes: [{ op: "Add", domain: "", inputs: ["x", "w"], outputs: ["y"], attributes: {} }],
    initializers: [{
      name: "w",
      type: "float32",
      dims: [2],
      data: { location: "w.bin", offset: 8, length: 8 },
    }],
    inputs: [{ name: "x", type: "float32", dims: [2] }],
    outputs: [{ name: "y", type: "float32", dims: [2] }],
  });
  await assertRejects(
    () => createSession(graph, { externalData: { "w.bin": memory } }),
    OrtError,
    "out of bounds",
  );
});

/** A graph that adds the second half of four numbers in a file. */
const addsFile = (location: string) =>
  encodeGraph({
    nodes: [{ op: "Add", domain: "", inputs: ["x", "w"], outputs: ["y"], attributes: {} }],
    initializers: [
      { name: "w", type: "float32", dims: [2], data: { location, offset: 8, length: 8 } },
    ],
    inputs: [{ name: "x", type: "float32", dims: [2] }],
    outputs: [{ name: "y", type: "float32", dims: [2] }],
  });
const numbers = () => new Uint8Array(new Float32Array([9, 9, 10, 20]).buffer);

Deno.test("createSession() finds external data from a folder on, links within it included", async () => {
  await using folder = await temporaryFolder({ "a ü 50%.bin": numbers() });
  await Deno.mkdir(`${folder.path}/b`);
  await Deno.symlink(`${folder.path}/a ü 50%.bin`, `${folder.path}/b/link`);
  for (const location of ["a ü 50%.bin", "b/link"]) {
    using session = await createSession(addsFile(location), { folder: folder.path });
    assertEquals(double(session, [1, 2]), [11, 22]);
  }
});

Deno.test("createSession() refuses external data that is missing, too short or outside the folder", async () => {
  await using outside = await temporaryFolder({ "w.bin": numbers() });
  await using folder = await temporaryFolder({ "short.bin": numbers().subarray(0, 12) });
  await Deno.symlink(`${outside.path}/w.bin`, `${folder.path}/link`);
  for (const location of ["missing", "short.bin", "link", `${outside.path}/w.bin`]) {
    const start = () => createSession(addsFile(location), { folder: folder.path });
    await assertRejects(start, OrtError, "xternal");
  }
});

Deno.test("run() and runAsync() give the same bits", async () => {
  const size = 96, random = randomNumbers(3);
  using session = await createSession(product());
  const c = new Float32Array(size * size);
  using a = tensor(Float32Array.from({ length: size * size }, random), [size, size]);
  using b = tensor(Float32Array.from({ length: size * size }, random), [size, size]);
  using out = tensor(c, [size, size]);
  using binding = session.bind({ a, b }, { c: out });
  binding.run();
  const first = c.slice();
  c.fill(0);
  await binding.runAsync();
  assertEquals(c, first);
  assert(first.some((value) => value > 1));
});

Deno.test("run() sees what was written to a bound array since the last run", async () => {
  using session = await createSession(doubling());
  const values = new Float32Array([1, 2]), y = new Float32Array(2);
  using x = tensor(values, [2]);
  using out = tensor(y, [2]);
  using binding = session.bind({ x }, { y: out });
  binding.run();
  values.set([5, 7]);
  binding.run();
  assertEquals([...y], [10, 14]);
});

Deno.test("run() updates a tensor in place that is bound as input and output", async () => {
  using session = await createSession(doubling());
  const values = new Float32Array([1, -3]);
  using x = tensor(values, [2]);
  using binding = session.bind({ x }, { y: x });
  for (let i = 0; i < 10; i++) binding.run();
  await binding.runAsync();
  assertEquals([...values], [2048, -3 * 2048]);
});

Deno.test("run() works on tensors inside one block of memory", async () => {
  using session = await createSession(doubling());
  using memory = allocate(64);
  const floats = new Float32Array(memory.buffer);
  floats.set([1, 2], 4);
  using x = tensorIn(memory, 16, "float32", [2]);
  using y = tensorIn(memory, 40, "float32", [2]);
  using binding = session.bind({ x }, { y });
  binding.run();
  assertEquals([...floats.subarray(8, 14)], [0, 0, 2, 4, 0, 0]);
});

Deno.test("run() reports a failing operator with the runtime's words, and works again", async () => {
  using session = await createSession(product());
  const c = new Float32Array(4);
  using a = tensor(new Float32Array([1, 0, 0, 1]), [2, 2]);
  using bad = tensor(new Float32Array(6), [3, 2]);
  using out = tensor(c, [2, 2]);
  using wrong = session.bind({ a, b: bad }, { c: out });
  const error = assertThrows(() => wrong.run(), OrtError);
  assertEquals(error.call, "RunWithBinding");
  assertStringIncludes(error.message, "MatMul");
  await assertRejects(() => wrong.runAsync(), OrtError, "MatMul");
  using right = session.bind({ a, b: a }, { c: out });
  right.run();
  assertEquals([...c], [1, 0, 0, 1]);
});

Deno.test("run() refuses tensors of the wrong type or rank", async () => {
  using session = await createSession(doubling());
  using out = tensor(new Float32Array(2), [2]);
  using integers = tensor(new Int32Array(2), [2]);
  using matrix = tensor(new Float32Array(2), [1, 2]);
  for (const x of [integers, matrix]) {
    assertThrows(() => {
      using binding = session.bind({ x }, { y: out });
      binding.run();
    }, OrtError);
  }
});

Deno.test("bind() refuses missing and unknown names and tells all of them", async () => {
  using session = await createSession(product());
  using t = tensor(new Float32Array(4), [2, 2]);
  const cases = [
    [{ a: t }, { c: t }, "every input must be given and no other: missing b; unknown none"],
    [{}, { c: t }, "missing a, b; unknown none"],
    [{ a: t, b: t, d: t }, { c: t }, "missing none; unknown d"],
    [{ a: t, B: t }, { c: t }, "missing b; unknown B"],
    [{ a: t, b: t }, {}, "every output must be given and no other: missing c"],
    [{ a: t, b: t }, { c: t, e: t }, "missing none; unknown e"],
  ] as const;
  for (const [inputs, outputs, message] of cases) {
    assertThrows(() => session.bind(inputs, outputs), TypeError, message);
  }
});

Deno.test("a timer keeps ticking during runAsync()", async () => {
  const { session, binding, x, out, right } = await startHeavy();
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  for (let run = 0; run < 20 && ticks < 10; run++) await binding.runAsync();
  clearInterval(timer);
  for (const item of [binding, x, out, session]) item[Symbol.dispose]();
  assert(right());
  assertGreater(ticks, 9);
});

Deno.test("runAsync() refuses a second run of a binding that is running", async () => {
  const { session, binding, x, out, right } = await startHeavy();
  const running = binding.runAsync();
  assertThrows(() => binding.run(), Error, "binding is running");
  await assertRejects(() => binding.runAsync(), Error, "binding is running");
  await running;
  assert(right());
  for (const item of [binding, x, out, session]) item[Symbol.dispose]();
});

Deno.test("two bindings of a session run at once", async () => {
  const { session, binding, x, out, right } = await startHeavy();
  const y = new Float32Array(HEAVY_SIZE * HEAVY_SIZE);
  using other = tensor(y, [HEAVY_SIZE, HEAVY_SIZE]);
  using second = session.bind({ x }, { y: other });
  await Promise.all([binding.runAsync(), second.runAsync()]);
  assert(right());
  assert(isRotation(y, 65));
  for (const item of [binding, x, out, session]) item[Symbol.dispose]();
});

Deno.test("everything can be disposed twice, in any order", async () => {
  for (const order of [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]]) {
    const session = await createSession(doubling());
    const x = tensor(new Float32Array(2), [2]), y = tensor(new Float32Array(2), [2]);
    const binding = session.bind({ x }, { y });
    binding.run();
    const items = [session, binding, x, y];
    for (const index of [...order, ...order]) items[index]![Symbol.dispose]();
  }
});

Deno.test("a disposed binding refuses to run", async () => {
  using session = await createSession(doubling());
  using x = tensor(new Float32Array(2), [2]);
  using y = tensor(new Float32Array(2), [2]);
  const binding = session.bind({ x }, { y });
  binding[Symbol.dispose]();
  assertThrows(() => binding.run(), Error, "is disposed");
  await assertRejects(() => binding.runAsync(), Error, "is disposed");
});

Deno.test("a disposed session refuses to bind and its bindings refuse to run", async () => {
  const session = await createSession(doubling());
  using x = tensor(new Float32Array(2), [2]);
  using y = tensor(new Float32Array(2), [2]);
  using binding = session.bind({ x }, { y });
  session[Symbol.dispose]();
  assertThrows(() => session.bind({ x }, { y }), Error, "the session is disposed");
  assertThrows(() => binding.run(), Error, "is disposed");
  await assertRejects(() => binding.runAsync(), Error, "is disposed");
});

Deno.test("disposal waits for work of several runs that hold the session", async () => {
  const session = await createSession(doubling());
  using x = tensor(new Float32Array(2), [2]);
  using y = tensor(new Float32Array(2), [2]);
  const first = session.hold(), second = session.hold();
  let gone = false;
  const disposal = session[Symbol.asyncDispose]().then(() => gone = true);
  assertThrows(() => session.hold(), Error, "the session is disposed");
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  {
    using binding = session.bind({ x }, { y });
    binding.run();
    await binding.runAsync();
  }
  assertEquals(gone, false);
  second[Symbol.dispose]();
  await disposal;
  assertThrows(() => session.bind({ x }, { y }), Error, "the session is disposed");
});

Deno.test("disposal during runAsync() waits for the run", async () => {
  const { session, binding, x, out, right } = await startHeavy();
  const running = binding.runAsync();
  binding[Symbol.dispose]();
  session[Symbol.dispose]();
  assertThrows(() => binding.run(), Error, "is disposed");
  assertThrows(() => session.bind({ x }, { y: out }), Error, "is disposed");
  await running;
  assert(right());
  for (const item of [binding, session, x, out]) item[Symbol.dispose]();
});

Deno.test("a session's asyncDispose ends after the runs in flight", async () => {
  const { session, binding, x, out, right } = await startHeavy();
  const order: string[] = [];
  const running = binding.runAsync().then(() => order.push("run"));
  const disposing = session[Symbol.asyncDispose]().then(() => order.push("freed"));
  assertEquals(order, []);
  await Promise.all([running, disposing]);
  assertEquals(order.toSorted(), ["freed", "run"]);
  assert(right());
  await session[Symbol.asyncDispose]();
  for (const item of [x, out]) item[Symbol.dispose]();
});

Deno.test("a binding keeps its arrays reachable", async () => {
  const code = `
    import { createSession, tensor } from "@moi/moi/runtime";
    import { doubling } from "./tests/runtime/_graphs.ts";
    const session = await createSession(doubling());
    const [binding, array] = (() => {
      const data = new Float32Array(2);
      const binding = session.bind({ x: tensor(data, [2]) }, { y: tensor(new Float32Array(2), [2]) });
      return [binding, new WeakRef(data.buffer)];
    })();
    const sweep = async () => {
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(() => resolve(gc()), 1));
    };
    await sweep();
    const bound = array.deref() !== undefined;
    binding[Symbol.dispose]();
    await sweep();
    console.log(bound, array.deref() === undefined);
  `;
  const { stdout, stderr } = await deno(["eval", "--quiet", "--v8-flags=--expose-gc", code]);
  assertEquals(stdout.trim(), "true true", stderr);
});
