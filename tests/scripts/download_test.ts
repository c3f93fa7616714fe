import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { temporaryFolder } from "../_temporary.ts";
import { COMMIT, goldenFiles, startHub } from "../model/_hub.ts";
import { script } from "../_process.ts";

const envOf = (endpoint: string) => ({
  ...{ HF_ENDPOINT: endpoint, HF_TOKEN: "hf_x", HF_HUB_OFFLINE: "", TRANSFORMERS_OFFLINE: "" },
});
const FILES = await goldenFiles();

async function download(endpoint: string, ...args: string[]) {
  return await script("download", args, { env: envOf(endpoint) });
}

Deno.test("download --help prints its usage on stdout", async () => {
  const { code, stdout, stderr } = await download("", "--help");
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /usage: deno task download <org\/name>/);
});

Deno.test("download prints the folder on stdout and progress on stderr", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({ files: FILES });
  const folder = `${cache.path}/models--org--name/snapshots/${COMMIT}\n`;
  const args = ["org/name", "--cache-dir", cache.path];
  const first = await download(hub.endpoint, ...args);
  assertEquals([first.code, first.stdout], [0, folder], first.stderr);
  assertMatch(first.stderr, /download org\/name .*1 MB/);
  const count = hub.seen.length;
  for (const more of [["--offline"], ["--revision", COMMIT]]) {
    const again = await download(hub.endpoint, ...args, ...more);
    assertEquals([again.code, again.stdout, again.stderr], [0, folder, ""]);
  }
  assertEquals(hub.seen.length, count);
  const other = await download(hub.endpoint, ...args, "--file", "README.md,onnx/model.onnx");
  assertEquals([other.code, other.stdout], [0, folder], other.stderr);
  assertEquals(hub.seen.slice(count).map(({ what }) => what), [
    "list",
    "README.md",
    "onnx/model.onnx",
  ]);
});

const BAD: [args: string[], message: string][] = [
  [[], "one org/name must be given"],
  [["a/b", "c/d"], "one org/name must be given"],
  [["name"], "'id' must be 'org/name'"],
  [["a/b", "--revision", "a..b"], "'revision' must be the name of a branch"],
  [["a/b", "--file", "../x"], "'files' must be names of files"],
  [["a/b", "--file", "x", "--file=y"], "--file as it is given twice"],
  [["a/b", "--offline", "--cache-dir", "/nonexistent"], "config.json is missing"],
  [["a/b", "--no-such-option"], "--no-such-option"],
];
for (const [args, message] of BAD) {
  Deno.test(`download ${args.join(" ")} fails with one clear line`, async () => {
    const { code, stdout, stderr } = await download("http://127.0.0.1:1", ...args);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /^error: [^\n]*\n$/);
    assertStringIncludes(stderr, message);
  });
}

Deno.test("download reports a hub that refuses in its last line", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({ files: FILES, answer: () => new Response("", { status: 403 }) });
  const { code, stderr } = await download(hub.endpoint, "org/name", "--cache-dir", cache.path);
  assertEquals(code, 1);
  assertMatch(stderr, /^error: Cannot download org\/name as [^\n]*licence accepted at[^\n]*\n$/);
});

Deno.test({
  name: "download stops at Ctrl-C with exit code 130 and goes on at the next call",
  ignore: Deno.build.os === "windows",
  async fn() {
    await using cache = await temporaryFolder();
    await using hub = startHub({ files: FILES, slow: 50 });
    const { code, stdout, stderr } = await script("download", [
      "org/name",
      "--cache-dir",
      cache.path,
    ], {
      env: envOf(hub.endpoint),
      async meanwhile(child) {
        while ((hub.seen.at(-1)?.sent ?? 0) < 300_000) {
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
        child.kill("SIGINT");
      },
    });
    assertEquals([code, stdout], [130, ""]);
    assertStringIncludes(stderr, "goes on where it ended");
    const again = await download(hub.endpoint, "org/name", "--cache-dir", cache.path);
    assertEquals(again.code, 0, again.stderr);
    assertMatch(hub.seen.at(-1)!.range!, /^bytes=\d+-$/);
  },
});
