import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { script } from "../_process.ts";

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

const BAD: readonly (readonly [args: string[], stdin: string | Uint8Array, message: string])[] = [
  [["-"], "", "stdin holds no prompt"],
  [["-"], "\n", "stdin holds no prompt"],
  [["-"], Uint8Array.of(0x61, 0xff), "the prompt from stdin must be UTF-8"],
  [["-", "more"], "a", "one prompt, in quotes, must be given"],
  [[PROMPT, "--chat", "{"], "", "--chat as it must be a JSON object: current value is {"],
  [[PROMPT, "--chat", "[1]"], "", "--chat as it must be a JSON object"],
  [[PROMPT, "--chat", '{"enable_thinkin": 1}'], "", "does not read the variable 'enable_thinkin'"],
  [[PROMPT, "--raw", "--chat", "{}"], "", "'chat' must be left out"],
];
for (const [args, stdin, message] of BAD) {
  Deno.test(`generate ${args.map((arg) => arg.slice(0, 30)).join(" ")} fails: ${message}`, async () => {
    const { code, stdout, stderr } = await run(args, stdin);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, message);
  });
}
