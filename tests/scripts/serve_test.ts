/** `deno task serve` as a process, with the permissions of its task. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import { freePort } from "../_port.ts";
import { deno, type ProcessOptions, script } from "../_process.ts";

/** Serves votes-tiny; `use` is called once it answers. */
function serving(
  args: readonly string[],
  use: (url: string, child: Deno.ChildProcess) => Promise<void>,
  options: ProcessOptions = {},
) {
  const port = freePort(), url = `http://127.0.0.1:${port}`;
  const [, ...command] = manifest.tasks.serve.command.split(" ");
  const model = args.includes("--model") ? [] : ["--model", "votes-tiny"];
  const own = [...command, ...model, "--port", `${port}`, ...args];
  return deno(own, {
    ...options,
    async meanwhile(child) {
      for (let tries = 0;; tries++) {
        try {
          assertEquals(await (await fetch(`${url}/health`)).json(), { status: "ok" });
          break;
        } catch (error) {
          if (tries === 300 || !(error instanceof TypeError)) throw error;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }
      await use(url, child);
    },
  });
}

const ask = (url: string, body: object, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/completions`, {
    ...{ method: "POST", headers: { "content-type": "application/json", ...headers } },
    body: JSON.stringify({ prompt: [1], seed: 1, ...body }),
  });

Deno.test("serve answers with β, and ends with Ctrl-C when what runs is done", async () => {
  const { code, stdout, stderr } = await serving([], async (url, child) => {
    const mixed = await (await ask(url, { vllm_xargs: { moi_beta: 0.25 } })).json();
    const plain = await (await ask(url, {})).json();
    assert(mixed.choices[0].text !== plain.choices[0].text);
    assertEquals(mixed.choices[0].moi.parameters.beta, 0.25);
    const whole = { max_tokens: 255, ignore_eos: true, stream: true };
    const streamed = await ask(url, whole);
    child.kill("SIGINT");
    assertMatch(await streamed.text(), /data: \[DONE\]\n\n$/);
  });
  assertEquals([code, stdout], [0, ""], stderr);
  assertMatch(
    stderr,
    /^serving votes-tiny \(fp32 on cpu\) at http:\/\/127\.0\.0\.1:\d+\/v1\ncurl /,
  );
  assertMatch(stderr, /\nends when what runs is done; press again to end at once\n$/);
});

Deno.test("serve ends at once with a second Ctrl-C", async () => {
  const model = ["--model", "countdown-tiny"]; // whose texts take longer than two presses
  const { code, signal } = await serving(model, async (url, child) => {
    const answers = Array.from({ length: 64 }, (_, seed) => {
      const body = { seed, max_tokens: 511, ignore_eos: true };
      return ask(url, body).then((one) => one.text()).catch((error) => error);
    });
    while (!(await (await fetch(`${url}/metrics`)).text()).includes("\nmoi_running 64\n"));
    child.kill("SIGINT");
    await new Promise((resolve) => setTimeout(resolve, 300));
    assertEquals((await fetch(`${url}/health`)).status, 503);
    child.kill("SIGINT");
    assert((await Promise.all(answers)).every((one) => one instanceof TypeError));
  });
  assertEquals([code, signal], [130, "SIGINT"]);
});

Deno.test("serve's key comes from the environment, and is not shown", async () => {
  const key = "sesame-open", env = { MOI_SERVER_KEY: key };
  const { code, stderr } = await serving([], async (url, child) => {
    assertEquals((await ask(url, {})).status, 401);
    const headers = { authorization: `Bearer ${key}` };
    assertEquals((await ask(url, {}, headers)).status, 200);
    child.kill("SIGTERM");
  }, { env });
  assertEquals(code, 0, stderr);
  assert(!stderr.includes(key) && stderr.includes("authorization: Bearer KEY"), stderr);
});

for (
  const [args, message] of [
    [["words"], '"words" as it is no option'],
    [["--host", "0.0.0.0"], "unless there is a key"],
    [["--context", "1000"], "'length' must be"],
    [["--slots", "0"], "'slots' must be"],
    [["--key", "abc"], "'key' must be at least 8"],
  ] as const
) {
  Deno.test(`serve ${args.join(" ")} fails: ${message}`, async () => {
    const own = ["--model", "votes-tiny", "--port", "0", ...args];
    const { code, stdout, stderr } = await script("serve", own);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /^error: [^\n]*\n$/);
    assert(stderr.includes(message), stderr);
  });
}
