/**
 * OpenAI's client for Python, as it comes from PyPI, against `deno task serve`: the cell of
 * scripts/README.md as it stands there, a stream, and a refusal.
 *
 * The client lies in the folder that `MOI_LM_EVAL` names, beside lm-evaluation-harness.
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { generate, moi } from "@moi/moi/decode";
import { loadModel } from "@moi/moi/model";
import { served } from "../../scripts/_served.ts";
import { root } from "../_repository.ts";
import { CLIENTS, needing } from "../_needing.ts";

const test = needing(CLIENTS);

const STREAM = `
from openai import BadRequestError

extra_body = {"vllm_xargs": {"moi_beta": 0.25}}
asked = {"model": "votes-tiny", "prompt": [1], "max_tokens": 12, "seed": 7}
text = ""
for chunk in client.completions.create(**asked, stream=True, extra_body=extra_body):
    text += chunk.choices[0].text
print(text, chunk.choices[0].finish_reason, chunk.choices[0].moi["mean_off_sample_mass"], sep="|")
try:
    client.completions.create(**asked, extra_body={"vllm_xargs": {"moi_bta": 1}})
except BadRequestError as error:
    print(error.status_code, error.param)
`;

test("the Python cell of the documentation runs, streams and refusals are as the client knows them", async () => {
  const text = await Deno.readTextFile(new URL("scripts/README.md", root));
  const [, cell = ""] = /\n```py\n(from openai [^]*?)```\n/.exec(text) ?? [];
  assertStringIncludes(cell, "http://127.0.0.1:8000");
  await using server = await served(["--model", "votes-tiny"]);
  const { success, stdout, stderr } = await new Deno.Command("python3", {
    args: ["-c", cell.replace("http://127.0.0.1:8000", server.url) + STREAM],
    env: { PYTHONPATH: Deno.env.get("MOI_LM_EVAL")!, PYTHONDONTWRITEBYTECODE: "1" },
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
  }).output();
  const [said, why] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assertEquals([success, why], [true, ""]);

  await using model = await loadModel("votes-tiny");
  const method = moi({ beta: 0.25 }), chat = [{ role: "user", content: "a b" }];
  const first = await generate(model, chat, { method, seed: 1 });
  const second = await generate(model, [1], { method, maxNewTokens: 12, seed: 7 });
  const [answer, streamed, refused] = said!.trimEnd().split("\n").slice(-3);
  assertEquals(answer!.slice(0, first.text.length), first.text);
  assertStringIncludes(
    answer!,
    "{'method': 'moi', 'parameters': {'beta': 0.25, 'preset': 'paper'}",
  );
  const { text: whole, finishReason, mixing: { meanOffSampleMass } } = second;
  assertEquals(streamed, [whole, finishReason, meanOffSampleMass].join("|"));
  assertEquals(refused, "400 moi_bta");
});
