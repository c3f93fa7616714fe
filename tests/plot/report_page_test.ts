/** The page of a report in a real browser: its samples are found, compared, and text. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { gunzipSync } from "node:zlib";
import type { Page } from "puppeteer-core";
import type { CompactTrace } from "../../lib/decode/mod.ts";
import { type ReportedStudy, reportPage, studyReport } from "../../lib/plot/mod.ts";
import { shortened } from "../../lib/plot/_samples.ts";
import { VERDICTS } from "../../lib/plot/page/sample_data.ts";
import type { AskedProblem, Run } from "../../lib/study/mod.ts";
import { assertLooks, browser, findChromium } from "../_browser.ts";
import { seeded } from "../_random.ts";
import { temporaryFolder } from "../_temporary.ts";
import { hostileRuns } from "./_rows.ts";

const ignore = findChromium() === undefined;
const skipped = ignore ? " (skipped: no Chromium found; set CHROME_PATH)" : "";

/** Opens a page from a file, and waits until its samples are there. */
async function opened(page: Page, html: string): Promise<{ ms: number; failures: string[] }> {
  await using folder = await temporaryFolder({ "report.html": html });
  const failures: string[] = [];
  page.on("console", (message) => {
    if (!message.text().startsWith("WARN:")) failures.push(message.text()); // plotly's, of margins
  });
  page.on("pageerror", (error) => failures.push(`${error}`));
  const start = performance.now();
  await page.goto(`file://${folder.path}/report.html`);
  await page.waitForSelector("html[data-samples]");
  return { ms: performance.now() - start, failures };
}

const counted = (page: Page) => page.$eval("#count", (one) => one.textContent);
const textsOf = (page: Page, selector: string) =>
  page.$$eval(selector, (all) => all.map((one) => one.textContent ?? ""));

/** Waits until something is so. */
const until = (page: Page, condition: string) => page.waitForFunction(condition);

const HOSTILE = `</script><img src=x onerror="document.title='run'">\u2028\ud800`;

const asked = (runs: readonly Run[]): ReadonlyMap<string, AskedProblem> =>
  new Map(runs.map(({ problem }) => [problem, {
    prompt: [{ role: "user", content: `${HOSTILE} ask ${problem}` }],
    fields: {
      ...{ id: problem, answer: HOSTILE, tests: ["x".repeat(9000)], begun: "as", numbers: [7, 2] },
    },
    cut: { begun: 5000 },
  }]));

/** Entropies ½ and 0 of two tokens, "</p" and the rest; the first one's mixture has a hostile name. */
function traceOf(text: string): CompactTrace {
  const units = (...values: number[]) =>
    btoa(String.fromCharCode(...values.flatMap((value) => [value & 255, value >> 8])));
  return {
    entropy: units(32768, 0),
    lengths: btoa(String.fromCharCode(3, text.length - 3)),
    mass: units(2048, 0),
    mixtures: btoa(String.fromCharCode(0, 1, 0, 24, 0, 0, 8)), // own ¾, the other ¼
    names: [HOSTILE],
  };
}

Deno.test({
  name: `the samples of a report are found, compared, and nothing in them runs${skipped}`,
  ignore,
  async fn(t) {
    const runs = hostileRuns(15).map((run): Run => ({ ...run, trace: traceOf(run.text) }));
    const problems = asked(runs), commands = [`deno task sweep --model '${HOSTILE}'`];
    const html = await reportPage([{ runs, problems, commands }], {
      title: HOSTILE,
      command: HOSTILE,
    });
    await using driven = await browser();
    const page = await driven.newPage();
    const { failures } = await opened(page, html);

    await t.step("filters count what they leave", async () => {
      assertEquals(await counted(page), "15 runs"); // of the method that is compared
      for (
        const [verdict, count] of [["won", "4 runs"], ["lost", "2 runs"], [
          "wrong",
          "3 runs",
        ]] as const
      ) {
        await page.select("#verdict", verdict);
        await until(page, `document.querySelector("#count").textContent === "${count}"`);
      }
      await page.select("#verdict", "");
      await page.select("#method", "");
      await until(page, `document.querySelector("#count").textContent === "30 runs"`);
    });
    await t.step("search finds words of prompts and answers", async () => {
      await page.type("#search", "ALERT(7)");
      await until(page, `document.querySelector("#count").textContent === "2 runs"`);
      await page.$eval("#search", (one) => {
        (one as unknown as { value: string }).value = "ask <b>p3</b>";
        one.dispatchEvent(new Event("input"));
      });
      await until(
        page,
        `document.querySelector("#count").textContent === "2 runs" &&
        document.querySelector(".row .problem").textContent === "<b>p3</b>"`,
      );
    });
    await t.step("arrow keys choose a run, which stands beside the baseline's", async () => {
      await page.focus("#samples .rows");
      await page.keyboard.press("ArrowDown");
      await until(page, `document.querySelectorAll("#samples .side .facts").length === 2`);
      const [left, right] = await textsOf(page, "#samples .side .facts");
      assertStringIncludes(left!, "wrong · answer found");
      assertStringIncludes(right!, "right · answer found");
      assertStringIncludes(right!, "<i>because</i>");
      const problem = await page.$eval("#problem", (one) => one.textContent ?? "");
      assertStringIncludes(problem, "ask <b>p3</b>");
      assertStringIncludes(problem, "characters are left out");
      assertStringIncludes(problem, "as\n… [4998 characters were not kept]");
      assertStringIncludes(problem, "[7,2]");
    });
    await t.step("a token tells what was fed back", async () => {
      const tokens = await page.$$("#answer-1 .tokens span");
      assertEquals(tokens.length, 2);
      await tokens[0]!.click();
      const told = await page.$eval("#answer-1 .told", (one) => one.textContent ?? "");
      assertStringIncludes(
        told,
        'H = 0.500 · off-sample mass 0.250 · 0.750  "</p" · 0.250  "</script>',
      );
      await page.click("#colours");
      await until(page, `document.querySelector("#answer-1 pre.text") !== null`);
      await page.click("#colours");
      await until(page, `document.querySelector("#answer-1 .tokens") !== null`);
    });
    await t.step("it has no serious barrier, light and dark, narrow and wide", async () => {
      await assertLooks(page, [["light", 1600], ["dark", 400]]);
    });
    await t.step("on paper the chosen sample stands, and no controls", async () => {
      await page.emulateMediaType("print");
      const hidden = await page.$$eval(
        "#samples .controls, #list",
        (all) =>
          all.every((one) => (one as unknown as { offsetParent: unknown }).offsetParent === null),
      );
      assert(hidden);
      const methods = await page.$$eval(
        "#samples .side select",
        (all) => all.map((one) => one.getBoundingClientRect().height > 0),
      );
      assertEquals(methods, [true, true], "each answer says of which method it is");
      assert((await page.pdf()).length > 10_000);
    });
    assertEquals(
      await page.title(),
      HOSTILE.replace("\ud800", "\ufffd"),
    );
    assertEquals(await page.$$eval("img", (all) => all.length), 0);
    assertEquals(failures, []);
  },
});

/** A made-up study: words at random, as long as texts of so many tokens. */
function largeStudy(problems: number, words: number): Run[] {
  const { next: random } = seeded(1), [first] = hostileRuns(1);
  const dictionary = Array.from({ length: 5000 }, () => Math.floor(random() * 1e9).toString(36));
  const text = () =>
    Array.from({ length: words }, () => dictionary[Math.floor(random() ** 3 * 5000)]).join(" ");
  return Array.from({ length: problems }, (_, i) =>
    ["standard", "moi"].map((method): Run => ({
      ...{ ...first!, problem: `p${i}`, method, parameters: { name: method }, text: text() },
      grade: { correct: random() < 0.5, extracted: "7" },
    }))).flat();
}

Deno.test({
  name: `a report of 10,000 runs of 300 tokens opens at once${skipped}`,
  ignore,
  async fn() {
    const runs = largeStudy(5000, 240), html = await reportPage([{ runs }], { title: "Large" });
    assert(html.length < 30e6, `${html.length} characters`);
    await using driven = await browser();
    const page = await driven.newPage(), { ms, failures } = await opened(page, html);
    assert(ms < 6000, `${ms} ms`); // 2 s on a machine that does nothing else
    assertEquals(await page.$eval(".check", (one) => one.checkVisibility()), false, "no traces");
    await page.focus("#samples .rows");
    await page.keyboard.press("End");
    await until(page, `document.querySelector("#sample-name")?.textContent.startsWith("p4999")`);
    assert((await page.$$("#samples .row")).length < 40, "rows in sight alone are in the page");
    const words = runs.at(-1)!.text.slice(0, 40);
    await page.type("#search", words);
    await until(page, `document.querySelector("#count").textContent === "1 run"`);
    assertEquals(failures, []);
  },
});

Deno.test("reportPage() stays below 30 MB, and says what it leaves out", async () => {
  const runs = largeStudy(100, 60_000); // 80 MB of text
  const html = await reportPage([{ runs }]);
  assert(html.length < 30e6, `${html.length} characters`);
  assertStringIncludes(html, "characters are cut in the middle here");
});

/** The index of the samples of a page. */
function indexOf(html: string): Record<string, unknown>[] {
  const [, text] = /id="sample-index">([^<]*)</.exec(html)!;
  return JSON.parse(new TextDecoder().decode(gunzipSync(Uint8Array.fromBase64(text!))));
}

Deno.test("what is measured is neither right nor wrong among the samples", async () => {
  const measure = { name: "repeated 4-grams", unit: "%", scale: 100, better: "lower" } as const;
  const runs = hostileRuns(3).map((run): Run => ({
    ...{ ...run, measure },
    grade: { correct: true, extracted: "48 words", score: 0.25 },
  }));
  const [study] = indexOf(await reportPage([{ runs }]));
  assertEquals(study!.verdict, runs.map(() => VERDICTS.indexOf("measured")));
});

Deno.test("runs of other tools make a report of what they tell", async () => {
  const runs = hostileRuns(3).map(
    ({ study, model, task, problem, method, parameters, ...more }) => {
      const { repeat, text, finishReason, grade } = more, sampler = { topP: 0.6 };
      return {
        ...{ study, model, task, problem, method, parameters, repeat, text, finishReason, grade },
        ...{ versions: { imported: "released" }, sampler },
      };
    },
  );
  const [head] = studyReport(runs) as { readonly text: string }[];
  assertStringIncludes(head!.text, "; top-p 0.6; imported released");
  const html = await reportPage([{ runs }]);
  assert(!/undefined|NaN/.test(html.replaceAll(/<script[^]*?<\/script>/g, "")));
  assertEquals(indexOf(html).length, 1);
});

Deno.test("reportPage() refuses what is no study, and studies of which nothing can be judged", async () => {
  const runs = hostileRuns(2), apart = runs.filter(({ method }, i) => method === "moi" === i < 2);
  for (
    const [studies, error, message] of [
      [{ runs }, TypeError, "'studies' must be a list"],
      [[], RangeError, "'studies' must hold a study"],
      [[{ runs, problems: {} }], TypeError, "'problems' must be a Map"],
      [[{ runs, name: "x" }], TypeError, "'name' is not an option"],
      [[{ runs: [] }], RangeError, "a problem that every method has finished"],
      [[{ runs: apart }], RangeError, "a problem that every method has finished"],
    ] as const
  ) {
    await assertRejects(() => reportPage(studies as unknown as ReportedStudy[]), error, message);
  }
});

Deno.test("shortened() keeps both ends and says how much is missing", () => {
  assertEquals(shortened("short", 5), "short");
  const text = shortened("a".repeat(100) + "b".repeat(100), 40);
  assertEquals(
    text,
    `${"a".repeat(30)}\n… [160 characters are left out on this page] …\n${"b".repeat(10)}`,
  );
  assert(shortened("😀".repeat(100), 41).isWellFormed());
});
