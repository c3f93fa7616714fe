import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { countdown, pancakes, votes } from "../../lib/tasks/mod.ts";

for (const [name, task] of Object.entries({ votes, countdown, pancakes })) {
  Deno.test(`${name}() poses 1000 held-out problems by default`, async () => {
    const ids = (await task().problems()).map(({ id }) => id);
    assertEquals(ids.length, 1000);
    assertEquals([ids[0], ids[999]], [`${name}-test-0000`, `${name}-test-0999`]);
    assertEquals(new Set(ids).size, 1000);
  });

  Deno.test(`${name}() limits either source to its first problems`, async () => {
    const all = await task().problems();
    assertEquals(await task({ limit: 3 }).problems(), all.slice(0, 3));
    assertEquals((await task({ limit: 5000 }).problems()).length, 1000);
    const generated = await task({ source: "generated", count: 20 }).problems();
    assertEquals(
      await task({ source: "generated", count: 20, limit: 3 }).problems(),
      generated.slice(0, 3),
    );
  });

  Deno.test(`${name}() generates 200 problems from seed 0 by default`, async () => {
    const problems = await task({ source: "generated" }).problems();
    assertEquals(problems.length, 200);
    assertEquals(problems, await task({ source: "generated", count: 200, seed: 0 }).problems());
  });

  Deno.test(`${name}() generates by seed, and the first of a larger count`, async () => {
    const make = (count: number, seed: number) =>
      task({ source: "generated", count, seed }).problems();
    const problems = await make(30, 5);
    assertEquals((await make(60, 5)).slice(0, 30), problems);
    const bodies = (list: readonly object[]) => JSON.stringify(list.map((p) => ({ ...p, id: "" })));
    assertNotEquals(bodies(await make(30, 6)), bodies(problems));
    assertNotEquals(bodies(await make(30, 5 + 2 ** 32)), bodies(problems));
    assert(problems.every(({ id }, i) => id === `${name}-seed5-${`${i}`.padStart(4, "0")}`));
  });

  Deno.test(`${name}() returns a list of its own at each call`, async () => {
    const made = task({ limit: 2 });
    (await made.problems()).pop();
    assertEquals((await made.problems()).length, 2);
  });

  Deno.test(`${name}() refuses what it does not know`, () => {
    const refuses = (options: object, Refusal: typeof TypeError, message: string) =>
      assertThrows(() => task(options), Refusal, `Cannot make ${name} as ${message}`);
    refuses({ sources: 1 }, TypeError, "'sources' is not an option");
    refuses({ source: "train" }, RangeError, "'source' must be 'held-out' or 'generated'");
    refuses({ source: 1 }, TypeError, "'source' must be 'held-out' or 'generated'");
    refuses({ count: 5 }, TypeError, `'count' must be left out unless 'source' is "generated"`);
    refuses({ seed: 5 }, TypeError, `'seed' must be left out unless 'source' is "generated"`);
    refuses({ limit: 0 }, RangeError, "'limit' must be an integer at least 1");
    refuses({ limit: "3" }, TypeError, "'limit' must be an integer at least 1");
    const generated = (rest: object) => ({ source: "generated", ...rest });
    refuses(generated({ count: 0 }), RangeError, "'count' must be an integer at least 1");
    refuses(generated({ count: 1e9 }), RangeError, "'count' must be an integer at least 1");
    refuses(generated({ count: 1.5 }), RangeError, "'count' must be an integer at least 1");
    refuses(generated({ seed: -1 }), RangeError, "'seed' must be an integer at least 0");
    refuses(generated({ seed: 2 ** 53 }), RangeError, "'seed' must be an integer at least 0");
    refuses(generated({ seed: NaN }), RangeError, "'seed' must be an integer at least 0");
  });
}
