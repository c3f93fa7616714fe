/** A disk that is full: here a limit on the size of files, beyond which writes fail with EFBIG. */

import { assert, assertEquals } from "@std/assert";
import { readRuns, runStudy } from "@moi/moi/study";
import { mockStudy } from "./_study_process.ts";
import { sorted, timeless, withStore } from "./_letters.ts";

const PROCESS = new URL("./_study_process.ts", import.meta.url).href;
const PROBLEMS = 40;

/** Runs the study on files of at most so many KiB. */
async function limited(store: string, kibibytes: number | "unlimited") {
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: [
      "-c",
      `trap '' XFSZ; ulimit -f "$1"; shift; exec "$@"`,
      "bash",
      `${kibibytes}`,
      ...[Deno.execPath(), "run", "-A", PROCESS, "mock", store, "4", `${PROBLEMS}`],
    ],
    cwd: new URL("../..", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, done: Number(out!.trim().split("\n").at(-1)), err: err! };
}

Deno.test({
  name: "runStudy() on a full disk fails with one sentence, and the file can be finished",
  ignore: Deno.build.os === "windows",
  async fn() {
    const expected = timeless(await runStudy(mockStudy(PROBLEMS)));
    await withStore(async (path) => {
      const whole = await limited(path, "unlimited"); // and everything is in Deno's cache
      assertEquals(whole, { code: 0, done: expected.length, err: "" });
      for (const kibibytes of [1, 7, 20, 37]) {
        const store = `${path}.${kibibytes}`;
        const { code, done, err } = await limited(store, kibibytes);
        assertEquals(code, 1);
        const errors = err.match(/error: .*/g) ?? [];
        assertEquals(errors.length, 1, err);
        const [what, end] = kibibytes === 1 ? ["Cannot write problems to ", "it is as it was"] : [
          `Cannot write a run to ${store}: `,
          "all earlier runs are kept, and the same call finishes the rest once there is room",
        ];
        assert(errors[0]!.includes(what!) && errors[0]!.endsWith(end!), err);

        const text = await Deno.readTextFile(store);
        assert(text === "" || text.endsWith("}\n"));
        const { size } = await Deno.stat(store);
        assert(size <= 1024 * kibibytes && size > 1024 * (kibibytes - 1.5), `${size} bytes`);
        const kept = await readRuns(store);
        assertEquals(kept.length, done);

        assertEquals(timeless(await runStudy(mockStudy(PROBLEMS), { store })), expected);
        const finished = await Deno.readTextFile(store);
        assertEquals(finished.slice(0, text.length), text);
        assertEquals(sorted(timeless(await readRuns(store))), sorted(expected));
      }
    });
  },
});
