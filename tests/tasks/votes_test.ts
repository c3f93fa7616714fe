import { assert, assertEquals } from "@std/assert";
import { votes, type VotesProblem } from "../../lib/tasks/mod.ts";
import { promptDigest } from "./_sha256.ts";

const task = votes();

const PROBLEM: VotesProblem = {
  id: "mine",
  wards: ["aaaaaabbbbccccddddef", "bbbbbbaaaaccccddddef", "ccccccaaaabbbbddddef"],
  leaders: "lll", // wrong on purpose: grading counts ballots
};

Deno.test("votes() words the held-out problems as published", async () => {
  // SHA-256 of the `prompt` fields of votes-tiny's test_problems.jsonl, joined by line feeds.
  assertEquals(
    await promptDigest(task),
    "ab6ea89235e3bf28b9a2b342850197a674ac43e615c68181e009bf1dd8b08980",
  );
});

Deno.test("votes() asks one user message", async () => {
  const [problem] = await task.problems();
  assertEquals(problem && task.prompt(problem), [{
    role: "user",
    content: "1: g h l j j k k f h j h g g h h k g j b h\n" +
      "2: i h a j k i j g i h g a l h a a b a k a\n" +
      "3: l l j c l j j a h f h f l l h i i f l c\n" +
      "Poll one ward and name its leader.",
  }]);
});

Deno.test("votes() recommends the settings of votes-tiny", () => {
  assertEquals(task.defaults, { temperature: 1, topP: 1, maxNewTokens: 32 });
});

const GRADES: Record<string, [text: string, correct: boolean, extracted: string | null]> = {
  "accepts the leader of ward 1": ["<answer>1: a</answer>", true, "1: a"],
  "accepts the leader of ward 3": ["<answer>3: c</answer>", true, "3: c"],
  "accepts the text of the model": [
    "1: b b a a b a\n</think>\n<answer>1: a</answer><|im_end|>",
    true,
    "1: a",
  ],
  "refuses the leader of the poll where it does not lead the ward": [
    "1: b b b a a\n</think>\n<answer>1: b</answer>",
    false,
    "1: b",
  ],
  "refuses the leader of another ward": ["<answer>2: a</answer>", false, "2: a"],
  "refuses a candidate without ballots": ["<answer>1: l</answer>", false, "1: l"],
  "goes by the ward of the answer, not of the poll": [
    "1: a a a\n<answer>2: b</answer>",
    true,
    "2: b",
  ],
  "frees white space": ["<answer>\n 2 :b\t</answer>", true, "2: b"],
  "takes the last answer": ["<answer>1: b</answer><answer>1: a</answer>", true, "1: a"],
  "takes the last answer if it is wrong": [
    "<answer>1: a</answer><answer>1: b</answer>",
    false,
    "1: b",
  ],
  "lets a malformed last answer stand": ["<answer>1: a</answer><answer>?</answer>", false, null],
  "skips an unfinished answer": ["<answer>1: a</answer><answer>2:", true, "1: a"],
  "refuses a text without answer": ["1: a", false, null],
  "refuses an empty text": ["", false, null],
  "refuses an empty answer": ["<answer></answer>", false, null],
  "refuses a ward that is not there": ["<answer>4: a</answer>", false, null],
  "refuses ward 0": ["<answer>0: a</answer>", false, null],
  "refuses a candidate that is not there": ["<answer>1: m</answer>", false, null],
  "refuses a capital": ["<answer>1: A</answer>", false, null],
  "refuses two candidates": ["<answer>1: a b</answer>", false, null],
  "refuses a missing colon": ["<answer>1 a</answer>", false, null],
  "refuses html": ["<answer><b>1: a</b></answer>", false, null],
  "refuses a name of the prototype": ["<answer>__proto__: constructor</answer>", false, null],
};

for (const [name, [text, correct, extracted]] of Object.entries(GRADES)) {
  Deno.test(`votes().grade() ${name}`, () => {
    const { reason, ...grade } = task.grade(PROBLEM, text);
    assertEquals(grade, { correct, extracted });
    assert(reason);
  });
}

Deno.test("votes().grade() refuses a huge answer at once", () => {
  const huge = `<answer>1:${" ".repeat(5_000_000)}!</answer>`;
  assertEquals(task.grade(PROBLEM, huge).extracted, null);
});

Deno.test("votes().grade() lets nobody lead a tied ward", () => {
  const tied: VotesProblem = { ...PROBLEM, wards: ["aabb", "b", ""] };
  assertEquals(task.grade(tied, "<answer>1: a</answer>"), {
    correct: false,
    extracted: "1: a",
    reason: "nobody leads ward 1",
  });
  assertEquals(task.grade(tied, "<answer>2: b</answer>").correct, true);
  assertEquals(task.grade(tied, "<answer>3: b</answer>").correct, false);
});

Deno.test("votes().grade() accepts exactly the leaders of the held-out problems", async () => {
  for (const problem of await task.problems()) {
    for (const ward of [1, 2, 3]) {
      const right = [..."abcdefghijkl"].filter((candidate) =>
        task.grade(problem, `<answer>${ward}: ${candidate}</answer>`).correct
      );
      assertEquals(right, [problem.leaders[ward - 1]]);
    }
  }
});

/** Ballots of each candidate, most first. */
function tally(ward: string): number[] {
  return [...Map.groupBy(ward, (ballot) => ballot).values()].map((b) => b.length)
    .sort((a, b) => b - a);
}

function generated(count: number, seed: number): Promise<VotesProblem[]> {
  return Promise.resolve(votes({ source: "generated", count, seed }).problems());
}

Deno.test("votes() generates wards by the rule", async () => {
  for (let seed = 0; seed < 200; seed++) {
    for (const { wards } of await generated(3, seed)) {
      for (const ward of wards) {
        assert(/^[a-l]{20}$/.test(ward), ward);
        const [first = 0, second = 0, ...rest] = tally(ward);
        assert(first === 5 || first === 6, ward);
        assert(second <= first - 2, ward);
        assert(rest.length + 1 <= 9, ward);
      }
    }
  }
});

Deno.test("votes() generates wards like those of the held-out problems", async () => {
  const shares = (problems: readonly VotesProblem[]) => {
    const wards = problems.flatMap((problem) => problem.wards);
    const share = (holds: (tally: number[]) => boolean) =>
      wards.filter((ward) => holds(tally(ward))).length / wards.length;
    return [
      share((t) => t[0] === 6),
      share((t) => t[1] === 4),
      share((t) => t.length <= 7),
      share((t) => t.length >= 9),
    ];
  };
  const [published, made] = [shares(await task.problems()), shares(await generated(1000, 1))];
  for (const [i, share] of published.entries()) {
    // The standard error of a difference of shares of 3000 wards is at most 0.013.
    assert(Math.abs(share - made[i]!) < 0.045, `share ${i}: ${share} published, ${made[i]} made`);
  }
});

Deno.test("votes() generates leaders and ballots in every place", async () => {
  const problems = await generated(300, 2);
  const leaders = new Set(problems.flatMap((problem) => [...problem.leaders]));
  assertEquals([...leaders].sort().join(""), "abcdefghijkl");
  const firstBallots = problems.filter(({ wards, leaders }) => wards[0][0] === leaders[0]).length;
  assert(firstBallots > 60 && firstBallots < 120, `${firstBallots} of 300`); // 5 or 6 in 20
});

Deno.test("votes() generates the same problem of a seed in every version", async () => {
  assertEquals(await generated(1, 7), [{
    id: "votes-seed7-0000",
    wards: ["elfabgajjgajljfjkhgb", "bibeifilfglehiikddgi", "adhlbbdhddahhbhjgjha"],
    leaders: "jih",
  }]);
});
