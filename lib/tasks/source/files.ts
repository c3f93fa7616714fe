/**
 * Which files of a data set hold a configuration and a split.
 *
 * The card of a data set says so where it has `configs:` (its front matter, in YAML); else the names
 * do, by the hub's rule: a word for the split between separators, and files without one are "train".
 * What is ambiguous or not whole is refused, with what there is.
 *
 * @module
 */

import { basename } from "node:path";
import { hint } from "../../_near.ts";
import { type Config, configsOf, matchesGlob } from "./card.ts";

/** Endings of files that can be read, in the order of preference. */
export const FORMATS = ["parquet", "jsonl", "ndjson", "json", "csv", "tsv"] as const;

/** Format of a file. */
export type Format = typeof FORMATS[number];

/** Format by the end of a name; what it is packed with is seen in its bytes. */
export function formatOf(name: string): Format | undefined {
  const found = /\.(parquet|jsonl|ndjson|json|csv|tsv)(\.gz|\.zst)?$/i.exec(name);
  return found ? found[1]!.toLowerCase() as Format : undefined;
}

/** Files that describe a data set. */
const ABOUT = /^(?:config|dataset_infos?|dataset_dict|state|croissant)\.json$/;

const isData = (name: string) =>
  formatOf(name) !== undefined && !ABOUT.test(basename(name)) &&
  name.split("/").every((part) => !/^(\.|__)/.test(part));

/** Words for a split that mean the same. */
const SPLITS: Readonly<Record<string, readonly string[]>> = {
  train: ["train", "training"],
  validation: ["validation", "valid", "val", "dev"],
  test: ["test", "testing", "eval", "evaluation"],
};

const synonyms = (split: string): readonly string[] =>
  Object.values(SPLITS).find((words) => words.includes(split)) ?? [split];

/** Whether a name has a word of some between separators. */
function hasWord(name: string, words: readonly string[]): boolean {
  const own = name.toLowerCase().replace(/\.[a-z]+(\.gz|\.zst)?$/, "");
  return words.some((word) => {
    for (let at = -1; (at = own.indexOf(word.toLowerCase(), at + 1)) >= 0;) {
      const before = own[at - 1] ?? "/", after = own[at + word.length] ?? "/";
      if (/[/_.\- ]/.test(before) && /[/_.\- ]/.test(after)) return true;
    }
    return false;
  });
}

/** Number of a shard, and how many there are. */
const SHARD = /-(\d{1,6})-of-(\d{1,6})(?=[.-])/;

/** A name without the number of its shard: the same for all that belong together. */
const stemOf = (name: string) =>
  name.replace(/-\d{1,6}-of-(\d{1,6})(-[0-9a-f]{16})?(?=\.)/, "-*-of-$1")
    .replace(/(^|\/)\d{4,6}(?=\.[a-z.]+$)/, "$1*");

/** Shards that the others say there must be. */
function missingShards(names: readonly string[]): string[] {
  const missing: string[] = [];
  for (const own of Map.groupBy(names, stemOf).values()) {
    const [first = ""] = own, shard = SHARD.exec(first);
    const numbered = /(?:^|\/)(\d{4,6})\.[a-z.]+$/.exec(first);
    if (!shard && !numbered) continue;
    const digits = (shard ?? numbered)![1]!.length;
    const numberOf = (name: string) => (shard ? SHARD : /(\d+)\.[a-z.]+$/).exec(name)![1];
    const there = new Set(own.map((name) => Number(numberOf(name))));
    const count = shard ? Number(shard[2]) : Math.max(...there) + 1;
    const from = shard && !there.has(0) && there.has(count) ? 1 : 0; // some count from 1
    for (let i = from; i < count + from && missing.length < 100; i++) {
      if (there.has(i)) continue;
      const number = String(i).padStart(digits, "0");
      if (shard) missing.push(first.replace(SHARD, `-${number}-of-${shard[2]}`));
      else missing.push(first.replace(/\d+(?=\.[a-z.]+$)/, number));
    }
  }
  return missing;
}

/** What is looked for. */
export interface Wanted {
  readonly split: string | undefined;
  readonly config: string | undefined;
}

/** Refuses, with what there is. */
type Refuse = (rule: string, list: readonly string[]) => never;

/**
 * The files of a data set that hold a split of a configuration, in the order of their shards, by the names of
 * all its files and its card; a RangeError where they are ambiguous, are none, or are not whole.
 */
export function dataFiles(
  id: string,
  unordered: readonly string[],
  { split, config }: Wanted,
  card?: string,
): string[] {
  const names = unordered.toSorted();
  const refuse: Refuse = (rule, list) => {
    const more = list.length > 8 ? ` and ${list.length - 8} more` : "";
    const has = list.length === 0 ? "no data files" : `${list.slice(0, 8).join(", ")}${more}`;
    throw new RangeError(`Cannot read problems of ${id} as ${rule}: it has ${has}`);
  };
  const data = names.filter(isData);
  const configs = card === undefined ? [] : configsOf(card);
  const chosen = configOf(configs, config, refuse);
  let files: string[];
  if (chosen) files = filesOfConfig(chosen, names, split, refuse);
  else {
    const own = config === undefined ? data : byConfig(data, config);
    if (own.length === 0 && config !== undefined) {
      const known = configs.map(({ name }) => name), near = hint(config, known);
      refuse(
        `'config' must name one of its configurations, folders or files, not "${config}"${near}`,
        known.length > 0 ? known : data,
      );
    }
    files = bySplit(own, split, config, refuse, names);
  }
  const missing = missingShards(files), all = files.length + missing.length;
  if (missing.length > 0) {
    const what = `${missing.length} of ${all} are missing: ${missing.slice(0, 8).join(", ")}`;
    throw new RangeError(`Cannot read problems of ${id} as its files must be whole: ${what}`);
  }
  return files;
}

/** The configuration of a card that is meant; none where the names must tell. */
function configOf(
  configs: readonly Config[],
  wanted: string | undefined,
  refuse: Refuse,
): Config | undefined {
  if (wanted !== undefined) return configs.find(({ name }) => name === wanted);
  const byDefault = configs.filter(({ isDefault }) => isDefault);
  const [only, another] = byDefault.length > 0 ? byDefault : configs;
  if (another) {
    return refuse("'config' must name one of its configurations", configs.map(({ name }) => name));
  }
  return only;
}

/** The files that a configuration of a card names. */
function filesOfConfig(
  { name, splits }: Config,
  names: readonly string[],
  split: string | undefined,
  refuse: Refuse,
): string[] {
  const matching = (patterns: readonly string[]) => {
    const all = patterns.flatMap((one) => names.filter((name) => matchesGlob(one, name)));
    return [...new Set(all)];
  };
  const known = [...splits.keys()].filter((one) => one !== "");
  if (known.length === 0) {
    const patterns = splits.get("")!, own = matching(patterns);
    const data = own.filter(isData);
    if (data.length === 0) {
      return refuse(`no file that is read matches '${patterns.join("', '")}'`, own);
    }
    return bySplit(data, split, name, refuse, own);
  }
  const wanted = split ?? (known.length === 1 ? known[0]! : "test");
  const key = [wanted, ...synonyms(wanted)].find((one) => splits.has(one));
  if (key === undefined) {
    const near = hint(wanted, known);
    return refuse(`'split' must name one of its splits, not "${wanted}"${near}`, known);
  }
  const patterns = splits.get(key)!, own = matching(patterns);
  const bad = own.find((one) => formatOf(one) === undefined);
  if (own.length === 0 || bad !== undefined) {
    const what = own.length === 0 ? "no file" : "not only files that are read";
    return refuse(`${what} matches '${patterns.join("', '")}'`, bad === undefined ? names : [bad]);
  }
  return own;
}

/** A file's own name, without folder, shard and ending. */
function bare(name: string): string {
  return basename(stemOf(name)).replace(/\.[a-z]+(\.gz|\.zst)?$/i, "").replace(/-\*-of-\d+$/, "");
}

/** Files in a folder of a name; else those that are called so, alone or beside a split. */
function byConfig(data: readonly string[], config: string): string[] {
  const inside = data.filter((name) => name.split("/").slice(0, -1).includes(config));
  if (inside.length > 0) return inside;
  const called = data.filter((name) => bare(name) === config);
  if (called.length > 0) return called;
  const words = Object.values(SPLITS).flat();
  const beside = words.flatMap((word) =>
    ["-", "_", "."].flatMap((by) => [`${config}${by}${word}`, `${word}${by}${config}`])
  );
  return data.filter((name) => beside.includes(bare(name)));
}

/** Files of a split by their names. */
function bySplit(
  data: readonly string[],
  split: string | undefined,
  config: string | undefined,
  refuse: Refuse,
  all: readonly string[],
): string[] {
  if (data.length === 0) {
    const others = all.filter((one) => one !== "README.md");
    return refuse(`it must have ${FORMATS.join(", ")} files`, others);
  }
  const wanted = split ?? "test", rest = (name: string) => withoutConfig(name, config);
  const ways: ((name: string) => boolean)[] = [
    (name) => bare(rest(name)) === wanted,
    (name) => hasWord(rest(name), [wanted]),
    (name) => hasWord(rest(name), synonyms(wanted)),
  ];
  let chosen = ways.map((way) => data.filter(way)).find((own) => own.length > 0) ?? [];
  if (chosen.length === 0) {
    const has = (name: string, words: readonly string[]) => hasWord(rest(name), words);
    const named = Object.values(SPLITS).filter((words) => data.some((name) => has(name, words)));
    const unnamed = named.length === 0 && (split === undefined || split === "train");
    const only = named.length === 1 && split === undefined &&
      data.every((name) => has(name, named[0]!));
    if (!unnamed && !only) {
      return refuse(`'split' must name some of its files, not "${wanted}"`, data);
    }
    chosen = [...data];
  }
  const format = FORMATS.find((one) => chosen.some((name) => formatOf(name) === one));
  chosen = chosen.filter((name) => formatOf(name) === format).sort();
  const folders = new Set(chosen.map((name) => name.slice(0, name.lastIndexOf("/") + 1)));
  if (folders.size > 1) return refuse("'config' must name one of its folders", [...folders]);
  if (new Set(chosen.map(stemOf)).size > 1) {
    const by = split === undefined && config === undefined ? "'config' or 'split'" : "'split'";
    return refuse(`${by} must name one of its files`, chosen);
  }
  return chosen;
}

/** A name without the folder of a configuration, whose own words are no split. */
function withoutConfig(name: string, config: string | undefined): string {
  return config === undefined ? name : name.split("/").filter((part) => part !== config).join("/");
}
