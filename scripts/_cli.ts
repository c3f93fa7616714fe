/**
 * What the command lines share: options that are checked, errors of one line, an exit code.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { isObject } from "../lib/_check.ts";
import { hint } from "../lib/_near.ts";

export { given } from "../lib/_given.ts";

/** Options of a command: those with a value, and flags. */
export interface Options {
  /** Names of options that take a value. */
  readonly values: readonly string[];
  /** Names of options that take none. */
  readonly flags?: readonly string[];
  /** Whether it takes words that are no options, such as names of files. Default: no. */
  readonly words?: boolean;
}

/** Parsed arguments. */
export interface Arguments {
  /** What is not an option. */
  readonly rest: readonly string[];
  /** Value of an option, or undefined. */
  value(name: string): string | undefined;
  /** Number of an option, or undefined. */
  number(name: string): number | undefined;
  /** Object that an option gives as JSON, or undefined. */
  object(name: string): Record<string, unknown> | undefined;
  /** Whether a flag is set. */
  flag(name: string): boolean;
  /** What is not an option, which must be one thing: "one prompt, in quotes". */
  one(verb: string, what: string): string;
}

function numberOf(name: string, text: string): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (!Number.isNaN(value)) return value;
  throw new TypeError(`Cannot read --${name} as it must be a number: current value is "${text}"`);
}

/** Numbers of a comma-separated option. */
export function numbers(name: string, text: string): number[] {
  return text.split(",").map((part) => numberOf(name, part));
}

/** Parses arguments; what is unknown is refused. */
export function parse(args: readonly string[], options: Options): Arguments {
  const { values, flags = [], words = false } = options;
  const own = args[0] === "--" ? args.slice(1) : args; // `deno task name -- text`
  const all = [...flags, "help"];
  const parsed = parseArgs([...own], {
    string: [...values, "_"],
    boolean: all,
    alias: { help: "h" },
    unknown(arg: string) {
      if (!arg.startsWith("-") || arg === "-") return true;
      const known = [...values, ...all].map((name) => `--${name}`), asked = arg.split("=")[0];
      const rule = `it is not an option: known options are ${known.join(", ")}`;
      throw new TypeError(`Cannot use ${arg} as ${rule}${hint(asked, known)}`);
    },
  }) as Record<string, unknown> & { _: (string | number)[] };
  const isOption = (name: string) => (arg: string) =>
    arg === `--${name}` || arg.startsWith(`--${name}=`);
  const twice = values.find((name) => own.filter(isOption(name)).length > 1);
  if (twice !== undefined) throw new TypeError(`Cannot use --${twice} as it is given twice`);
  const valued = all.find((name) => own.some((arg) => arg.startsWith(`--${name}=`)));
  if (valued !== undefined) {
    throw new TypeError(`Cannot use --${valued} with a value as it takes none`);
  }
  const [word] = parsed._;
  if (word !== undefined && !words && parsed.help !== true) {
    throw new TypeError(`Cannot use "${word}" as it is no option; see --help`);
  }
  const value = (name: string): string | undefined => {
    const found = parsed[name];
    if (found === undefined) return undefined;
    if (typeof found === "string" && found !== "") return found;
    throw new TypeError(`Cannot use --${name} as it needs a value`);
  };
  return {
    rest: parsed._.map(String),
    value,
    number(name) {
      const text = value(name);
      return text === undefined ? undefined : numberOf(name, text);
    },
    object(name) {
      const text = value(name);
      if (text === undefined) return undefined;
      const rule = `must be a JSON object: current value is ${text}`;
      let found: unknown;
      try {
        found = JSON.parse(text);
      } catch (cause) {
        throw new SyntaxError(`Cannot read --${name} as it ${rule}`, { cause });
      }
      if (isObject(found)) return found;
      throw new TypeError(`Cannot read --${name} as it ${rule}`);
    },
    flag: (name) => parsed[name] === true,
    one(verb, what) {
      const [found, ...more] = parsed._;
      if (found !== undefined && more.length === 0) return String(found);
      throw new TypeError(`Cannot ${verb} as ${what} must be given; see --help`);
    },
  };
}

const encoder = new TextEncoder();

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
}

/** Text that cannot steer a terminal. */
export function visible(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\ufffd");
}

/** Writes to stdout. */
export function print(text: string): void {
  writeAll(Deno.stdout, text);
}

/** Writes a line to stderr. */
export function say(text: string): void {
  writeAll(Deno.stderr, `${text}\n`);
}

/** Runs a command: `--help` prints the usage; an error prints one line and sets the exit code. */
export async function command(
  usage: string,
  options: Options,
  run: (args: Arguments) => Promise<void>,
): Promise<void> {
  try {
    const args = parse(Deno.args, options);
    if (args.flag("help")) print(usage.trimStart());
    else await run(args);
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return; // the reader has seen enough
    const message = error instanceof Error ? error.message : String(error);
    say(`error: ${message.replaceAll("\n", " ")}`);
    if (Deno.env.get("MOI_DEBUG")) say(error instanceof Error ? error.stack ?? "" : "");
    Deno.exitCode = 1;
  }
}

/** The command on one line, so that a shell runs it again; a key is left out, as the line is kept and shown. */
export function commandLine(name: string, args: readonly string[] = Deno.args): string {
  const quoted = (text: string) =>
    /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
  const own = args.filter((arg, i) => !/^--key(=|$)/.test(arg) && args[i - 1] !== "--key");
  return ["deno task", name, ...own.map(quoted)].join(" ").replaceAll(/[\r\n]+/g, " ");
}
