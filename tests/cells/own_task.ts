/** A task of one's own: two numbers and what they make together. */

import { gains, gainsTable, lastAnswer, loadModel, mathEqual, moi } from "@moi/moi";
import { plotGains, type Problem, runStudy, standard, type Task } from "@moi/moi";

function sums(count: number): Task<Problem & { numbers: [number, number]; target: number }> {
  return {
    name: "sums",
    problems: () =>
      Array.from({ length: count }, (_, i) => ({ i, a: 2 + i % 9, b: 3 + i % 7 }))
        .map(({ i, a, b }) => ({ id: `sums-${i}`, numbers: [a, b], target: a + b })),
    prompt: ({ numbers, target }) =>
      `Using the numbers [${numbers.join(", ")}], create an equation that equals ${target}.`,
    grade({ target }, text) {
      const extracted = lastAnswer(text);
      return { correct: extracted !== null && mathEqual(`${target}`, extracted), extracted };
    },
  };
}

await using model = await loadModel("countdown-tiny");
const methods = { standard: standard(), moi: moi({ beta: 1 }) };
const runs = await runStudy({ model, task: sums(20), methods, maxNewTokens: 60 });

export const rows = gains(runs);
export const table = gainsTable(rows);
export const figure = plotGains(rows, { title: "A task of one's own" });
