/** Results of the released MoI code: a JSON list that begins with its accuracy. @module */

import type { Problem } from "../../tasks/mod.ts";
import { isObject } from "../../_check.ts";
import { fault, type Found, type Json, type Result, textOf, UNGRADED } from "./_found.ts";

/** Whether two integers are the same, as the released code compares its answers. */
function sameInteger(a: string, b: string): boolean {
  const [x, y] = [a.trim(), b.trim()];
  if (x === "" || y === "") return false;
  const whole = /^[+-]?\d{1,1000}$/;
  if (whole.test(x) && whole.test(y)) {
    return BigInt(x.replace("+", "")) === BigInt(y.replace("+", ""));
  }
  return Number(x) === Number(y);
}

/** Reads `[{accuracy, total, correct}, {question, gold, predicted, pred_solution}…]`. */
export function released(list: readonly unknown[], name: string): Found {
  const [head, ...rows] = list as readonly Json[];
  const [model = "unknown", , ...numbers] = name.replace(/\.json(\.gz)?$/, "").split("=");
  const [topP, temperature] = numbers.slice(-2).map(Number);
  const results = rows.map((row, i): Result => {
    const where = `item ${i + 1}`,
      text = row?.pred_solution,
      question = row?.question,
      gold = row?.gold;
    if (typeof text !== "string" || typeof question !== "string") {
      return fault(where, "have a question and a pred_solution");
    }
    const extracted = textOf(row!.predicted) ?? null, id = `${i}`;
    const shared = { repeat: 0, text };
    if (isObject(gold)) { // a right expression is known by its value alone, which the file does not tell
      const problem: Problem = { id, numbers: gold.numbers, target: gold.target };
      return { ...shared, problem, grade: { ...UNGRADED, extracted } };
    }
    const answer = textOf(gold) ?? fault(where, "have a gold answer");
    const correct = extracted !== null && sameInteger(extracted, answer);
    return { ...shared, problem: { id, question, answer }, grade: { correct, extracted } };
  });
  const isCountdown = results.some(({ problem }) => "numbers" in problem);
  return {
    format: "released",
    task: isCountdown ? "countdown" : "aime",
    model,
    sampler: {
      ...(Number.isFinite(temperature) ? { temperature: temperature! } : {}),
      ...(Number.isFinite(topP) ? { topP: topP! } : {}),
    },
    results,
    leftOut: {},
    ...(typeof head?.correct === "number" ? { claimed: head.correct } : {}),
  };
}
