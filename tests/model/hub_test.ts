import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { type DownloadOptions, forward, loadModel, type Progress } from "@moi/moi/model";
import { downloadModelBy } from "../../lib/model/download.ts";
import { hubCacheDir } from "../../lib/model/_hub_settings.ts";
import { CLOCK, type Clock } from "../../lib/model/_hub_request.ts";
import { fileURLToPath } from "node:url";
import { maxDifference, QWEN3 } from "../golden/golden.ts";
import { temporaryFolder } from "../_temporary.ts";
import {
  blobOf,
  COMMIT,
  fileResponse,
  gitSha1,
  goldenFiles,
  pathsBelow,
  sha256,
  startHub,
  streamOf,
} from "./_hub.ts";

const ID = "org/name", ROOT = "models--org--name";
const NEEDED = ["config.json", "generation_config.json", "model.safetensors"];
const ABSENT = [
  "chat_template.jinja",
  "special_tokens_map.json",
  "tokenizer.json",
  "tokenizer_config.json",
];
const OTHER = "f".repeat(40);

const FILES = await goldenFiles();
const WEIGHTS = FILES["model.safetensors"] as Uint8Array<ArrayBuffer>;
const WEIGHTS_BLOB = sha256(WEIGHTS);

type TestOptions = DownloadOptions & Partial<Clock>;

/** `downloadModel()` in a time of the test's own. */
function downloadModel(id: string, given: TestOptions = {}): Promise<string> {
  const { sleep = CLOCK.sleep, now = CLOCK.now, ...options } = given;
  return downloadModelBy({ sleep, now }, id, options);
}

/** Options that never wait and know no token; waits are written down. */
function quick(cacheDir: string, endpoint: string) {
  const waits: number[] = [], progress: Progress[] = [];
  const options: TestOptions = {
    cacheDir,
    endpoint,
    token: "",
    offline: false,
    sleep(ms) {
      waits.push(ms);
      return Promise.resolve();
    },
    onProgress: (p) => progress.push(p),
  };
  return { options, waits, progress };
}

/** Sets variables for the time of a test. */
function environment(values: Record<string, string>): Disposable {
  const before = Object.keys(values).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(values)) Deno.env.set(name, value);
  return {
    [Symbol.dispose]() {
      for (const [name, value] of before) {
        if (value === undefined) Deno.env.delete(name);
        else Deno.env.set(name, value);
      }
    },
  };
}

/** Puts files into a cache as huggingface_hub does. */
async function cacheByHand(
  cacheDir: string,
  files: Readonly<Record<string, Uint8Array<ArrayBuffer> | string>>,
  revision = "main",
): Promise<string> {
  const root = `${cacheDir}/${ROOT}`, snapshot = `${root}/snapshots/${COMMIT}`;
  for (const folder of [`${root}/blobs`, `${root}/refs`, snapshot]) {
    await Deno.mkdir(folder, { recursive: true });
  }
  for (const [name, content] of Object.entries(files)) {
    const blob = blobOf(name, content);
    await Deno.writeFile(
      `${root}/blobs/${blob}`,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
    await Deno.symlink(`../../blobs/${blob}`, `${snapshot}/${name}`);
  }
  await Deno.writeTextFile(`${root}/refs/${revision}`, COMMIT);
  return snapshot;
}

Deno.test("downloadModel() fetches what is needed, once, into the shared layout", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({ files: FILES });
  const { options, progress } = quick(cache.path, hub.endpoint);
  const folder = await downloadModel(ID, options);
  assertEquals(folder, `${cache.path}/${ROOT}/snapshots/${COMMIT}`);
  assertEquals(hub.seen.map(({ what }) => what), ["list", ...NEEDED]);
  assert(hub.seen.every(({ method, range }) => method === "GET" && range === null));
  assert(hub.seen.slice(1).every(({ path }) => path.startsWith(`/${ID}/resolve/${COMMIT}/`)));
  assertEquals(
    await pathsBelow(`${cache.path}/${ROOT}`),
    [
      ...ABSENT.map((name) => `.no_exist/${COMMIT}/${name}`),
      ...NEEDED.map((name) => `blobs/${blobOf(name, FILES[name]!)}`),
      "refs/main",
      ...NEEDED.map((name) => `snapshots/${COMMIT}/${name}`),
    ].sort(),
  );
  for (const name of NEEDED) {
    assertEquals(await Deno.readFile(`${folder}/${name}`), FILES[name]);
    if (Deno.build.os !== "windows") {
      const target = `../../blobs/${blobOf(name, FILES[name]!)}`;
      assertEquals(await Deno.readLink(`${folder}/${name}`), target);
    }
  }
  assertEquals(await Deno.readTextFile(`${cache.path}/${ROOT}/refs/main`), COMMIT);
  const total = NEEDED.reduce((sum, name) => sum + FILES[name]!.length, 0);
  assertEquals(progress.at(-1), { label: `download ${ID}`, done: total, total });
  progress.forEach((p, i) => assert(p.total === total && p.done >= (progress[i - 1]?.done ?? 0)));
});

Deno.test("a downloaded model is the one on disk", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({ files: FILES });
  const folder = await downloadModel(ID, quick(cache.path, hub.endpoint).options);
  await using fetched = await loadModel(folder);
  await using golden = await loadModel(QWEN3);
  assertEquals(fetched.fingerprint, golden.fingerprint);
  const [a, b] = [await forward(fetched, [1, 2]), await forward(golden, [1, 2])];
  assertEquals(maxDifference(a[1]!, b[1]!), 0);
});

Deno.test("a branch asks once more for its commit, a complete commit asks nothing", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({ files: FILES });
  const { options } = quick(cache.path, hub.endpoint);
  const folder = await downloadModel(ID, options);
  hub.seen.length = 0;
  assertEquals(await downloadModel(ID, options), folder);
  assertEquals(hub.seen.map(({ path }) => path), [`/api/models/${ID}/revision/main`]);
  hub.seen.length = 0;
  assertEquals(await downloadModel(ID, { ...options, revision: COMMIT }), folder);
  assertEquals(hub.seen, []);
});

Deno.test("a branch that moved shares the bytes that did not change", async () => {
  await using cache = await temporaryFolder();
  {
    await using hub = startHub({ files: FILES, commit: OTHER });
    await downloadModel(ID, quick(cache.path, hub.endpoint).options);
  }
  const changed = { ...FILES, "generation_config.json": "{}" };
  await using hub = startHub({ files: changed });
  const folder = await downloadModel(ID, quick(cache.path, hub.endpoint).options);
  assertEquals(hub.seen.map(({ what }) => what), ["list", "generation_config.json"]);
  assertEquals(await Deno.readTextFile(`${folder}/generation_config.json`), "{}");
  assertEquals(await Deno.readTextFile(`${cache.path}/${ROOT}/refs/main`), COMMIT);
});

Deno.test("a revision may be a branch with slashes, and is stored under its name", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({ files: FILES });
  const { options } = quick(cache.path, hub.endpoint);
  await downloadModel(ID, { ...options, revision: "refs/pr/1" });
  assertEquals(hub.seen[0]!.path, `/api/models/${ID}/revision/refs/pr/1`);
  assertEquals(await Deno.readTextFile(`${cache.path}/${ROOT}/refs/refs/pr/1`), COMMIT);
});

Deno.test("a pinned commit is refused where the hub answers with another", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({ files: FILES });
  const { options } = quick(cache.path, hub.endpoint);
  await assertRejects(
    () => downloadModel(ID, { ...options, revision: OTHER }),
    SyntaxError,
    `is about another commit, ${COMMIT}`,
  );
  assertEquals(await pathsBelow(cache.path), []);
});

Deno.test("downloadModel() fetches the shards that the index names", async () => {
  await using cache = await temporaryFolder();
  const { "model.safetensors": _, ...rest } = FILES;
  const shard = (n: number) => `model-0000${n}-of-00002.safetensors`;
  const files = {
    ...rest,
    "model.safetensors.index.json": JSON.stringify({
      weight_map: { b: shard(2), a: shard(1), c: shard(2) },
    }),
    [shard(1)]: new Uint8Array(100).fill(1),
    [shard(2)]: new Uint8Array(200).fill(2),
    "consolidated.safetensors": new Uint8Array(300),
  };
  await using hub = startHub({ files });
  const { options, progress } = quick(cache.path, hub.endpoint);
  const folder = await downloadModel(ID, options);
  assertEquals(hub.seen.map(({ what }) => what), [
    "list",
    "model.safetensors.index.json",
    "config.json",
    "generation_config.json",
    shard(1),
    shard(2),
  ]);
  assertEquals(await Deno.readFile(`${folder}/${shard(2)}`), files[shard(2)]);
  assertEquals(progress.at(-1)!.done, progress.at(-1)!.total);

  hub.seen.length = 0;
  await Deno.remove(`${folder}/${shard(2)}`);
  const offline = { ...options, offline: true };
  await assertRejects(() => downloadModel(ID, offline), Deno.errors.NotFound, shard(2));
  assertEquals(hub.seen, []);
  await downloadModel(ID, { ...options, revision: COMMIT }); // the bytes are still there
  assertEquals(hub.seen.map(({ what }) => what), ["list"]);
  await downloadModel(ID, offline);
});

Deno.test("downloadModel() prefers the one file to the index", async () => {
  await using cache = await temporaryFolder();
  const files = { ...FILES, "model.safetensors.index.json": '{"weight_map":{"a":"x"}}' };
  await using hub = startHub({ files });
  await downloadModel(ID, quick(cache.path, hub.endpoint).options);
  assertEquals(hub.seen.map(({ what }) => what), ["list", ...NEEDED]);
});

Deno.test("downloadModel() takes the exact names of other files", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({ files: FILES });
  const { options } = quick(cache.path, hub.endpoint);
  const files = ["onnx/model.onnx", "config.json", "config.json"];
  const folder = await downloadModel(ID, { ...options, files });
  assertEquals(hub.seen.map(({ what }) => what), ["list", "onnx/model.onnx", "config.json"]);
  assertEquals(await Deno.readFile(`${folder}/onnx/model.onnx`), FILES["onnx/model.onnx"]);
  await downloadModel(ID, { ...options, files, offline: true });
  await assertRejects(
    () => downloadModel(ID, { ...options, files: ["no.json"] }),
    Deno.errors.NotFound,
    "the repository has no file no.json",
  );
  await assertRejects(
    () => downloadModel(ID, { ...options, files: ["pytorch_model.bin"], offline: true }),
    Deno.errors.NotFound,
    "pytorch_model.bin is missing",
  );
});

Deno.test("a repository without safetensors and ONNX export is refused with what it has", async () => {
  await using cache = await temporaryFolder();
  const { "model.safetensors": _, "onnx/model.onnx": __, ...files } = FILES;
  await using hub = startHub({ files });
  const { options } = quick(cache.path, hub.endpoint);
  await assertRejects(
    () => downloadModel(ID, options),
    Deno.errors.NotFound,
    "no model.safetensors, model.safetensors.index.json or ONNX export; it has pytorch_model",
  );
  assertEquals(hub.seen.length, 1);
});

Deno.test("a cut transfer is resumed, and no byte is asked for twice", async () => {
  await using cache = await temporaryFolder();
  let cuts = 0;
  await using hub = startHub({
    files: FILES,
    answer: (seen) =>
      seen.what === "model.safetensors" && cuts++ < 3
        ? fileResponse(seen, WEIGHTS, 0, 200_000)
        : undefined,
  });
  const { options, waits, progress } = quick(cache.path, hub.endpoint);
  const folder = await downloadModel(ID, options);
  assertEquals(await Deno.readFile(`${folder}/model.safetensors`), WEIGHTS);
  const ranges = hub.seen.filter(({ what }) => what === "model.safetensors").map((s) => s.range);
  // What had been sent when the connection broke may be lost on the way, but is then asked for.
  assertEquals(ranges.length, 4);
  assertEquals(ranges[0], null);
  let before = 0;
  for (const range of ranges.slice(1)) {
    const from = Number(/^bytes=(\d+)-$/.exec(range!)![1]);
    assert(from >= before && from <= before + 200_000, range!);
    before = from;
  }
  assert(before > 0);
  assertEquals(waits, [1000, 2000, 4000]);
  assert(progress.some(({ note }) => note?.includes("retry in 1 s")));
});

Deno.test("a transfer that was ended goes on at the next call", async () => {
  await using cache = await temporaryFolder();
  const controller = new AbortController();
  await using hub = startHub({ files: FILES, slow: 5 });
  const { options } = quick(cache.path, hub.endpoint);
  await assertRejects(
    () =>
      downloadModel(ID, {
        ...options,
        signal: controller.signal,
        onProgress: ({ done }) => done > 500_000 && controller.abort(new Error("enough")),
      }),
    Error,
    "enough",
  );
  const left = await pathsBelow(`${cache.path}/${ROOT}/blobs`);
  const part = `${WEIGHTS_BLOB}.incomplete`;
  assertEquals(left.filter((name) => name.startsWith(WEIGHTS_BLOB)), [part]);
  const { size } = await Deno.stat(`${cache.path}/${ROOT}/blobs/${part}`);
  assert(size > 400_000 && size < WEIGHTS.length);
  const links = await pathsBelow(`${cache.path}/${ROOT}/snapshots`);
  assert(!links.some((path) => path.includes("model.safetensors")));
  await assertRejects(() => Deno.stat(`${cache.path}/${ROOT}/refs/main`), Deno.errors.NotFound);

  hub.seen.length = 0;
  await downloadModel(ID, options);
  assertEquals(hub.seen.map(({ what, range }) => [what, range]), [
    ["list", null],
    ["model.safetensors", `bytes=${size}-`],
  ]);
  assertEquals(hub.seen[1]!.sent, WEIGHTS.length - size);
});

Deno.test("a signal that is aborted before makes no request", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({ files: FILES });
  const { options } = quick(cache.path, hub.endpoint);
  const signal = AbortSignal.abort(new Error("never"));
  await assertRejects(() => downloadModel(ID, { ...options, signal }), Error, "never");
  assertEquals(hub.seen, []);
});

Deno.test("whole bytes that were left unfinished are checked without a request", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({ files: FILES });
  const blobs = `${cache.path}/${ROOT}/blobs`;
  await Deno.mkdir(blobs, { recursive: true });
  await Deno.writeFile(`${blobs}/${WEIGHTS_BLOB}.incomplete`, WEIGHTS);
  await downloadModel(ID, quick(cache.path, hub.endpoint).options);
  assertEquals(hub.seen.map(({ what }) => what), ["list", "config.json", "generation_config.json"]);
});

Deno.test("an unfinished file of other bytes, or too many, does no harm", async () => {
  for (const size of [1000, WEIGHTS.length, WEIGHTS.length + 5]) {
    await using cache = await temporaryFolder();
    await using hub = startHub({ files: FILES });
    const blobs = `${cache.path}/${ROOT}/blobs`;
    await Deno.mkdir(blobs, { recursive: true });
    await Deno.writeFile(`${blobs}/${WEIGHTS_BLOB}.incomplete`, new Uint8Array(size));
    const folder = await downloadModel(ID, quick(cache.path, hub.endpoint).options);
    assertEquals(await Deno.readFile(`${folder}/model.safetensors`), WEIGHTS);
  }
});

Deno.test("a hub without ranges sends the whole again", async () => {
  await using cache = await temporaryFolder();
  let cut = true;
  await using hub = startHub({
    files: FILES,
    answer(seen) {
      if (seen.what !== "model.safetensors") return;
      const whole = { ...seen, range: null };
      const response = fileResponse(whole, WEIGHTS, 0, cut ? 300_000 : Infinity);
      cut = false;
      return response;
    },
  });
  const folder = await downloadModel(ID, quick(cache.path, hub.endpoint).options);
  assertEquals(await Deno.readFile(`${folder}/model.safetensors`), WEIGHTS);
});

Deno.test("another range than the one asked for is not taken", async () => {
  await using cache = await temporaryFolder();
  let count = 0;
  await using hub = startHub({
    files: FILES,
    answer(seen) {
      if (seen.what !== "model.safetensors") return;
      if (count++ === 0) return fileResponse(seen, WEIGHTS, 0, 300_000);
      if (count > 2) return;
      return new Response(WEIGHTS.subarray(7), {
        status: 206,
        headers: { "content-range": `bytes 7-${WEIGHTS.length - 1}/${WEIGHTS.length}` },
      });
    },
  });
  const folder = await downloadModel(ID, quick(cache.path, hub.endpoint).options);
  assertEquals(await Deno.readFile(`${folder}/model.safetensors`), WEIGHTS);
});

for (const name of ["config.json", "model.safetensors"]) {
  const right = FILES[name] as Uint8Array<ArrayBuffer>, flipped = right.slice();
  flipped[100]! ^= 1;

  Deno.test(`wrong bytes of ${name} are fetched once more`, async () => {
    await using cache = await temporaryFolder();
    let wrong = true;
    await using hub = startHub({
      files: FILES,
      answer(seen) {
        if (seen.what !== name || !wrong) return;
        wrong = false;
        return fileResponse(seen, flipped);
      },
    });
    const folder = await downloadModel(ID, quick(cache.path, hub.endpoint).options);
    assertEquals(await Deno.readFile(`${folder}/${name}`), right);
    assertEquals(hub.seen.filter(({ what }) => what === name).map((s) => s.range), [null, null]);
  });

  Deno.test(`wrong bytes of ${name} twice are refused, and none are kept`, async () => {
    await using cache = await temporaryFolder();
    await using hub = startHub({
      files: FILES,
      answer: (seen) => seen.what === name ? fileResponse(seen, flipped) : undefined,
    });
    const hash = name === "config.json" ? gitSha1 : sha256;
    const { message } = await assertRejects(
      () => downloadModel(ID, quick(cache.path, hub.endpoint).options),
      Error,
    );
    for (const part of [name, hash(right), hash(flipped)]) assertStringIncludes(message, part);
    assertEquals(hub.seen.filter(({ what }) => what === name).length, 2);
    const blobs = await pathsBelow(`${cache.path}/${ROOT}/blobs`);
    assert(!blobs.some((blob) => blob.startsWith(hash(right))));
  });
}

Deno.test("a wrong size is refused, however the hub tells it", async () => {
  const short = WEIGHTS.slice(0, -8), long = new Uint8Array(WEIGHTS.length + 8);
  const bodies: [string, () => Response, string][] = [
    ["short", () => new Response(short), `${short.length}`],
    ["long", () => new Response(long), `${long.length}`],
    ["long without its length", () => new Response(streamOf(long)), "more"],
  ];
  for (const [_, body, got] of bodies) {
    await using cache = await temporaryFolder();
    await using hub = startHub({
      files: FILES,
      answer: ({ what }) => what === "model.safetensors" ? body() : undefined,
    });
    await assertRejects(
      () => downloadModel(ID, quick(cache.path, hub.endpoint).options),
      Error,
      `model.safetensors must have ${WEIGHTS.length} bytes: got ${got}`,
    );
    assertEquals(hub.seen.filter(({ what }) => what === "model.safetensors").length, 2);
    assertEquals((await pathsBelow(`${cache.path}/${ROOT}/blobs`)).length, 2);
  }
});

Deno.test("a file that never arrives whole fails after all retries", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({
    files: FILES,
    answer: (seen) =>
      // one chunk, then nothing more
      seen.what === "model.safetensors" ? fileResponse(seen, WEIGHTS, 0, 0) : undefined,
  });
  const { options, waits } = quick(cache.path, hub.endpoint);
  await assertRejects(
    () => downloadModel(ID, { ...options, retries: 3 }),
    Error,
    "Cannot download",
  );
  assertEquals(waits, [1000, 2000, 4000]);
  assertEquals(hub.seen.filter(({ what }) => what === "model.safetensors").length, 4);
});

Deno.test("a connection on which nothing arrives counts as cut", async () => {
  await using cache = await temporaryFolder();
  let stalls = 1;
  const release = Promise.withResolvers<void>();
  await using hub = startHub({
    files: FILES,
    answer(seen) {
      if (seen.what !== "model.safetensors" || stalls-- <= 0) return;
      let sent = false;
      const body = new ReadableStream({
        async pull(controller) {
          if (sent) {
            await release.promise;
            return controller.close();
          }
          sent = true;
          controller.enqueue(WEIGHTS.subarray(0, 100_000));
        },
      }, { highWaterMark: 0 });
      return new Response(body);
    },
  });
  const { options, progress } = quick(cache.path, hub.endpoint);
  await downloadModel(ID, { ...options, timeout: 300 });
  release.resolve();
  assert(progress.some(({ note }) => note?.includes("nothing arrived for 0.3 s")));
  assertEquals(hub.seen.at(-1)!.range, "bytes=100000-");
});

Deno.test("401 says that a token is needed, 403 that the licence is", async () => {
  const cases: [number, Record<string, string>, string, string][] = [
    [401, {}, "", "no such public model; a private or gated one needs a token (HF_TOKEN)"],
    [401, {}, "hf_x", "a token that has access (the one given has not)"],
    [401, { "x-error-code": "GatedRepo" }, "", "needs a token, and its licence accepted at"],
    [403, {}, "hf_x", "its licence accepted at"],
  ];
  for (const what of ["list", "config.json"]) {
    for (const [status, headers, token, message] of cases) {
      await using cache = await temporaryFolder();
      await using hub = startHub({
        files: FILES,
        answer: (seen) => seen.what === what ? new Response("", { status, headers }) : undefined,
      });
      const { options } = quick(cache.path, hub.endpoint);
      const error = await assertRejects(
        () => downloadModel(ID, { ...options, token }),
        Deno.errors.PermissionDenied,
        message,
      );
      assertStringIncludes(error.message, `${hub.endpoint}/${ID}`);
      assert(!error.message.includes("hf_x"));
      assertEquals(hub.seen.length, what === "list" ? 1 : 2);
    }
  }
});

Deno.test("404 names the model and the revision, without a retry", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({
    files: FILES,
    answer: () =>
      new Response("", { status: 404, headers: { "x-error-message": "Invalid rev\tid" } }),
  });
  const { options } = quick(cache.path, hub.endpoint);
  await assertRejects(
    () => downloadModel(ID, { ...options, revision: "v9" }),
    Deno.errors.NotFound,
    "answered 404 (Invalid rev id): no such model, or no revision 'v9'",
  );
  assertEquals(hub.seen.length, 1);
});

Deno.test("429 and 503 are asked again when the hub says so", async () => {
  const now = Date.parse("Wed, 21 Oct 2026 07:28:00 GMT");
  const cases: [number, Record<string, string>, number][] = [
    [429, { "retry-after": "7" }, 7000],
    [503, { "retry-after": "Wed, 21 Oct 2026 07:28:12 GMT" }, 12_000],
    [429, { "ratelimit": '"resolvers";r=0;t=55' }, 55_000],
    [429, {}, 1000],
    [500, {}, 1000],
  ];
  for (const what of ["list", "config.json"]) {
    for (const [status, headers, wait] of cases) {
      await using cache = await temporaryFolder();
      let busy = true;
      await using hub = startHub({
        files: FILES,
        answer(seen) {
          if (!busy || seen.what !== what) return;
          busy = false;
          return new Response("", { status, headers });
        },
      });
      const { options, waits } = quick(cache.path, hub.endpoint);
      await downloadModel(ID, { ...options, now: () => now });
      assertEquals(waits, [wait]);
    }
  }
});

Deno.test("a hub that asks to wait for hours is not waited for", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({
    files: FILES,
    answer: () => new Response("", { status: 429, headers: { "retry-after": "7200" } }),
  });
  const { options, waits } = quick(cache.path, hub.endpoint);
  const { message } = await assertRejects(() => downloadModel(ID, options), Error);
  assertStringIncludes(message, "answered 429, to be asked again in 7200 s");
  assertEquals([waits, hub.seen.length], [[], 1]);
});

Deno.test("errors of the hub that last are reported after the retries", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({ files: FILES, answer: () => new Response("", { status: 502 }) });
  const { options, waits } = quick(cache.path, hub.endpoint);
  await assertRejects(() => downloadModel(ID, options), Error, "answered 502");
  assertEquals(waits, [1000, 2000]);
});

Deno.test("redirects are followed, and another host does not get the token", async () => {
  await using cache = await temporaryFolder();
  await using cdn = startHub({
    files: {},
    answer: (seen) => fileResponse(seen, WEIGHTS),
  });
  let cut = true;
  await using hub = startHub({
    files: FILES,
    answer(seen) {
      if (seen.what === "config.json" && !seen.path.startsWith("/moved")) {
        return new Response("", { status: 307, headers: { location: `/moved${seen.path}` } });
      }
      if (seen.path.startsWith("/moved")) {
        return new Response(FILES["config.json"]);
      }
      if (seen.what !== "model.safetensors") return;
      if (cut) {
        cut = false;
        return fileResponse(seen, WEIGHTS, 0, 100_000);
      }
      return new Response("", { status: 302, headers: { location: `${cdn.endpoint}/signed?x=1` } });
    },
  });
  const { options } = quick(cache.path, hub.endpoint);
  const folder = await downloadModel(ID, { ...options, token: "hf_secret" });
  assertEquals(await Deno.readFile(`${folder}/model.safetensors`), WEIGHTS);
  assert(hub.seen.every(({ authorization }) => authorization === "Bearer hf_secret"));
  assertEquals(hub.seen.filter(({ path }) => path.startsWith("/moved")).length, 1);
  assertEquals(cdn.seen.map(({ authorization }) => authorization), [null]);
  assertMatch(cdn.seen[0]!.range!, /^bytes=\d+-$/);
});

Deno.test("redirects to files, in circles and to nowhere are refused", async () => {
  const places = ["file:///etc/passwd", "data:,x", "http://", "loop"];
  for (const place of places) {
    await using cache = await temporaryFolder();
    await using hub = startHub({
      files: FILES,
      answer: ({ path }) =>
        new Response("", {
          status: 302,
          headers: { location: place === "loop" ? path : place },
        }),
    });
    await assertRejects(
      () => downloadModel(ID, quick(cache.path, hub.endpoint).options),
      Error,
      "redirects",
    );
    assert(hub.seen.length <= 11);
  }
});

Deno.test("a signed link that has run out is asked for anew", async () => {
  await using cache = await temporaryFolder();
  let denied = 1;
  await using cdn = startHub({
    files: {},
    answer: (seen) =>
      denied-- > 0 ? new Response("", { status: 403 }) : fileResponse(seen, WEIGHTS),
  });
  await using hub = startHub({
    files: FILES,
    answer: ({ what }) =>
      what === "model.safetensors"
        ? new Response("", { status: 302, headers: { location: cdn.endpoint } })
        : undefined,
  });
  await downloadModel(ID, quick(cache.path, hub.endpoint).options);
  assertEquals(cdn.seen.length, 2);
});

Deno.test("the token comes from option, variable and file, in this order", async () => {
  await using home = await temporaryFolder({ token: "hf_file\n", other: "hf_other" });
  await using hub = startHub({ files: FILES });
  const sent = async (variables: Record<string, string>, token?: string) => {
    using _ = environment({
      HF_HOME: home.path,
      HF_TOKEN: "",
      HUGGING_FACE_HUB_TOKEN: "",
      HF_TOKEN_PATH: "",
      HF_HUB_DISABLE_IMPLICIT_TOKEN: "",
      HF_ENDPOINT: `${hub.endpoint}/`,
      ...variables,
    });
    await downloadModel(ID, {
      ...{ cacheDir: `${home.path}/hub`, files: ["config.json"] },
      ...(token === undefined ? {} : { token }),
    });
    return hub.seen.at(-1)!.authorization;
  };
  assertEquals(await sent({}), "Bearer hf_file");
  assertEquals(await sent({ HF_TOKEN_PATH: `${home.path}/other` }), "Bearer hf_other");
  assertEquals(await sent({ HF_TOKEN: " hf_variable\n" }), "Bearer hf_variable");
  assertEquals(await sent({ HF_TOKEN: "hf_variable" }, "hf_option"), "Bearer hf_option");
  assertEquals(await sent({ HF_TOKEN: "hf_variable" }, ""), null);
  assertEquals(await sent({ HF_TOKEN: "a", HF_HUB_DISABLE_IMPLICIT_TOKEN: "1" }), null);
  assertEquals(await sent({ HF_HUB_DISABLE_IMPLICIT_TOKEN: "1" }, "b"), "Bearer b");
  const { message } = await assertRejects(() => sent({}, "hf_sécret"), RangeError, "'token'");
  assert(!message.includes("sécret"));
});

Deno.test("hubCacheDir() follows the variables", () => {
  using _ = environment({
    ...{ HOME: "/home/a", USERPROFILE: "/home/a", XDG_CACHE_HOME: "", HF_HOME: "" },
    ...{ HF_HUB_CACHE: "", HUGGINGFACE_HUB_CACHE: "" },
  });
  const plain = () => hubCacheDir().replaceAll("\\", "/");
  assertEquals(plain(), "/home/a/.cache/huggingface/hub");
  Deno.env.set("XDG_CACHE_HOME", "/caches");
  assertEquals(plain(), "/caches/huggingface/hub");
  Deno.env.set("HF_HOME", "~/hf");
  assertEquals(plain(), "/home/a/hf/hub");
  Deno.env.set("HUGGINGFACE_HUB_CACHE", "/old");
  assertEquals(plain(), "/old");
  Deno.env.set("HF_HUB_CACHE", "/new");
  assertEquals(plain(), "/new");
});

Deno.test("offline makes no request and says which file is missing", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({ files: FILES });
  const { options } = quick(cache.path, hub.endpoint);
  const offline = { ...options, offline: true };
  await assertRejects(
    () => downloadModel(ID, offline),
    Deno.errors.NotFound,
    `Cannot download ${ID} offline as revision 'main' of it is not in ${cache.path}: config.json`,
  );
  for (const name of ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"]) {
    using _ = environment({ [name]: "true" });
    const { offline: _off, ...rest } = options;
    await assertRejects(() => downloadModel(ID, rest), Deno.errors.NotFound, "offline");
  }
  assertEquals(hub.seen, []);

  const folder = await downloadModel(ID, options);
  hub.seen.length = 0;
  assertEquals(await downloadModel(ID, offline), folder);
  await assertRejects(
    () => downloadModel(ID, { ...offline, revision: "v2" }),
    Deno.errors.NotFound,
    "revision 'v2'",
  );
  await Deno.remove(`${folder}/model.safetensors`);
  await assertRejects(
    () => downloadModel(ID, offline),
    Deno.errors.NotFound,
    "model.safetensors is missing",
  );
  assertEquals(hub.seen, []);
});

Deno.test("with the network down a branch is the commit that it had", async () => {
  await using cache = await temporaryFolder();
  const hub = startHub({ files: FILES });
  const { options, waits, progress } = quick(cache.path, hub.endpoint);
  const folder = await downloadModel(ID, options);
  await hub[Symbol.asyncDispose]();
  assertEquals(await downloadModel(ID, options), folder);
  assertMatch(progress.at(-1)!.note!, /cannot be reached: .*; uses commit 01234567 of the cache$/);
  assertEquals(waits, []);

  await Deno.remove(`${folder}/config.json`);
  await assertRejects(
    () => downloadModel(ID, options),
    Deno.errors.NotFound,
    "config.json is missing",
  );
  assertEquals(waits, [1000, 2000]);
});

Deno.test("a cache in huggingface_hub's layout is used without a request", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({ files: FILES });
  const { options } = quick(cache.path, hub.endpoint);
  const all = {
    ...Object.fromEntries(NEEDED.map((name) => [name, FILES[name]!])),
    ...Object.fromEntries(ABSENT.map((name) => [name, "{}"])),
  };
  const snapshot = await cacheByHand(cache.path, all);
  assertEquals(await downloadModel(ID, { ...options, revision: COMMIT }), snapshot);
  assertEquals(await downloadModel(ID, { ...options, offline: true }), snapshot);
  assertEquals(hub.seen, []);
});

Deno.test("a commit that may lack files is asked for once, and its links load", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({ files: FILES });
  const { options } = quick(cache.path, hub.endpoint);
  const files = Object.fromEntries(NEEDED.map((name) => [name, FILES[name]!]));
  const snapshot = await cacheByHand(cache.path, files);
  for (let i = 0; i < 2; i++) {
    assertEquals(await downloadModel(ID, { ...options, revision: COMMIT }), snapshot);
    assertEquals(hub.seen.map(({ what }) => what), ["list"]);
  }
  await using model = await loadModel(snapshot);
  assertEquals(model.config.vocabularySize, 384);
});

Deno.test("files that are no links are used as well, and damaged ones fetched again", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({ files: FILES });
  const { options } = quick(cache.path, hub.endpoint);
  const snapshot = `${cache.path}/${ROOT}/snapshots/${COMMIT}`;
  await Deno.mkdir(snapshot, { recursive: true });
  await Deno.writeFile(`${snapshot}/model.safetensors`, WEIGHTS);
  await Deno.writeTextFile(`${snapshot}/config.json`, "{");
  await Deno.symlink("../../blobs/nothing", `${snapshot}/generation_config.json`);
  await downloadModel(ID, options);
  assertEquals(hub.seen.map(({ what }) => what), ["list", "config.json", "generation_config.json"]);
  for (const name of NEEDED) assertEquals(await Deno.readFile(`${snapshot}/${name}`), FILES[name]);
});

Deno.test("several calls at once fetch each file once", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({ files: FILES, slow: 2 });
  const { options } = quick(cache.path, hub.endpoint);
  const folders = await Promise.all([1, 2, 3].map(() => downloadModel(ID, options)));
  assertEquals(new Set(folders).size, 1);
  for (const name of NEEDED) {
    assertEquals(hub.seen.filter(({ what }) => what === name).length, 1, name);
  }
});

const CHILD = `
import { downloadModel } from ${JSON.stringify(import.meta.resolve("../../lib/model/download.ts"))};
const [cacheDir, endpoint] = Deno.args;
console.log(await downloadModel("org/name", { cacheDir, endpoint, token: "", offline: false,
  onProgress: ({ note }) => note && console.error(note) }));
`;

async function child(...args: string[]) {
  const folder = await temporaryFolder({ "child.ts": CHILD });
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--config", config, `${folder.path}/child.ts`, ...args],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return { process, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

Deno.test("a second process waits for the first and finds the files there", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({ files: FILES, slow: 100 });
  await using first = await child(cache.path, hub.endpoint);
  while (!hub.seen.some(({ what }) => what === "model.safetensors")) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { options, progress } = quick(cache.path, hub.endpoint);
  const folder = await downloadModel(ID, options);
  const { code, stdout, stderr } = await first.process.output();
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  assertEquals(new TextDecoder().decode(stdout).trim(), folder);
  assert(progress.some(({ note }) => note?.startsWith("waits for another process that fetches")));
  assertEquals(hub.seen.filter(({ what }) => what === "model.safetensors").length, 1);
});

Deno.test("the lock of a process that died is no obstacle, and its bytes are used", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({ files: FILES, slow: 20 });
  await using first = await child(cache.path, hub.endpoint);
  const part = `${cache.path}/${ROOT}/blobs/${WEIGHTS_BLOB}.incomplete`;
  while (await Deno.stat(part).then(({ size }) => size < 300_000, () => true)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  first.process.kill("SIGKILL");
  await first.process.output();
  await Deno.stat(`${cache.path}/.locks/${ROOT}/${WEIGHTS_BLOB}.lock`); // is still there
  const { size } = await Deno.stat(part);
  await downloadModel(ID, quick(cache.path, hub.endpoint).options);
  assertEquals(hub.seen.at(-1)!.range, `bytes=${size}-`);
});

Deno.test("a waiting call can be ended", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({ files: FILES });
  const path = `${cache.path}/.locks/${ROOT}/${blobOf("config.json", FILES["config.json"]!)}.lock`;
  await Deno.mkdir(`${cache.path}/.locks/${ROOT}`, { recursive: true });
  using lock = await Deno.open(path, { write: true, create: true });
  await lock.lock(true);
  const controller = new AbortController(), { options } = quick(cache.path, hub.endpoint);
  await assertRejects(
    () =>
      downloadModel(ID, {
        ...options,
        signal: controller.signal,
        onProgress: ({ note }) => note && controller.abort(new Error("no patience")),
      }),
    Error,
    "no patience",
  );
});

Deno.test("ids that are none of the hub's are refused", async () => {
  const ids = ["", "name", "a/b/c", "../x", "a/..", "a/b--c", "a--b/c", "-a/b", "a/b.", "a/b.git"];
  ids.push(
    "a/b\\c",
    "/a",
    "a/",
    "a/é",
    "a/b c",
    "a/\u0000",
    `a/${"b".repeat(97)}`,
    "a..b/c",
    "a/.b",
  );
  for (const id of ids) {
    await assertRejects(() => downloadModel(id, { offline: true }), RangeError, "'id' must be");
  }
  for (const id of ["a/b", "A-b_c.d/E.f-g_h", `${"a".repeat(96)}/b`]) {
    await assertRejects(
      () => downloadModel(id, { offline: true, cacheDir: "/nonexistent" }),
      Deno.errors.NotFound,
    );
  }
});

Deno.test("revisions that are none are refused", async () => {
  const wrong = [
    "",
    "..",
    "a/../b",
    "/a",
    "a//b",
    "a\\b",
    "a b",
    "-a",
    ".a",
    "a.lock",
    "a:b",
    "a?",
  ];
  wrong.push("a\n", "a~1", "@{1}", "a".repeat(256));
  for (const revision of wrong) {
    await assertRejects(
      () => downloadModel(ID, { revision, offline: true }),
      RangeError,
      "'revision' must be",
    );
  }
});

Deno.test("other options outside their rule are refused", async () => {
  const wrong: [Record<string, unknown>, string][] = [
    [{ files: ["../x"] }, "'files'"],
    [{ files: ["/etc/passwd"] }, "'files'"],
    [{ files: ["a\\b"] }, "'files'"],
    [{ files: [] }, "'files'"],
    [{ endpoint: "file:///tmp" }, "'endpoint'"],
    [{ endpoint: "huggingface.co" }, "'endpoint'"],
    [{ endpoint: "https://me:secret@localhost" }, "'endpoint' must have no user or password"],
    [{ retries: -1 }, "'retries'"],
    [{ timeout: 0 }, "'timeout'"],
    [{ cachedir: "x" }, "'cachedir' is not an option"],
  ];
  await using cache = await temporaryFolder();
  for (const [options, message] of wrong) {
    await assertRejects(
      () => downloadModel(ID, { cacheDir: cache.path, offline: false, ...options }),
      Error,
      message,
    );
  }
});

Deno.test("names of the hub that lead out of the cache are refused", async () => {
  const name = (rfilename: unknown) => (answer: { sha: unknown; siblings: unknown[] }) => ({
    ...answer,
    siblings: [...answer.siblings, { rfilename, size: 1, blobId: "0".repeat(40) }],
  });
  const commit = (sha: unknown) => (answer: object) => ({ ...answer, sha });
  const lists: [(answer: { sha: unknown; siblings: unknown[] }) => unknown, string][] = [
    [name("../../evil"), "names a file outside of its folder"],
    [name("/etc/evil"), "names a file outside of its folder"],
    [name(7), "has a file without a name"],
    [commit("../../x"), "names no commit"],
    [commit(COMMIT.toUpperCase()), "names no commit"],
    [commit(undefined), "names no commit"],
    [() => ({ sha: COMMIT }), "has no list of files"],
    [() => null, "names no commit"],
  ];
  for (const [list, message] of lists) {
    await using cache = await temporaryFolder();
    await using hub = startHub({ files: FILES, list });
    await assertRejects(
      () => downloadModel(ID, quick(cache.path, hub.endpoint).options),
      SyntaxError,
      message,
    );
    assertEquals([await pathsBelow(cache.path), hub.seen.length], [[], 1]);
  }
});

Deno.test("shards that lead out of the folder, or are not listed, are refused", async () => {
  const { "model.safetensors": _, ...rest } = FILES;
  for (const shard of ["../x.safetensors", "a/b.safetensors", "/x.safetensors", "x.bin", 7]) {
    await using cache = await temporaryFolder();
    const files = {
      ...rest,
      "model.safetensors.index.json": JSON.stringify({ weight_map: { a: shard } }),
    };
    await using hub = startHub({ files });
    await assertRejects(
      () => downloadModel(ID, quick(cache.path, hub.endpoint).options),
      SyntaxError,
      "model.safetensors.index.json",
    );
    assertEquals(hub.seen.map(({ what }) => what), ["list", "model.safetensors.index.json"]);
  }
  await using cache = await temporaryFolder();
  const index = '{"weight_map":{"a":"1.safetensors"}}';
  await using hub = startHub({ files: { ...rest, "model.safetensors.index.json": index } });
  await assertRejects(
    () => downloadModel(ID, quick(cache.path, hub.endpoint).options),
    Deno.errors.NotFound,
    "no file 1.safetensors",
  );
});

Deno.test("hashes that the list does not tell come from the headers, checked", async () => {
  const run = async (headers: Record<string, string>) => {
    await using cache = await temporaryFolder();
    await using hub = startHub({
      files: FILES,
      list: ({ sha, siblings }) => ({
        sha,
        siblings: siblings.map(({ rfilename }) => ({ rfilename, blobId: "../../x" })),
      }),
      answer(seen) {
        if (seen.method !== "HEAD") return;
        const size = FILES[seen.what]!.length;
        return new Response(null, {
          status: headers.location ? 302 : 200,
          headers: {
            "x-linked-size": `${size}`,
            "x-linked-etag": `"${blobOf(seen.what, FILES[seen.what]!)}"`,
            ...headers,
          },
        });
      },
    });
    const folder = await downloadModel(ID, quick(cache.path, hub.endpoint).options);
    assertEquals(await Deno.readFile(`${folder}/config.json`), FILES["config.json"]);
    assertEquals(hub.seen.filter(({ method }) => method === "HEAD").length, 3);
  };
  await run({});
  await run({ location: "http://127.0.0.1:1/signed-for-get-alone" });
  for (const tag of ['"../../evil"', "..", '"a/b"', "", '"a.b"', 'W/"a\\b"']) {
    await assertRejects(() => run({ "x-linked-etag": tag }), Error, "no usable size and ETag");
  }
  await assertRejects(() => run({ "x-linked-size": "-1" }), Error, "no usable size and ETag");
});

Deno.test("an answer that is too long or no JSON is refused", async () => {
  await using cache = await temporaryFolder();
  await using hub = startHub({ files: {}, answer: () => new Response("<html>") });
  const { options } = quick(cache.path, hub.endpoint);
  await assertRejects(() => downloadModel(ID, options), SyntaxError, "is not JSON");
  const chunk = new Uint8Array(2 ** 20).fill(32);
  await using endless = startHub({
    files: {},
    answer: () =>
      new Response(new ReadableStream({ pull: (controller) => controller.enqueue(chunk) })),
  });
  await assertRejects(
    () => downloadModel(ID, { ...options, endpoint: endless.endpoint }),
    RangeError,
    "more than 67108864 bytes",
  );
});
