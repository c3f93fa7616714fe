/**
 * The sample browser of a report: runs by task, method, verdict and words, and two answers to one problem.
 *
 * @module
 */

import { type Note, notesOf } from "../../decode/compact_trace.ts";
import {
  carried,
  type IndexedStudy,
  placeOf,
  problemOf,
  type Row,
  runOf,
  type SampleProblem,
  type SampleRun,
  studies,
  VERDICTS,
} from "./sample_data.ts";
import { tokenList } from "./token_list.ts";
import type { Token } from "./tokens.ts";
import { virtualList } from "./virtual_list.ts";

const byId = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;

/** A text that scrolls where it is long, by keys too. */
function scrolled(label: string, text: string): HTMLElement {
  const made = part("pre", "text", text);
  made.tabIndex = 0;
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", label);
  return made;
}

/** An element with a class and contents. */
function part(name: string, className: string, ...contents: (Node | string)[]): HTMLElement {
  const made = document.createElement(name);
  made.className = className;
  made.append(...contents);
  return made;
}

function fillSelect(select: HTMLSelectElement, options: readonly (readonly [string, string])[]) {
  const before = select.value;
  select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  select.value = options.some(([value]) => value === before) ? before : options[0]![0];
}

/** Verdict of a run, by its place. */
const verdictAt = (study: IndexedStudy, at: number) => VERDICTS[study.verdict[at]!]!;

/** Whether a run is right where the baseline's is wrong, or the other way round. */
function changeOf({ study, at }: Row): "won" | "lost" | undefined {
  const { problem, repeat, baseline } = study;
  const other = placeOf(study, problem[at]!, baseline, repeat[at]!);
  if (other === undefined || other === at) return undefined;
  const [own, before] = [verdictAt(study, at), verdictAt(study, other)];
  if ([own, before].some((one) => one === "ungradable" || one === "measured")) return undefined;
  if ((own === "right") === (before === "right")) return undefined;
  return own === "right" ? "won" : "lost";
}

/** The tokens of a run whose trace was kept. */
function tokensOf({ text, trace }: SampleRun): Token[] | undefined {
  const notes = trace === undefined ? undefined : notesOf(trace);
  if (!notes || notes.reduce((sum, { length }) => sum + length, 0) !== text.length) {
    return undefined;
  }
  let from = 0;
  return notes.map((note: Note) => {
    const own = text.slice(from, from += note.length), name = JSON.stringify(own);
    const { entropy, offSampleMass } = note;
    const mixture = note.others?.map(({ text, weight }) => [JSON.stringify(text), weight] as const);
    return {
      ...{ text: own, name, entropy, offSampleMass },
      ...(mixture && note.own !== undefined
        ? { mixture: [[name, note.own] as const, ...mixture] }
        : {}),
      ...(note.end ? { end: note.end } : {}),
    };
  });
}

/** The text of a run, coloured where its trace was kept. */
function textOf(run: SampleRun, label: string, isColoured: boolean): HTMLElement {
  const tokens = isColoured ? tokensOf(run) : undefined;
  if (!tokens) return scrolled(label, run.text);
  const told = part("p", "told muted", "Choose a token to see what was fed back after it.");
  const list = tokenList({
    label,
    max: tokens.reduce((most, { entropy }) => Math.max(most, entropy), 0),
    onSelect(index) {
      list.select(index);
      told.textContent = list.told(index).join(" · ");
    },
  });
  tokens.forEach((token, i) => list.put(i, token));
  return part("div", "text", list.element, told);
}

/** One of the two answers. */
function showRun(
  place: HTMLElement,
  problem: SampleProblem,
  row: Row | undefined,
  isColoured: boolean,
): void {
  if (!row) return place.replaceChildren(part("p", "muted", "There is no such run."));
  const { study, at } = row, run = runOf(problem, row);
  const verdict = verdictAt(study, at),
    answer = run.extracted === null ? "no answer was found" : `answer found: ${run.extracted}`;
  const facts = [answer, ...run.facts].join(" · ");
  place.replaceChildren(
    part("p", "facts", part("strong", `verdict ${verdict}`, verdict), ` · ${facts}`),
    textOf(run, `Answer of ${study.methods[study.method[at]!]}`, isColoured),
  );
}

/** What was asked, and what is known of the problem. */
function showProblem(place: HTMLElement, problem: SampleProblem): void {
  const prompt =
    problem.prompt?.map(([role, text]) =>
      part("div", "message", part("span", "muted", role), scrolled(`Prompt, ${role}`, text))
    ) ?? [part("p", "muted", "The prompt was not kept with these runs.")];
  const fields = problem.fields.flatMap(([name, value]) => [
    part("dt", "", name),
    part("dd", "", scrolled(name, value)),
  ]);
  place.replaceChildren(...prompt, part("dl", "", ...fields));
}

/** What runs are looked for; what is empty is any. */
interface Wanted {
  /** Key of their method. */
  readonly method: string;
  /** Their verdict, or how they changed it. */
  readonly verdict: string;
  /** Words in small letters that stand in a run, its answer, its prompt or the problem's fields. */
  readonly words: string;
}

/** Whether a run is of a method and has a verdict. */
function isWanted(row: Row, { method, verdict }: Wanted): boolean {
  const { study, at } = row;
  if (method !== "" && study.methods[study.method[at]!] !== method) return false;
  if (verdict === "won" || verdict === "lost") return changeOf(row) === verdict;
  return verdict === "" || verdictAt(study, at) === verdict;
}

/** Whether words stand in a run, its answer, its prompt or the problem's fields. */
async function mentions(row: Row, words: string): Promise<boolean> {
  const problem = await problemOf(row), { text, extracted } = runOf(problem, row);
  const parts = [...problem.prompt ?? [], ...problem.fields].map(([, text]) => text);
  return [row.study.problems[row.study.problem[row.at]!]!, text, extracted ?? "", ...parts]
    .some((text) => text.toLowerCase().includes(words));
}

/** The runs that are looked for, with pauses in which others are served; given up where `isOver` says so. */
async function rowsOf(
  studies: readonly IndexedStudy[],
  wanted: Wanted,
  isOver: () => boolean,
): Promise<Row[]> {
  const found: Row[] = [];
  let read = 0;
  for (const study of studies) {
    for (let at = 0; at < study.problem.length; at++) {
      const row = { study, at };
      if (!isWanted(row, wanted)) continue;
      if (wanted.words !== "") {
        if (++read % 500 === 0) await new Promise((resolve) => setTimeout(resolve));
        const isFound = await mentions(row, wanted.words);
        if (isOver()) return found;
        if (!isFound) continue;
      }
      found.push(row);
    }
  }
  return found;
}

async function openSamples(): Promise<void> {
  studies.push(...await carried<IndexedStudy[]>("sample-index"));
  const study = byId<HTMLSelectElement>("study"), method = byId<HTMLSelectElement>("method");
  const verdict = byId<HTMLSelectElement>("verdict"), search = byId<HTMLInputElement>("search");
  const count = byId("count"), colours = byId<HTMLInputElement>("colours");
  const sides = [0, 1].map((i) => ({
    select: byId<HTMLSelectElement>(`side-${i}`),
    place: byId(`answer-${i}`),
  }));
  let rows: Row[] = [], chosen: Row | undefined, round = 0;

  const list = virtualList({
    label: "Runs",
    fill(element, index) {
      const row = rows[index]!, { study, at } = row, own = verdictAt(study, at);
      const repeat = study.repeat[at]! > 0 ? ` (${study.repeat[at]})` : "";
      element.append(
        part("span", "problem", `${study.problems[study.problem[at]!]}${repeat}`),
        part("span", "method", study.methods[study.method[at]!]!),
        part("span", `verdict ${own}`, own),
        part("span", "change", changeOf(row) ?? ""),
      );
    },
    onSelect: (index) => void show(rows[index]!),
  });
  byId("list").append(list.element);

  /** Shows a run beside the one that it is compared with. */
  const show = async (row: Row) => {
    const isOther = chosen?.study !== row.study, { study: own, at } = row;
    chosen = row;
    const options = own.methods.map((key, i) => [`${i}`, key] as const);
    for (const { select } of sides) fillSelect(select, options);
    const picked = own.method[at]!;
    if (isOther) sides[0]!.select.value = `${own.baseline}`;
    if (`${picked}` !== sides[0]!.select.value) sides[1]!.select.value = `${picked}`;
    else if (isOther) sides[1]!.select.value = `${own.compared}`;
    await showBoth();
  };
  const showBoth = async () => {
    if (!chosen) return;
    const row = chosen, { study: own, at } = row, place = own.problem[at]!;
    const problem = await problemOf(row);
    if (row !== chosen) return; // another one is shown already
    byId("sample").hidden = false;
    byId("sample-name").textContent = `${own.problems[place]} · ${own.name}`;
    showProblem(byId("problem"), problem);
    for (const { select, place: side } of sides) {
      const other = placeOf(own, place, Number(select.value), own.repeat[at]!);
      const shown = other === undefined ? undefined : { study: own, at: other };
      showRun(side, problem, shown, colours.checked);
    }
  };

  /** The rows that the filters leave; a later change of them takes over. */
  const filter = async () => {
    const own = ++round, [i, key] = [study.value, method.value], words = search.value.trim();
    const shown = i === "" ? studies : [studies[Number(i)]!];
    const wanted = { method: key, verdict: verdict.value, words: words.toLowerCase() };
    const found = await rowsOf(shown, wanted, () => own !== round);
    if (own !== round) return;
    rows = found;
    list.reset(rows.length);
    count.textContent = `${rows.length} ${rows.length === 1 ? "run" : "runs"}`;
  };
  const fillMethods = () => {
    const shown = study.value === "" ? studies : [studies[Number(study.value)]!];
    const keys = [...new Set(shown.flatMap(({ methods }) => methods))];
    fillSelect(method, [["", "any method"], ...keys.map((key) => [key, key] as const)]);
  };
  fillSelect(study, [
    ["", "all studies"],
    ...studies.map(({ name }, i) => [`${i}`, name] as const),
  ]);
  study.parentElement!.hidden = studies.length < 2;
  fillMethods();
  const compared = studies[0] && studies[0].methods[studies[0].compared];
  if (compared !== undefined && studies.length === 1) method.value = compared;
  let timer: ReturnType<typeof setTimeout> | undefined;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(filter, 200);
  });
  study.addEventListener("change", () => (fillMethods(), filter()));
  for (const select of [method, verdict]) select.addEventListener("change", filter);
  for (const { select } of sides) select.addEventListener("change", showBoth);
  colours.addEventListener("change", showBoth);
  await filter();
  document.documentElement.dataset.samples = "";
}

openSamples();
