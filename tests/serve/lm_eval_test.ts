/**
 * lm-evaluation-harness as it comes from PyPI, in a process of its own, asks `deno task serve` for a real
 * model's answers to sums: its texts are those of `generate`, of a request with a method as well, and its
 * file is read and graded here.
 *
 * The model's folder is named by `MOI_REAL_MODEL`, as in tests/model/real_test.ts, that of the harness by
 * `MOI_LM_EVAL`.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { generate, moi } from "@moi/moi/decode";
import { loadModel } from "@moi/moi/model";
import { importRuns } from "@moi/moi/study";
import { addition } from "@moi/moi/tasks";
import { served } from "../../scripts/_served.ts";
import { type TemporaryFolder, temporaryFolder } from "../_temporary.ts";
import { CLIENTS, needing, REAL_MODEL } from "../_needing.ts";

const test = needing({ ...CLIENTS, ...REAL_MODEL });

const MODEL = "smollm2-135m-instruct.Q4_1", TOKENS = 24;

/** A task of the harness, in its own form: greedy, to the end of the line, graded by the last number. */
const TASK = `task: moi_addition
dataset_path: json
dataset_kwargs:
  data_files:
    test: addition.jsonl
test_split: test
output_type: generate_until
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_target: "{{answer}}"
generation_kwargs:
  until: ["\\n"]
  do_sample: false
  temperature: 0.0
  max_gen_toks: ${TOKENS}
filter_list:
  - name: last-number
    filter:
      - function: regex
        regex_pattern: "(-?[0-9][0-9,]*)"
        group_select: -1
      - function: take_first
metric_list:
  - metric: exact_match
    regexes_to_ignore: [","]
`;

/** Runs the harness in a folder with the task and its problems, and reads its file of samples. */
async function harness(folder: TemporaryFolder, kind: string, url: string, more: string[] = []) {
  const { path } = folder, output = `${path}/${kind}`;
  const address = kind === "local-completions" ? "completions" : "chat/completions";
  const model = `model=${MODEL},base_url=${url}/v1/${address},tokenizer_backend=None`;
  const { success, stdout, stderr } = await new Deno.Command("python3", {
    args: [
      ...["-m", "lm_eval", "run", "--include_path", ".", "--tasks", "moi_addition"],
      ...["--model", kind, "--model_args", model, "--log_samples", "--output_path", output],
      ...more,
    ],
    cwd: path,
    env: {
      PYTHONPATH: Deno.env.get("MOI_LM_EVAL")!,
      ...{ HF_HOME: `${output}-home`, HF_HUB_OFFLINE: "1", HF_DATASETS_OFFLINE: "1" },
    },
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
  }).output();
  const [told, said] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!success) throw new Error(`The harness failed: ${said}`);
  assertStringIncludes(told!, "exact_match");
  const own = `${output}/${MODEL}`;
  const samples = [...Deno.readDirSync(own)].find(({ name }) => name.startsWith("samples_"));
  return await importRuns(`${own}/${samples!.name}`);
}

test("lm-evaluation-harness gets the library's texts, and its file is read and graded", async () => {
  const file = `${Deno.env.get("MOI_REAL_MODEL")}/${MODEL}.gguf`, task = addition({ limit: 6 });
  const problems = await task.problems();
  const rows = problems.map(({ left, right }) => ({
    ...{ question: `What is ${left} + ${right}?`, answer: `${left + right}` },
  }));
  await using written = await temporaryFolder({
    "addition.yaml": TASK,
    "addition.jsonl": rows.map((row) => JSON.stringify(row)).join("\n"),
  });
  const settings = { temperature: 0.6, top_p: 0.95, vllm_xargs: { moi_beta: 0.25 } };
  const kwargs = ["--apply_chat_template", "--gen_kwargs", JSON.stringify(settings)];
  const [greedy, mixed] = await (async () => {
    await using server = await served(["--model", file, "--dtype", "fp32", "--context", "256"]);
    return await Promise.all([
      harness(written, "local-completions", server.url),
      harness(written, "local-chat-completions", server.url, kwargs),
    ]);
  })();
  assertEquals([greedy.format, greedy.runs.length, mixed.runs.length], ["lm-eval", 6, 6]);

  await using real = await loadModel(file, { dtype: "fp32", maxLength: 256 });
  const common = { maxNewTokens: TOKENS, stop: ["\n"] };
  const mixing = { method: moi({ beta: 0.25 }), temperature: 0.6, topP: 0.95, seed: 1234 };
  for (const [i, problem] of problems.entries()) {
    const content = `Question: ${rows[i]!.question}\nAnswer:`, { text, grade } = greedy.runs[i]!;
    const own = await generate(real, content, { ...common, temperature: 0 });
    assertEquals(text, own.text);
    assertEquals(grade.correct, task.grade(problem, text).correct);
    const chat = await generate(real, [{ role: "user", content }], { ...common, ...mixing });
    assertEquals(mixed.runs[i]!.text, chat.text);
    assert(chat.mixing.meanOffSampleMass > 0);
  }
});
