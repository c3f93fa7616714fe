/**
 * The configurations that the card of a data set tells of, and the patterns of the hub.
 *
 * @module
 */

import { isObject } from "../../_check.ts";

/** Longest pattern, as of names on the hub. */
const LONGEST_NAME = 1024;

/** Whether a name matches a pattern of the hub: `*` and `?` within a folder, `**` across folders. */
export function matchesGlob(pattern: string, name: string): boolean {
  const tokens = pattern.replace(/^\.?\//, "").match(/\*\*\/?|[^]/g) ?? [];
  if (pattern.length > LONGEST_NAME) return false;
  let reached = new Uint8Array(name.length + 1); // places in the name after the tokens so far
  reached[0] = 1;
  for (const token of tokens) {
    const next = new Uint8Array(name.length + 1);
    for (let at = 0, before = 0; at <= name.length; at++) {
      const last = at > 0 ? name[at - 1] : undefined;
      if (token === "*") next[at] = reached[at]! | (last !== "/" ? next[at - 1] ?? 0 : 0);
      else if (token === "**") next[at] = before |= reached[at]!;
      else if (token === "**/") {
        next[at] = reached[at]! | (last === "/" ? before : 0);
        before |= reached[at]!;
      } else if (last === token || (token === "?" && last !== "/")) next[at] = reached[at - 1] ?? 0;
    }
    reached = next;
  }
  return reached[name.length] === 1;
}

/** A configuration of a data set's card. */
export interface Config {
  readonly name: string;
  readonly isDefault: boolean;
  /** Patterns by split; "" for those of none. */
  readonly splits: ReadonlyMap<string, readonly string[]>;
}

type Yaml = string | null | readonly Yaml[] | { readonly [key: string]: Yaml };

/** Longest front matter that is read, and deepest. */
const LONGEST = 2 ** 20, DEEPEST = 16;

/** The part of YAML that cards use: blocks of lists and mappings, plain and quoted words. */
function parseYaml(source: string): Yaml {
  const lines = source.split("\n").filter((line) => !/^\s*(#|$)/.test(line)).map((line) => {
    const text = line.trim();
    return { indent: line.length - line.trimStart().length, text };
  });
  let at = 0;
  const scalar = (text: string): Yaml => {
    if (/^\[.*\]$/.test(text)) {
      return text.slice(1, -1).split(",").map((part) => part.trim()).filter((part) => part !== "")
        .map(scalar);
    }
    if (/^[{&*!|>%@`]/.test(text)) throw new SyntaxError(`not read: ${text}`);
    const quoted = /^(["'])(.*)\1(?:\s+#.*)?$/.exec(text);
    return quoted ? quoted[2]! : text.replace(/\s+#.*$/, "");
  };
  const node = (indent: number, depth: number): Yaml => {
    if (depth > DEEPEST) throw new SyntaxError("too deep");
    const first = lines[at]!;
    if (/^-(\s|$)/.test(first.text)) {
      const list: Yaml[] = [];
      while (lines[at]?.indent === indent && /^-(\s|$)/.test(lines[at]!.text)) {
        const rest = lines[at]!.text.slice(1).trimStart();
        if (rest === "") {
          at++;
          const inner = lines[at];
          list.push(inner && inner.indent > indent ? node(inner.indent, depth + 1) : null);
        } else {
          const inner = indent + lines[at]!.text.length - rest.length;
          lines[at] = { indent: inner, text: rest };
          list.push(node(inner, depth + 1));
        }
      }
      return list;
    }
    const KEY = /^("[^"]*"|'[^']*'|[^\s"'[{-][^:]*):(?:\s+(.*))?$/;
    if (!KEY.test(first.text)) {
      at++;
      return scalar(first.text);
    }
    const map: [string, Yaml][] = [];
    while (lines[at]?.indent === indent) {
      const found = KEY.exec(lines[at]!.text);
      if (!found) break;
      const key = found[1]!.replace(/^(["'])(.*)\1$/, "$2");
      at++;
      const inner = lines[at];
      if (found[2] !== undefined) map.push([key, scalar(found[2])]);
      else if (
        inner && (inner.indent > indent || (inner.indent === indent && inner.text[0] === "-"))
      ) {
        map.push([key, node(inner.indent, depth + 1)]);
      } else map.push([key, null]);
    }
    return Object.fromEntries(map);
  };
  const value = lines.length === 0 ? null : node(lines[0]!.indent, 0);
  if (at < lines.length) throw new SyntaxError(`not read: ${lines[at]!.text}`);
  return value;
}

const listOf = (value: Yaml | undefined): readonly Yaml[] =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : [value as Yaml];

const isMap = (value: Yaml | undefined): value is { readonly [key: string]: Yaml } =>
  isObject(value);

const textsOf = (value: Yaml | undefined): string[] =>
  listOf(value).filter((one): one is string => typeof one === "string");

/** The configurations that a card tells of; none where it has none, or in YAML that is not read. */
export function configsOf(card: string): Config[] {
  const text = card.replace(/^\ufeff/, "").replaceAll("\r\n", "\n");
  const end = text.startsWith("---\n") ? text.indexOf("\n---", 3) : -1;
  if (end < 0 || end > LONGEST) return [];
  const matter = `\n${text.slice(4, end)}\n`, start = matter.indexOf("\nconfigs:");
  if (start < 0) return [];
  const rest = matter.slice(start + 1), next = rest.search(/\n[^\s#-]/);
  let block: Yaml;
  try {
    block = parseYaml(next < 0 ? rest : rest.slice(0, next));
  } catch {
    return [];
  }
  return listOf(isMap(block) ? block.configs : undefined).filter(isMap).map((own): Config => {
    const folder = typeof own.data_dir === "string" ? `${own.data_dir.replace(/\/+$/, "")}/` : "";
    const splits = new Map<string, string[]>();
    const add = (split: string, patterns: readonly string[]) =>
      splits.set(split, [...splits.get(split) ?? [], ...patterns.map((one) => `${folder}${one}`)]);
    for (const part of listOf(own.data_files)) {
      if (typeof part === "string") add("", [part]);
      else if (isMap(part) && "path" in part) {
        add(typeof part.split === "string" ? part.split : "", textsOf(part.path));
      } else if (isMap(part)) {
        for (const [split, patterns] of Object.entries(part)) add(split, textsOf(patterns));
      }
    }
    if (splits.size === 0 && folder !== "") add("", ["**"]);
    const name = typeof own.config_name === "string" ? own.config_name : "default";
    return { name, isDefault: own.default === "true" || name === "default", splits };
  }).filter(({ splits }) => splits.size > 0);
}
