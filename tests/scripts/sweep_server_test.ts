/** `deno task sweep --server`. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { loadModel } from "@moi/moi/model";
import { serve } from "@moi/moi/serve";
import { readRuns, runStudy } from "@moi/moi/study";
import { votes } from "@moi/moi/tasks";
import { moi, standard } from "@moi/moi/decode";
import { script } from "../_process.ts";
import { temporaryFolder } from "../_temporary.ts";
import { fakeServer } from "../serve/_fake_server.ts";

const QWQ = {
  ...{ model_type: "qwen2", hidden_act: "silu", hidden_size: 5120, intermediate_size: 27648 },
  ...{ num_attention_heads: 40, num_hidden_layers: 64, num_key_value_heads: 8 },
  ...{ max_position_embeddings: 40960, rms_norm_eps: 1e-5, rope_theta: 1e6 },
  ...{ tie_word_embeddings: false, use_sliding_window: false, vocab_size: 152064 },
};

Deno.test("sweep --server makes the runs of a sweep here, and keeps no key", async () => {
  await using votesTiny = await loadModel("votes-tiny");
  await using server = serve(votesTiny, { port: 0, key: "very-secret" });
  await using folder = await temporaryFolder();
  const sweep = (more: readonly string[], env = {}) =>
    script("sweep", [
      ...["--server", server.url, "--problems", "15", "--methods", "moi-1", "--colder", "none"],
      ...["--out", folder.path, ...more],
    ], { env });
  const refused = await sweep([]);
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, "answered 401");
  const { code, stdout, stderr } = await sweep(["--key", "very-secret"]);
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /votes-tiny: fp32 on moi \d/);
  assertMatch(stdout, /moi-1 /);
  const again = await sweep([], { MOI_SERVER_KEY: "very-secret" });
  assertEquals([again.code, again.stdout], [0, stdout]);
  const files = [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
  const kept = ["command.txt", "jsonl", "problems.ndjson"].map((end) => `votes-tiny-votes.${end}`);
  assertEquals(files, ["report.html", ...kept]);
  for (const name of files) {
    const text = await Deno.readTextFile(`${folder.path}/${name}`);
    assert(!text.includes("very-secret"), name);
  }
  const texts = (await readRuns(`${folder.path}/votes-tiny-votes.jsonl`)).map(({ text }) => text);
  const methods = { "standard": standard(), "moi-1": moi({ beta: 1 }) };
  const here = await runStudy({ model: votesTiny, task: votes({ limit: 15 }), methods });
  assertEquals(texts, here.map(({ text }) => text));
});

Deno.test("sweep --server leaves out methods that the server does not know, unless they are named", async () => {
  await using votesTiny = await loadModel("votes-tiny");
  await using server = fakeServer(votesTiny, {
    about: (about) => ({ ...about, methods: { standard: [], moi: ["beta", "preset", "phase"] } }),
  });
  await using folder = await temporaryFolder();
  const args = ["--server", server.url, "--problems", "4", "--colder", "none", "--betas", "1"];
  const all = await script("sweep", [...args, "--out", folder.path]);
  assertEquals(all.code, 0, all.stderr);
  assertMatch(all.stderr, /direct, linear.*random.*: left out, as moi 0\.1\.0 does not know them/);
  const named = await script("sweep", [...args, "--methods", "direct", "--out", folder.path]);
  assertEquals(named.code, 1);
  assertStringIncludes(named.stderr, "'method' must be standard, moi, as that is what moi 0.1.0");
});

Deno.test("sweep --dry-run --server says what a study takes, and the two commands", async () => {
  await using folder = await temporaryFolder({ "config.json": JSON.stringify(QWQ) });
  const sweep = (args: readonly string[]) => script("sweep", args);
  const { code, stdout, stderr } = await sweep([
    ...["--dry-run", "--server", "none", "--model", "Qwen/QwQ-32B", "--tokenizer", folder.path],
    ...["--task", "aime", "--methods", "moi,direct", "--repeats", "5", "--gpus", "8"],
    ...["--bandwidth", "3350", "--slots", "48", "--key", "very-secret"],
  ]);
  assertEquals(code, 0, stderr);
  // 65.5 GB of weights, 64 layers × 2 × 8 heads × 128 numbers a token, 32968 tokens, all in bf16
  const weights = (2 * 32763876352 / 2 ** 30).toFixed(1);
  const kv = (48 * 32968 * 64 * 2 * 8 * 128 * 2 / 2 ** 30).toFixed(1);
  const runs = 90 * 8 * 5, steps = runs / 48 * 32768;
  const bytes = 2 * (32763876352 - 152064 * 5120) + 48 * (200 + 16384) * 64 * 2 * 8 * 128 * 2;
  const hours = steps * bytes / (8 * 3350e9) / 3600;
  const row = new RegExp(`\\n48 +(\\S+) GiB +${kv} GiB +\\S+ GiB +(\\S+) hours`).exec(stdout);
  assert(row, stdout);
  assert(Math.abs(Number(row[1]) - Number(weights)) < 1.5, row[0]);
  assert(Math.abs(Number(row[2]) / hours - 1) < 0.02, `${row[0]}: ${hours}`);
  assertStringIncludes(stdout, `= ${runs} runs`);
  assertStringIncludes(
    stdout,
    "VLLM_PLUGINS=moi vllm serve Qwen/QwQ-32B --tensor-parallel-size 8 --max-model-len 33068 " +
      "--max-num-seqs 48 --generation-config vllm\n",
  );
  assertStringIncludes(
    stdout,
    "deno task sweep --server http://localhost:8000 --model Qwen/QwQ-32B --slots 48 --tokenizer " +
      `${folder.path} --task aime --methods moi,direct --repeats 5\n`,
  );
  for (
    const [args, words] of [
      [["--dry-run", "--gpus", "8"], "Cannot use --gpus without --server"],
      [["--server", "none", "--dtype", "int4"], "Cannot use --dtype with --server"],
      [["--server", "none", "--dry-run"], "--model must be given"],
      [["--server", "none", "--gpus", "2"], "Cannot use --gpus without --dry-run"],
    ] as const
  ) {
    const { code, stderr } = await sweep(args);
    assertEquals(code, 1);
    assertStringIncludes(stderr, words);
  }
});
