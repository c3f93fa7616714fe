/** The samples of a report as its page carries them: packed on this side of `page/sample_data.ts`. @module */

import { escapeHtml } from "../_escape.ts";
import { type AskedProblem, LONGEST_FIELD } from "../study/problems.ts";
import { type ImportedRun, type Run, verdictOf } from "../study/run.ts";
import { counted } from "../_counted.ts";
import { fixed } from "./_format.ts";
import { packed } from "./_packed.ts";
import {
  type IndexedStudy,
  type SampleProblem,
  type SampleRun,
  VERDICTS,
} from "./page/sample_data.ts";

/** A study whose samples are shown. */
export interface SampledStudy {
  /** Model and task. */
  readonly name: string;
  /** Its runs; each as long as their page can carry. */
  readonly runs: readonly (Run | ImportedRun)[];
  /** Its problems by id, where they were kept. */
  readonly problems?: ReadonlyMap<string, AskedProblem> | undefined;
  /** Key of the method that others are compared with, and of the one that is compared at first. */
  readonly baseline: string;
  readonly compared?: string | undefined;
}

/** Most characters of samples in a page, packed. */
const MOST = 26e6;

/** What a page can carry, before it is packed: halved until it fits. */
const BUDGET = { texts: 48e6, traces: 12e6 };

/** Characters of a chunk before it is packed, about. */
const CHUNK = 400_000;

/** A text that is cut in the middle, with a word that says so. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const tail = Math.floor(most / 4), head = most - tail;
  const left = text.length - head - tail;
  return `${text.slice(0, head)}\n… [${left} characters are left out on this page] …\n${
    text.slice(-tail)
  }`
    .toWellFormed();
}

/** Most characters of a field that stands in one line. */
const LONGEST_LINE = 80;

/** A problem's field as a text; `whole` is its length where only the start was kept. */
function fieldText(value: unknown, whole: number | undefined): string {
  const line = JSON.stringify(value) ?? "";
  const json = line.length <= LONGEST_LINE ? line : JSON.stringify(value, null, 1);
  const text = typeof value === "string" ? value : json;
  const own = shortened(text, LONGEST_FIELD);
  return whole === undefined ? own : `${own}\n… [${whole - text.length} characters were not kept]`;
}

/** What is told of a run beside its text. */
function factsOf(run: Run | ImportedRun): string[] {
  const { grade, finishReason, mixing, seed, measure, tokens } = run;
  const { score, reason } = grade;
  const ends = { stop: "ended by itself", length: "cut at the token limit", aborted: "stopped" };
  return [
    ...(reason === undefined ? [] : [reason]),
    ...(score === undefined ? [] : [`${measure?.name ?? "score"} ${fixed(score, 4)}`]),
    ends[finishReason],
    ...(mixing
      ? [
        `mean H ${fixed(mixing.meanEntropy, 3)}`,
        `off-sample mass ${fixed(mixing.meanOffSampleMass, 3)}`,
      ]
      : []),
    ...(seed === undefined ? [] : [`seed ${seed}`]),
    ...(tokens === undefined ? [] : [counted(tokens.length, "token")]),
  ];
}

function sampleOf(run: Run | ImportedRun, most: number, withTrace: boolean): SampleRun {
  const { text, grade: { extracted }, trace } = run;
  const isWhole = text.length <= most;
  return {
    text: shortened(text, most),
    extracted: extracted === null ? null : shortened(extracted, LONGEST_FIELD),
    facts: factsOf(run),
    ...(withTrace && isWhole && trace !== undefined ? { trace } : {}),
  };
}

/** A problem and its runs. */
function problemOf(
  asked: AskedProblem | undefined,
  runs: readonly SampleRun[],
  most: number,
): SampleProblem {
  const { prompt, fields = {}, cut = {} } = asked ?? {};
  const parts = typeof prompt === "string" ? [{ role: "prompt", content: prompt }] : prompt;
  return {
    ...(parts && {
      prompt: parts.map(({ role, content }) => [role, shortened(content, most)] as const),
    }),
    fields: Object.entries(fields).map(([name, value]) =>
      [name, fieldText(value, cut[name])] as const
    ),
    runs,
  };
}

/** A study's runs, problem by problem, repeat by repeat, methods in their order. */
function inOrder(
  runs: readonly (Run | ImportedRun)[],
  methods: readonly string[],
  problems: readonly string[],
) {
  const places = [methods, problems].map((keys) => new Map(keys.map((key, i) => [key, i])));
  const [method, problem] = places as [Map<string, number>, Map<string, number>];
  return runs.map((run) => ({
    run,
    problem: problem.get(run.problem)!,
    method: method.get(run.method)!,
  })).sort((a, b) => a.problem - b.problem || a.run.repeat - b.run.repeat || a.method - b.method);
}

/** Gathers problems as JSON, and packs them in chunks of about one size. */
function chunked() {
  const chunks: string[] = [];
  let entries: string[] = [], size = 0;
  const close = () => {
    if (entries.length === 0) return;
    chunks.push(packed(`{${entries.join()}}`));
    [entries, size] = [[], 0];
  };
  return {
    /** Adds a problem under its key; returns the place of its chunk. */
    add(key: string, problem: SampleProblem): number {
      const place = chunks.length, json = JSON.stringify(problem);
      entries.push(`${JSON.stringify(key)}:${json}`);
      size += json.length;
      if (size > CHUNK) close();
      return place;
    },
    /** All chunks. */
    closed(): readonly string[] {
      close();
      return chunks;
    },
  };
}

/** Characters that the traces of samples take. */
const traceSize = (samples: readonly SampleRun[]) =>
  samples.reduce((sum, { trace }) => sum + (trace ? JSON.stringify(trace).length : 0), 0);

/** What is packed of studies: the index, and the chunks. */
function pack(studies: readonly SampledStudy[], budget: typeof BUDGET) {
  const count = studies.reduce((sum, { runs }) => sum + runs.length, 0);
  const most = Math.max(400, Math.floor(budget.texts / Math.max(1, count)));
  const chunks = chunked();
  let traces = 0;
  const index = studies.map((study, i): IndexedStudy => {
    const { name, runs, problems: asked, baseline, compared } = study;
    const methods = [...new Set(runs.map(({ method }) => method))];
    const problems = [...new Set(runs.map(({ problem }) => problem))];
    const rows = inOrder(runs, methods, problems), places: number[] = [];
    for (const [place, group] of Map.groupBy(rows, ({ problem }) => problem)) {
      const samples = group.map(({ run }) => sampleOf(run, most, traces < budget.traces));
      traces += traceSize(samples);
      const problem = problemOf(asked?.get(problems[place]!), samples, most);
      places[place] = chunks.add(`${i} ${place}`, problem);
    }
    const at = (key: string | undefined, other: number) =>
      key !== undefined && methods.includes(key) ? methods.indexOf(key) : other;
    return {
      ...{ name, methods, problems, chunks: places },
      baseline: at(baseline, 0),
      compared: at(compared, Math.min(1, methods.length - 1)),
      problem: rows.map(({ problem }) => problem),
      method: rows.map(({ method }) => method),
      repeat: rows.map(({ run }) => run.repeat),
      verdict: rows.map(({ run }) => VERDICTS.indexOf(run.measure ? "measured" : verdictOf(run))),
    };
  });
  const isCut = studies.some(({ runs }) => runs.some(({ text }) => text.length > most));
  const packedIndex = packed(JSON.stringify(index));
  return { index: packedIndex, chunks: chunks.closed(), most, isCut, isTraced: traces > 0 };
}

/** The part of a page in which samples are looked at, and what it carries for that. */
export function samplesHtml(studies: readonly SampledStudy[]): string {
  let budget = BUDGET, all = pack(studies, budget);
  const size = () => all.chunks.reduce((sum, { length }) => sum + length, all.index.length);
  while (size() > MOST) {
    budget = { texts: budget.texts / 2, traces: budget.traces / 2 };
    all = pack(studies, budget);
  }
  const { index, chunks, most, isCut, isTraced } = all;
  const notes = [
    ...(isCut
      ? [`Texts longer than ${counted(most, "character")} are cut in the middle here.`]
      : []),
    isTraced
      ? "Tokens are coloured by the entropy that they were drawn at; a choice tells what was fed back."
      : "Entropies of single tokens were not kept with these runs (deno task sweep --traces keeps them).",
  ];
  const data = (id: string, text: string) =>
    `<script type="application/octet-stream" id="${id}">${text}</script>`;
  const option = (value: string, text: string) => `<option value="${value}">${text}</option>`;
  const verdicts = [
    ["", "any verdict"],
    ["won", "won against the baseline"],
    ["lost", "lost against the baseline"],
    ...VERDICTS.map((verdict) => [verdict, verdict] as const),
  ].map(([value, text]) => option(value!, text!)).join("");
  const side = (i: number) =>
    `<div class="side"><label>method <select id="side-${i}"></select></label>` +
    `<div id="answer-${i}"></div></div>`;
  return `<section id="samples" aria-labelledby="samples-title">
<h2 id="samples-title">Samples</h2>
<p class="muted">${notes.map(escapeHtml).join(" ")}</p>
<div class="controls">
<label>study <select id="study"></select></label>
<label>method <select id="method"></select></label>
<label>verdict <select id="verdict">${verdicts}</select></label>
<label>search <input id="search" type="search" placeholder="in prompts and answers"></label>
<span id="count" role="status"></span>
</div>
<div id="list"></div>
<div id="sample" hidden>
<h3 id="sample-name"></h3>
<div id="problem"></div>
<label class="check"${
    isTraced ? "" : " hidden"
  }><input type="checkbox" id="colours" checked> colour by entropy H</label>
<div class="answers">${side(0)}${side(1)}</div>
</div>
${data("sample-index", index)}
${chunks.map((chunk, i) => data(`chunk-${i}`, chunk)).join("\n")}
</section>`;
}
