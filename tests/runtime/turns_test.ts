import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Binding, takingTurns } from "@moi/moi/runtime";

/** A clock that stands still until it is told otherwise, in place of `performance.now()`. */
function stoppedClock(): Disposable & { pass(ms: number): void } {
  const { now } = performance;
  let time = 1000;
  performance.now = () => time;
  return {
    pass: (ms) => time += ms,
    [Symbol.dispose]: () => performance.now = now,
  };
}

/** A binding that takes a time of a stopped clock, and notes on which thread it runs. */
function binding(pass: (ms: number) => void) {
  const calls: ("here" | "worker")[] = [];
  let ms = 0;
  const self: Binding = {
    run() {
      calls.push("here");
      pass(ms);
    },
    async runAsync() {
      calls.push("worker");
      await Promise.resolve();
      pass(ms);
    },
    [Symbol.dispose]() {},
  };
  return { self, calls, taking: (duration: number) => ms = duration };
}

Deno.test("takingTurns() runs the first binding on a worker thread, then short ones here", async () => {
  using clock = stoppedClock();
  const { self, calls, taking } = binding(clock.pass), run = takingTurns();
  taking(0.5);
  for (let i = 0; i < 5; i++) await run(self);
  assertEquals(calls, ["worker", "here", "here", "here", "here"]);
});

Deno.test("takingTurns() moves to a worker thread after a long run, and back after a short one", async () => {
  using clock = stoppedClock();
  const { self, calls, taking } = binding(clock.pass), run = takingTurns();
  for (const ms of [0.1, 5, 5, 5, 0.1, 0.1]) {
    taking(ms);
    await run(self);
  }
  assertEquals(calls, ["worker", "here", "worker", "worker", "worker", "here"]);
});

Deno.test("takingTurns() of long runs alone keeps them off the calling thread", async () => {
  using clock = stoppedClock();
  const { self, calls, taking } = binding(clock.pass), run = takingTurns();
  taking(30);
  for (let i = 0; i < 10; i++) await run(self);
  assertEquals(calls, Array(10).fill("worker"));
});

Deno.test("takingTurns() gives the event loop a turn every 12 ms, whatever runs and waits between", async () => {
  for (const [ms, between] of [[0.2, 0], [1.9, 0], [0.2, 1], [0.01, 20]] as const) {
    using clock = stoppedClock();
    const { self, calls, taking } = binding(clock.pass), run = takingTurns();
    taking(ms);
    let elapsed = 0;
    for (let i = 0; i < 200; i++) {
      await run(self);
      elapsed = calls.at(-1) === "worker" ? 0 : elapsed + ms;
      assert(elapsed <= 12 + 2, `${elapsed} ms without a turn`);
      clock.pass(between);
      elapsed += between > 12 ? 0 : between;
    }
    const shares = calls.filter((call) => call === "worker").length / calls.length;
    if (between < 12) assert(shares < 2 * (ms + between) / 12, `${shares} on the worker`);
    else assertEquals(shares, 1);
  }
});

Deno.test("takingTurns() judges each of its functions by its own runs", async () => {
  using clock = stoppedClock();
  const { self, calls, taking } = binding(clock.pass), a = takingTurns(), b = takingTurns();
  taking(0.1);
  await a(self);
  await b(self);
  taking(5);
  await a(self);
  taking(0.1);
  await b(self);
  await a(self);
  assertEquals(calls, ["worker", "worker", "here", "here", "worker"]);
});

Deno.test("takingTurns() waits for a run on a worker thread", async () => {
  let ended = false;
  const slow: Binding = {
    run() {},
    async runAsync() {
      await new Promise((resolve) => setTimeout(resolve, 5));
      ended = true;
    },
    [Symbol.dispose]() {},
  };
  await takingTurns()(slow);
  assert(ended);
});

Deno.test("takingTurns() hands on the error of a run on either thread and works again", async () => {
  using clock = stoppedClock();
  const { self, calls, taking } = binding(clock.pass), run = takingTurns();
  const failing: Binding = {
    run() {
      throw new Error("here");
    },
    runAsync: () => Promise.reject(new Error("worker")),
    [Symbol.dispose]() {},
  };
  taking(0.1);
  await assertRejects(() => run(failing), Error, "worker");
  await run(self);
  await assertRejects(() => run(failing), Error, "here");
  await run(self);
  assertEquals(calls, ["worker", "here"]);
});

Deno.test("takingTurns() lets timers run between many short runs", async () => {
  const spinning: Binding = {
    run() {
      const end = performance.now() + 0.3;
      while (performance.now() < end);
    },
    runAsync: () => new Promise((resolve) => setTimeout(resolve)),
    [Symbol.dispose]() {},
  };
  const run = takingTurns(), start = performance.now();
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  while (performance.now() - start < 300) await run(spinning);
  clearInterval(timer);
  assert(ticks >= 5, `${ticks} ticks`); // about 20 are due
});
