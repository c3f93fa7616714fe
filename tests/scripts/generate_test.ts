import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { generate, type Generation, moi } from "@moi/moi/decode";
import { loadModel, type Message } from "@moi/moi/model";
import { serve } from "@moi/moi/serve";
import manifest from "../../deno.json" with { type: "json" };
import { converse, type Partner } from "../../scripts/_conversation.ts";
import { script } from "../_process.ts";
import { root } from "../_repository.ts";
import { temporaryFolder } from "../_temporary.ts";

const PROMPT = "Using the numbers [12, 11, 8], create an equation that equals 36.";

/** Runs `generate` with these arguments and this text on stdin. */
const run = (args: readonly string[], stdin: string | Uint8Array = "") =>
  script("generate", args, { stdin });

Deno.test("generate answers the README's prompt to its end and says so", async () => {
  const { code, stdout, stderr } = await run(["--", PROMPT, "--beta", "1"]);
  assertEquals(code, 0);
  assertMatch(stderr, /^\[end of text after \d+ tokens\]\n$/);
  assertMatch(stdout, /<\/answer>\n$/);
});

Deno.test("generate reads the prompt from stdin, without the last line break", async () => {
  const options = ["--seed", "3", "--max-new-tokens", "12"];
  const given = await run(["--", PROMPT, ...options]);
  for (const end of ["", "\n", "\r\n"]) {
    const read = await run(["--", "-", ...options], PROMPT + end);
    assertEquals([read.code, read.stdout], [0, given.stdout], read.stderr);
  }
});

Deno.test("generate says in a line on stderr why it ended", async () => {
  const cut = await run(["--ids", "74", "--max-new-tokens", "1"]);
  assertEquals(cut.stderr, "[cut after 1 token, as --max-new-tokens is 1]\n");
  const full = await run(["--ids", "74 ".repeat(511).trim(), "--seed", "1", "--temperature", "5"]);
  assertMatch(
    full.stderr,
    /^\[(cut after 2 tokens, as the context of 512 is full|end of text after [12] tokens?)\]\n$/,
  );
});

Deno.test("generate --json prints what the library gives, and what it ran with", async () => {
  const options = ["--beta", "Infinity", "--seed", "3", "--temperature", "0.8"];
  const { code, stdout, stderr } = await run([PROMPT, "--json", ...options, "--trace"]);
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /^\[end of text after \d+ tokens\]\n$/);
  const { trace, timing, versions, ...told } = JSON.parse(stdout);

  await using model = await loadModel("countdown-tiny");
  const messages = [{ role: "user", content: PROMPT }], { fingerprint, maxLength } = model;
  const method = moi({ beta: Infinity }), seed = 3;
  const asked = { method, seed, temperature: 0.8, trace: true };
  const all = { ...asked, maxNewTokens: maxLength - told.promptTokens + 1 };
  const { trace: steps = [], timing: _, ...due } = await generate(model, messages, all);
  assertEquals(told, {
    ...{ model: `countdown-tiny@${fingerprint}`, device: "cpu", dtype: "fp32", method: "moi" },
    ...{ parameters: { name: "moi", beta: "Infinity", preset: "paper" }, seed, ...due },
  });
  assertEquals(trace.length, due.tokens.length);
  const { ids, weights } = steps[1]!.mixture;
  assertEquals(trace[1], {
    ...steps[1],
    mixture: { ids: Array.from(ids), weights: Array.from(weights) },
  });
  assertEquals(versions.moi, manifest.version);
  assert(timing.decodeMs > 0);
});

Deno.test("generate --system and --chat in a pipe: a line of JSON a turn, each turn with all before it", async () => {
  const limits = ["--max-new-tokens", "9"], system = ["--system", "1: a b a"];
  const args = ["--model", "votes-tiny", "--chat", "first", "--json", ...system, ...limits];
  const { code, stdout, stderr } = await run(args, "\n  \nsecond\r\nthird, \u2028 without an end");
  assertEquals(code, 0, stderr);
  const turns = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(stderr.trimEnd().split("\n").length, 3);

  await using model = await loadModel("votes-tiny");
  const said: Message[] = [{ role: "system", content: "1: a b a" }];
  const lines = ["first", "second", "third, \u2028 without an end"];
  assertEquals(turns.length, lines.length);
  for (const [seed, content] of lines.entries()) {
    said.push({ role: "user", content });
    const { text, tokens } = await generate(model, said, { seed, maxNewTokens: 9 });
    assertEquals([turns[seed].text, turns[seed].tokens, turns[seed].seed], [text, tokens, seed]);
    said.push({ role: "assistant", content: text });
  }
});

Deno.test("generate --chat ends with a clear line where the context is full, and where stdin is no UTF-8", async () => {
  const options = ["--model", "votes-tiny", "--chat", "--max-new-tokens", "4"];
  const full = await run(options, `${"a ".repeat(40)}\n`.repeat(8));
  assertEquals(full.code, 1);
  assertMatch(
    full.stderr,
    /\nerror: Cannot go on as the conversation has 2\d\d tokens, and .* 256/,
  );
  const bad = await run(options, Uint8Array.of(0x61, 0x0a, 0xff, 0x0a));
  assertMatch(bad.stderr, /^error: Cannot go on as stdin must be UTF-8\n$/m);
});

Deno.test("generate refuses messages where there is no template, or one that leaves the system message out", async () => {
  const embedded = new URL("lib/model/embedded/votes-tiny/", root);
  const config = JSON.parse(await Deno.readTextFile(new URL("tokenizer_config.json", embedded)));
  const deaf = "{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}";
  for (
    const [template, args, message] of [
      [undefined, [], "has no chat template: --raw continues a text as it is"],
      [undefined, ["--chat"], "has no chat template"],
      [deaf, ["--system", "x y"], "Cannot use --system as the template of "],
    ] as const
  ) {
    const { chat_template: _, ...rest } = config;
    const own = JSON.stringify({ ...rest, ...(template && { chat_template: template }) });
    await using folder = await temporaryFolder({ "tokenizer_config.json": own });
    for (const name of ["config.json", "tokenizer.json", "model.safetensors"]) {
      await Deno.copyFile(new URL(name, embedded), join(folder.path, name));
    }
    const { code, stdout, stderr } = await run(["a b", "--model", folder.path, ...args]);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, message);
  }
});

/** What a partner was told, and how the conversation ended. */
async function spoken(
  lines: AsyncIterator<string>,
  first: readonly Message[],
  answer: (told: readonly Message[], press: () => void) => Partial<Generation>,
  pressed: (press: () => void) => void = () => {},
) {
  const told: Message[][] = [];
  let current = new AbortController();
  const how = await converse(lines, first, {
    signal: () => (current = current.signal.aborted ? new AbortController() : current).signal,
    ready: () => pressed(() => current.abort()),
    answer: ((messages, turn, signal) => {
      assertEquals([turn, signal], [told.length, current.signal]);
      told.push([...messages]);
      return Promise.resolve(answer(messages, () => current.abort()));
    }) as Partner["answer"],
  });
  return { told: told.map((messages) => messages.map(({ content }) => content)), how };
}

Deno.test("an interrupt ends an answer, whose beginning stays; one while a line is waited for ends all", async () => {
  const said = (async function* () {
    yield* ["one", "two", "three"];
    await new Promise(() => {}); // nobody types any more
  })();
  let isWaiting = 0, isReturned = false;
  const lines: AsyncIterator<string> = {
    next: () => said.next(),
    return: () => Promise.resolve({ done: isReturned = true, value: undefined }),
  };
  const { told, how } = await spoken(lines, [], (messages, press) => {
    const n = messages.length;
    if (n > 1) press();
    return n === 1
      ? { text: "1", finishReason: "stop" }
      : { text: n === 3 ? "" : "2", finishReason: "aborted" };
  }, (press) => ++isWaiting === 4 && setTimeout(press));
  assertEquals(told, [["one"], ["one", "1", "two"], ["one", "1", "three"]]);
  assertEquals([how, isReturned, isWaiting], ["interrupted", true, 4]);
});

Deno.test("generate asks a server with --server, whole answers in place of streams", async () => {
  await using model = await loadModel("votes-tiny");
  await using server = serve(model, { port: 0 });
  const args = ["a b", "--seed", "5", "--beta", "0.5", "--max-new-tokens", "12"];
  const here = await run([...args, "--model", "votes-tiny"]);
  const there = await run([...args, "--server", server.url]);
  assertEquals([there.code, there.stdout], [0, here.stdout], there.stderr);
  assertMatch(there.stderr, /^\[(ended|cut) after \d+ tokens.*\]\n$/);
});

const BAD: readonly (readonly [args: string[], stdin: string | Uint8Array, message: string])[] = [
  [["-"], "", "stdin holds no prompt"],
  [["-"], "\n", "stdin holds no prompt"],
  [["-"], Uint8Array.of(0x61, 0xff), "the prompt from stdin must be UTF-8"],
  [["-", "more"], "a", "one prompt, in quotes, must be given"],
  [
    [PROMPT, "--chat-template-kwargs", "{"],
    "",
    "--chat-template-kwargs as it must be a JSON object: current value is {",
  ],
  [
    [PROMPT, "--chat-template-kwargs", "[1]"],
    "",
    "--chat-template-kwargs as it must be a JSON object",
  ],
  [
    [PROMPT, "--chat-template-kwargs", '{"enable_thinkin": 1}'],
    "",
    "does not read the variable 'enable_thinkin'",
  ],
  [
    [PROMPT, "--raw", "--chat-template-kwargs", "{}"],
    "",
    "Cannot use --chat-template-kwargs with --raw",
  ],
  [[PROMPT, "--raw", "--system", "x"], "", "Cannot use --system with --raw: that takes the prompt"],
  [["1 2", "--ids", "--chat"], "", "Cannot use --chat with --ids: that takes the prompt as it is"],
  [["1 2", "--ids", "--raw"], "", "Cannot use --raw with --ids: the prompt is either"],
  [["-", "--chat"], "a", "Cannot use - with --chat: stdin holds the turns"],
  [["a", "b", "--chat"], "", "one prompt, in quotes, must be given"],
  [[PROMPT, "--seed", "1", "--seed=2"], "", "Cannot use --seed as it is given twice"],
  [[PROMPT, "--system", ""], "", "Cannot use --system as it needs a value"],
  [[PROMPT, "--max-tokens", "2"], "", '(did you mean "--max-new-tokens"?)'],
  [[PROMPT, "--method", "softthinkng"], "", '(did you mean "softThinking"?)'],
  [[PROMPT, "--model", "votes-tny"], "", '(did you mean "votes-tiny"?)'],
  [[PROMPT, "--trace", "--server", "http://127.0.0.1:9"], "", "a server does not tell what is"],
];
for (const [args, stdin, message] of BAD) {
  Deno.test(`generate ${args.map((arg) => arg.slice(0, 30)).join(" ")} fails: ${message}`, async () => {
    const { code, stdout, stderr } = await run(args, stdin);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, message);
  });
}
