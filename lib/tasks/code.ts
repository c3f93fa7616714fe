/**
 * What the code tasks share: their options, and finding the program in a text.
 *
 * @module
 */

import { oneOf, type Rules } from "../_check.ts";
import { given } from "../_given.ts";
import { type Benchmark, benchmark, BENCHMARK_RULES, type BenchmarkOptions } from "./benchmark.ts";
import type { Answer } from "./judge.ts";
import { LIMIT_RULES, LIMITS, type PythonOptions } from "./sandbox/python.ts";
import type { Grade, Problem, Task } from "./task.ts";

/** A task whose grader takes a moment: the program is run. */
export type CodeTask<P extends Problem> = Task<P, Promise<Grade>>;

/** Options of the code tasks. */
export interface CodeOptions extends BenchmarkOptions, Pick<PythonOptions, "timeMs" | "memoryMb"> {
  /** "chat": asks for the code in a block; "plain": the text of the data set alone. Default: "chat". */
  readonly prompt?: "chat" | "plain";
}

/** Rules of {@linkcode CodeOptions}. */
export const CODE_RULES: Rules<CodeOptions> = {
  ...BENCHMARK_RULES,
  ...LIMIT_RULES,
  prompt: oneOf("chat", "plain"),
};

/** Options of a code task, as its grader needs them. */
interface CodeSetting {
  /** Whether a text goes on from the prompt. */
  readonly goesOn: boolean;
  readonly limits: PythonOptions;
}

/** What a benchmark of programs adds. */
interface CodeBenchmark<P extends Problem> {
  readonly problem: Benchmark<P, Promise<Grade>>["problem"];
  /** The text of the data set, and what is asked in a conversation. */
  readonly words: (problem: P) => { readonly plain: string; readonly chat: string };
  readonly grade: (problem: P, text: string, setting: CodeSetting) => Promise<Grade>;
  /** What is recorded beside prompt and limits. */
  readonly parameters?: Task["parameters"];
}

/** A task whose answers are programs. */
export function codeTask<P extends Problem, Options extends CodeOptions = CodeOptions>(
  name: string,
  options: Options,
  rules: Rules<Options>,
  { problem, words, grade, parameters }: CodeBenchmark<P>,
): CodeTask<P> {
  return benchmark<P, Options, Promise<Grade>>(name, options, rules, (own) => {
    const { prompt = "chat", system, offline = false } = own, goesOn = prompt === "plain";
    const limits = { ...LIMITS, ...given({ timeMs: own.timeMs, memoryMb: own.memoryMb }) };
    return {
      maxNewTokens: 16384,
      parameters: { prompt, system: system ?? null, ...limits, ...parameters },
      problem,
      isText: goesOn,
      words(problem) {
        const { plain, chat } = words(problem);
        if (goesOn) return plain;
        return `${chat}\n\nGive the whole program in one Python code block (\`\`\`python … \`\`\`).`;
      },
      grade: (problem, text) => grade(problem, text, { goesOn, limits: { ...limits, offline } }),
    };
  });
}

/** The text after the thoughts. */
export const afterThoughts = (text: string): string => {
  const end = text.lastIndexOf("</think>");
  return end < 0 ? text : text.slice(end + "</think>".length);
};

/** Whether a text begins with Python: a definition, an import or a decorator. */
const BEGINS = new RegExp(
  "^\\s*(?:(?:async\\s+)?def\\s+\\w+\\s*\\(|class\\s+\\w+\\s*[(:]|from\\s+[\\w.]+\\s+import\\s|@\\w|" +
    "import\\s+[\\w.]+(?:\\s+as\\s+\\w+)?\\s*(?:,[^\\n]*)?(?:\\n|$))",
);

/** A code block of Markdown. */
interface Block {
  readonly python: boolean;
  readonly code: string;
  /** Whether its closing fence is there. */
  readonly closed: boolean;
}

/** A line that opens a block, in a list item too: its indentation, its fence, its language. */
const FENCE = /^((?:[ \t]*(?:[-*+]|\d{1,9}[.)]))?[ \t]*)(`{3,}(?=[^`]*$)|~{3,})(.*)$/;

/** A line without the indentation of the fence that it stands under. */
function dedented(line: string, width: number): string {
  let at = 0;
  while (at < width && (line[at] === " " || line[at] === "\t")) at++;
  return line.slice(at);
}

/**
 * The code blocks of a text: between fences of three and more backticks or tildes, in list items too, the closing
 * one at least as long and less than four columns deeper; lines lose the indentation of the opening one.
 */
function blocksOf(text: string): Block[] {
  const lines = text.split("\n"), blocks: Block[] = [];
  for (let i = 0; i < lines.length; i++) {
    const found = FENCE.exec(lines[i]!);
    if (!found) continue;
    const [, indent, fence, language] = found, width = indent!.length;
    const closes = (line: string) => {
      const content = line.trimStart();
      return content.startsWith(fence!) && line.length - content.length < width + 4;
    };
    let end = i + 1;
    while (end < lines.length && !closes(lines[end]!)) end++;
    const code = lines.slice(i + 1, end).map((line) => `${dedented(line, width)}\n`).join("");
    const closed = end < lines.length;
    blocks.push({
      python: /^\s*\{?\.?py/i.test(language!),
      code: closed ? code : code.slice(0, -1),
      closed,
    });
    i = end;
  }
  return blocks;
}

/** The text before its first fence. */
const beforeFence = (text: string): string => {
  const lines = text.split("\n"), at = lines.findIndex((line) => FENCE.test(line));
  return at < 0 ? text : lines.slice(0, at).map((line) => `${line}\n`).join("");
};

/**
 * The program of a text: the last complete code block, those marked as Python first, which is the released rule
 * for programs that read stdin; without one the text after the thoughts, in which prose may follow it, or it may
 * be cut. A text that goes on from a prompt may begin with the program, and blocks after that are no part of it.
 */
export function answerOf(text: string, goesOn = false): Answer {
  const answer = afterThoughts(text);
  const bare = BEGINS.test(answer) ? { code: beforeFence(answer), prefix: true } : undefined;
  if (goesOn && bare) return bare;
  const all = blocksOf(answer), blocks = all.filter(({ closed }) => closed);
  const found = blocks.findLast(({ python }) => python) ?? blocks.at(-1);
  if (found !== undefined) return { code: found.code, prefix: false };
  if (bare) return bare;
  return { code: all[0]?.code ?? answer, prefix: true }; // cut off within its block
}

/** Python without its comments and strings; of those with an f, what stands in braces is kept. */
const bareCode = (code: string): string =>
  code.replace(
    /([A-Za-z]{0,2})(?:("""|''')[\s\S]*?(?:\2|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)|#[^\n]*/g,
    (found, prefix = "") =>
      /f/i.test(prefix)
        ? ` ${(found.match(/\{[^{}]*\}/g) ?? []).join(" ")} `
        : found[0] === "#"
        ? ""
        : '""',
  );

const NAMED = /(?<![.\w])[A-Za-z_]\w*/g;
const namesIn = (text: string): string[] => text.match(NAMED) ?? [];

/** What unindented lines of Python define: functions and classes, variables; imports. */
const DEFINITIONS = [
  /^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)/gm,
  /^([A-Za-z_][\w, \t]*)(?::[^=\n]*)?=(?!=)/gm,
];
const IMPORTS = /^(?:from[ \t]+[\w.]+[ \t]+)?import[ \t]+(\([^)]*\)|[^\n]*)/gm;

/** What Python binds anywhere: also parameters, targets of loops and local variables. */
const BINDINGS = [
  /\bdef[ \t]+\w+[ \t]*\(([^)]{0,2000})\)/g,
  /\b(?:def|class)[ \t]+(\w+)/g,
  /\bimport[ \t]+([^\n]+)/g,
  /\blambda\b([^:\n]{0,200}):/g,
  /\bfor\b([^:\n]{0,200}?)\bin\b/g,
  /\bas[ \t]+(\w+)/g,
  /^[ \t]*([A-Za-z_][\w, \t]*)(?::[^=\n]*)?=(?!=)/gm,
  /\b(\w{1,100})[ \t]{0,9}:=/g,
];

const found = (bare: string, rules: readonly RegExp[]): string[] =>
  rules.flatMap((rule) => Array.from(bare.matchAll(rule), ([, part]) => part!));

/** Names that unindented lines of Python define; "*" of an import of all. */
function definedIn(bare: string): Set<string> {
  const imported = found(bare, [IMPORTS]).flatMap((list) => list.replace(/[()]/g, "").split(","))
    .map((one) => one.trim().split(/\s+as\s+/).at(-1)!.split(".")[0]!);
  const named = found(bare, DEFINITIONS).flatMap(namesIn);
  return new Set([...named, ...imported].filter((name) => name !== ""));
}

/** Names that Python binds anywhere. */
const boundIn = (bare: string): Set<string> =>
  new Set([...definedIn(bare), ...found(bare, BINDINGS).flatMap(namesIn)]);

/**
 * The last of some blocks that defines one of the names, after those before it that define what it or its
 * tests need and itself does not, and what these need.
 */
function joined(codes: readonly string[], names: readonly string[], member: RegExp) {
  const bare = codes.map(bareCode), defined = bare.map(definedIn);
  const defines = (i: number) => names.some((name) => defined[i]!.has(name));
  const all = codes.map((_, i) => i).filter(defines);
  const last = all.findLast((i) => member.test(bare[i]!)) ?? all.at(-1);
  if (last === undefined) return undefined;
  const taken = new Set([last]), has = boundIn(bare[last]!);
  const needs = new Set([...namesIn(bare[last]!), ...names].filter((name) => !has.has(name)));
  for (let i = last - 1; i >= 0; i--) {
    if (![...defined[i]!].some((name) => name === "*" || needs.has(name))) continue;
    taken.add(i);
    for (const name of defined[i]!) needs.delete(name);
    const own = boundIn(bare[i]!);
    for (const name of namesIn(bare[i]!)) if (!own.has(name)) needs.add(name);
  }
  const parts = codes.filter((_, i) => taken.has(i));
  return { code: parts.map((code) => code.replace(/\n?$/, "\n")).join(""), last };
}

/** Which functions an answer must define. */
export interface Wanted {
  /** Names of functions or classes. */
  readonly names: readonly string[];
  /** Method that the class must have. */
  readonly member?: string;
  /** Whether a bare body, an indented block, is an answer too. */
  readonly body?: boolean;
  /** Whether the text goes on from a prompt; see {@linkcode answerOf}. */
  readonly goesOn?: boolean;
}

/**
 * The program of a text that must define a function.
 *
 * Of several blocks it is the last that defines the function (`def`, `class` or an assignment, unindented);
 * blocks with usage, prints or assertions after it are no part of it. Where it needs names that only blocks
 * before it define (helpers, imports, constants), those come before it, in order. Complete blocks come
 * first, then one that is cut off, then the text before the first block; where none defines the function, a
 * block in which all is indented (a body, where one will do), else what {@linkcode answerOf} finds.
 */
export function functionOf(text: string, wanted: Wanted): Answer {
  const more = { defines: wanted.names, cut: wanted.goesOn ?? false };
  return { ...blockOf(text, wanted), ...more };
}

function blockOf(text: string, { names, member, body, goesOn }: Wanted): Answer {
  const answer = afterThoughts(text);
  if (goesOn && BEGINS.test(answer)) return answerOf(text, true);
  const all = blocksOf(answer), closed = all.filter((block) => block.closed);
  const python = closed.filter((block) => block.python);
  const whole = new RegExp(member === undefined ? "" : `\\bdef\\s+${member}\\b`);
  const flat = closed.map((block) => {
    const indent = /^[ \t]*(?=\S)/m.exec(block.code)?.[0].length ?? 0;
    const lines = block.code.split("\n").map((line) => dedented(line, indent));
    return { ...block, code: lines.join("\n") };
  });
  for (const blocks of [python, closed, flat, all]) {
    const found = joined(blocks.map(({ code }) => code), names, whole);
    if (found) return { code: found.code, prefix: !blocks[found.last]!.closed };
  }
  const before = beforeFence(answer);
  if (joined([before], names, whole)) return { code: before, prefix: true };
  const indented = body ? closed.findLast(({ code }) => /^\s*\n?[ \t]/.test(code)) : undefined;
  if (indented) return { code: indented.code, prefix: false };
  return answerOf(text, goesOn);
}

/** A text up to the first of some stop texts after its first character that is not white space. */
export function beforeStops(text: string, stops: readonly string[]): string {
  const from = Math.max(0, text.search(/\S/));
  const ends = stops.map((stop) => text.indexOf(stop, from)).filter((at) => at >= 0);
  return text.slice(0, Math.min(text.length, ...ends));
}
