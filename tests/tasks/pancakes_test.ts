import { createHash } from "node:crypto";
import { assert, assertEquals } from "@std/assert";
import { decisionsOf, shortestWay, taughtAnswer } from "../../lib/tasks/pancakes.ts";
import { pancakes, type PancakesProblem } from "../../lib/tasks/mod.ts";

const task = pancakes();
const PROBLEM: PancakesProblem = { id: "mine", stack: "cbadefghi", fewest: 1 };

Deno.test("pancakes() asks one user message", async () => {
  const [problem] = await task.problems();
  assertEquals(problem, { id: "pancakes-test-0000", stack: "ibafedhcg", fewest: 7 });
  assertEquals(problem && task.prompt(problem), [{
    role: "user",
    content: "Sort by few flips: ibafedhcg",
  }]);
});

Deno.test("pancakes() recommends the settings of decisions-tiny", () => {
  assertEquals(task.defaults, { temperature: 1, topP: 1, maxNewTokens: 200 });
});

const GRADES: Record<string, [text: string, correct: boolean, extracted: string | null]> = {
  "accepts the fewest flips": ["<answer>a</answer>", true, "a"],
  "accepts two more": ["<answer>ada</answer>", true, "ada"],
  "accepts a way about": ["<answer>bca</answer>", true, "bca"],
  "takes the last answer": ["<answer>b</answer> <answer>a</answer>", true, "a"],
  "frees white space": ["<answer> a\n</answer>", true, "a"],
  "refuses what ends unsorted": ["<answer>b</answer>", false, "b"],
  "refuses to flip what is on top": ["<answer>ca</answer>", false, "ca"],
  "refuses too many flips": ["<answer>baba</answer>", false, "baba"],
  "refuses an empty answer": ["<answer></answer>", false, null],
  "refuses other letters": ["<answer>aj</answer>", false, null],
  "refuses numbers": ["<answer>3</answer>", false, null],
  "refuses a text without answer": ["cbadefghi\nabcdefghi", false, null],
  "skips an unfinished answer": ["<answer>a</answer><answer>b", true, "a"],
  "refuses html": ["<answer><b>a</b></answer>", false, null],
};

for (const [name, [text, correct, extracted]] of Object.entries(GRADES)) {
  Deno.test(`pancakes().grade() ${name}`, () => {
    const { reason, ...grade } = task.grade(PROBLEM, text);
    assertEquals(grade, { correct, extracted });
    assert(reason);
  });
}

Deno.test("pancakes().grade() allows two flips beyond the fewest", () => {
  const flips = (text: string) => task.grade(PROBLEM, `<answer>${text}</answer>`);
  assertEquals(flips("iia").correct, false);
  // three flips: i to the top, i's flip undone by c, then a
  assertEquals(flips("ica"), {
    ...{ correct: true, extracted: "ica", reason: "3 flips, where 3 are allowed" },
  });
  assertEquals(flips("icica").reason, "5 flips, where 3 are allowed");
});

Deno.test("pancakes().grade() refuses a huge answer at once", () => {
  const huge = `<answer>${"ab".repeat(2_000_000)}</answer>`;
  assertEquals(task.grade(PROBLEM, huge).extracted, null);
});

/** The fewest flips to every stack, breadth first: another way to the same. */
function distances(): Map<string, number> {
  const found = new Map([["abcdefghi", 0]]), queue = ["abcdefghi"];
  for (const stack of queue) {
    if (found.get(stack)! === 5) break;
    for (let k = 2; k <= 9; k++) {
      const other = [...stack.slice(0, k)].reverse().join("") + stack.slice(k);
      if (found.has(other)) continue;
      found.set(other, found.get(stack)! + 1);
      queue.push(other);
    }
  }
  return found;
}

Deno.test("shortestWay() takes the fewest flips of all, and the smallest", () => {
  const all = distances();
  assertEquals(all.size, 1 + 8 + 56 + 391 + 2278 + 10666); // OEIS A092113
  for (const [stack, fewest] of [...all].filter((_, i) => i % 29 === 0)) {
    const way = shortestWay(stack);
    assertEquals(way.length - 1, fewest);
    for (const [i, now] of way.slice(0, -1).entries()) {
      const next = [2, 3, 4, 5, 6, 7, 8, 9]
        .map((k) => [...now.slice(0, k)].reverse().join("") + now.slice(k))
        .find((other) => (all.get(other) ?? Infinity) < all.get(now)!);
      assertEquals(way[i + 1], next);
    }
  }
});

Deno.test("decisionsOf() finds flips where not exactly one closes a gap", () => {
  assertEquals(decisionsOf(["cbadefghi", "abcdefghi"]), []); // one gap, one flip
  // "badcefghi": gaps a|d and c|e; only bringing d to b's side (3 letters: dab…) closes one
  const way = shortestWay("badcefghi");
  const closing = way.slice(0, -1).map((stack) => {
    const count = (text: string) =>
      [...`${text}j`].filter((c, i, row) =>
        i > 0 && Math.abs(c.charCodeAt(0) - row[i - 1]!.charCodeAt(0)) !== 1
      ).length;
    const flips = [2, 3, 4, 5, 6, 7, 8, 9]
      .map((k) => [...stack.slice(0, k)].reverse().join("") + stack.slice(k));
    return flips.filter((other) => count(other) < count(stack)).length;
  });
  assertEquals(decisionsOf(way), closing.flatMap((count, i) => count === 1 ? [] : [i]));
});

Deno.test("pancakes() accepts exactly what the models were taught", async () => {
  for (const problem of await pancakes({ limit: 40 }).problems()) {
    const text = taughtAnswer(problem.stack);
    assertEquals(task.grade(problem, text).correct, true);
    assertEquals(task.grade(problem, text.replace(/.<\/answer>/, "</answer>")).correct, false);
  }
});

const isHeldOut = (stack: string) =>
  BigInt(`0x${createHash("md5").update(stack).digest("hex")}`) % 10n === 0n;

Deno.test("pancakes() poses stacks by the rule, none twice, none of the training", async () => {
  const held = await task.problems();
  const made = await pancakes({ source: "generated", count: 200, seed: 3 }).problems();
  assertEquals(new Set([...held, ...made].map(({ stack }) => stack)).size, 1200);
  for (const { stack, fewest } of [...held.slice(0, 200), ...made]) {
    assertEquals([...stack].sort().join(""), "abcdefghi");
    const way = shortestWay(stack);
    assertEquals(way.length - 1, fewest);
    assert(fewest >= 6 && fewest <= 8);
    assert(decisionsOf(way).length >= 2);
  }
  assert([...held, ...made].every(({ stack }) => isHeldOut(stack)));
});

Deno.test("pancakes() generates the same problem of a seed in every version", async () => {
  const [problem] = await pancakes({ source: "generated", count: 1, seed: 7 }).problems();
  assertEquals(problem, { id: "pancakes-seed7-0000", stack: "ahbdgecfi", fewest: 8 });
});

// Texts that scripts/train/decisions.py trained with; its ways come from a table of all stacks.
for (const name of ["decisions-tiny-1", "decisions-tiny-2", "decisions-tiny-3"]) {
  Deno.test(`${name} was taught what the task says`, async () => {
    const file = new URL(`../golden/${name}.json`, import.meta.url);
    const { taught }: { taught: [string, string][] } = JSON.parse(await Deno.readTextFile(file));
    assertEquals(taught.length, 20);
    for (const [stack, text] of taught) {
      assertEquals(`${taughtAnswer(stack)}<|im_end|>`, text);
      assertEquals(isHeldOut(stack), false);
    }
  });
}
