import { assertEquals, assertLess } from "@std/assert";
import { createSession, OrtError, tensor } from "@moi/moi/runtime";
import { doubling, product } from "./_graphs.ts";

const MB = 2 ** 20;

/** Memory of the process outside the JavaScript heap, which grows and shrinks as it likes. */
function nativeMemory(): number {
  const { rss, heapTotal } = Deno.memoryUsage();
  return rss - heapTotal;
}

/** Growth of native memory over `count` calls, after half as many to warm up. */
async function growth(count: number, call: (i: number) => Promise<void> | void): Promise<number> {
  for (let i = 0; i < count / 2; i++) await call(i);
  const before = nativeMemory();
  for (let i = 0; i < count; i++) await call(i);
  return nativeMemory() - before;
}

// The bounds lie between what is measured (4 MB and less) and what one forgotten release adds: 10 MB of
// tensors, 24 MB of bindings, 9 MB of statuses, 24 MB of sessions.

Deno.test("20 000 steps that bind, run and dispose leave no memory behind", async () => {
  using session = await createSession(doubling());
  let right = 0;
  const grown = await growth(20_000, async (i) => {
    const y = new Float32Array(2);
    using x = tensor(new Float32Array([i, 1]), [2]);
    using out = tensor(y, [2]);
    using binding = session.bind({ x }, { y: out });
    if (i % 100 === 0) await binding.runAsync();
    else binding.run();
    if (y[0] === 2 * i) right++;
  });
  assertEquals(right, 30_000);
  assertLess(grown, 8 * MB);
});

Deno.test("80 000 failing runs leave no memory behind", async () => {
  using session = await createSession(product());
  using a = tensor(new Float32Array(6), [3, 2]);
  using binding = session.bind({ a, b: a }, { c: a });
  let failures = 0;
  const grown = await growth(80_000, () => {
    try {
      binding.run();
    } catch (error) {
      if (error instanceof OrtError) failures++;
    }
  });
  assertEquals(failures, 120_000);
  assertLess(grown, 6 * MB);
});

Deno.test("2 000 failing binds and loads leave no memory behind", async () => {
  using session = await createSession(product());
  using a = tensor(new Float32Array(6), [3, 2]);
  using integers = tensor(new Int32Array(6), [2, 3]);
  let failures = 0;
  const grown = await growth(2000, async (i) => {
    try {
      using binding = session.bind({ a, b: integers }, { c: a });
      binding.run();
    } catch (error) {
      if (error instanceof OrtError) failures++;
    }
    await createSession(new Uint8Array([i % 256, 1, 2]))
      .then((other) => other[Symbol.dispose](), () => failures++);
  });
  assertEquals(failures, 6000);
  assertLess(grown, 12 * MB);
});

Deno.test("200 sessions opened and closed leave no memory behind", async () => {
  const graph = product();
  const grown = await growth(200, async () => {
    using session = await createSession(graph);
    assertEquals(session.inputs.length, 2);
  });
  assertLess(grown, 12 * MB);
});
